//! Shared code of the bake targets: a deterministic host, and properties of every file.

use solvekit_bake::print::{
    plan_json, targets_json, targets_table, variables_json, variables_table,
};
use solvekit_bake::{Environment, Evaluation, FileReader, Host, InputFile, Options, ReadError};

/// A fixed clock, no randomness, and a folder in which the content of every file is the input.
pub struct Machine<'a>(pub &'a [u8]);

impl FileReader for Machine<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        if path.contains("missing") {
            return Err(ReadError::NotFound);
        }
        Ok(self.0.to_vec())
    }

    fn working_directory(&self) -> &str {
        "/work"
    }
}

impl Host for Machine<'_> {
    fn now(&self) -> (i64, u32) {
        (1_700_000_000, 0)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }

    fn home_directory(&self) -> Option<String> {
        Some("/home/baker".to_owned())
    }
}

/// Evaluates one file twice: the result, or the error, must be the same.
pub fn evaluate(name: &str, bytes: &[u8], environment: &Environment) -> Option<Evaluation> {
    let machine = Machine(bytes);
    let files = [InputFile {
        name: name.to_owned(),
        bytes: bytes.to_vec(),
    }];
    let run =
        || solvekit_bake::evaluate(&files, environment, &machine, &machine, Options::default());
    match (run(), run()) {
        (Ok(first), Ok(second)) => {
            assert_eq!(
                targets_json(&first.definition),
                targets_json(&second.definition)
            );
            let variables = |of: &Evaluation| variables_json(of.variables().as_deref());
            assert_eq!(variables(&first), variables(&second));
            Some(first)
        }
        (Err(first), Err(second)) => {
            assert_eq!(first.to_string(), second.to_string());
            None
        }
        _ => panic!("the same file is read once and refused once"),
    }
}

/// Plans the default group and every target, and prints the plans.
pub fn plan(evaluation: &Evaluation, set: &[String], environment: &Environment) {
    let _ = targets_table(&evaluation.definition);
    let _ = variables_table(&evaluation.variables().unwrap_or_default());
    for names in ["default", "*"] {
        let run = || evaluation.plan(&[names.to_owned()], set, environment);
        match (run(), run()) {
            (Ok(first), Ok(second)) => {
                assert_eq!(
                    plan_json(&first.groups, &first.targets),
                    plan_json(&second.groups, &second.targets)
                );
            }
            (Err(first), Err(second)) => assert_eq!(first.to_string(), second.to_string()),
            _ => panic!("the same plan is made once and refused once"),
        }
    }
}

/// Returns an environment that sets some variables of the seeds.
pub fn environment() -> Environment {
    let set = [
        ("TAG", "v1"),
        ("A", "1"),
        ("VERSION", "2"),
        ("LIST", "a,b"),
        ("LIST_JSON", "[1]"),
    ];
    Environment {
        variables: set
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        command_context: "cwd://".to_owned(),
        local_platform: "linux/amd64".to_owned(),
        ..Environment::default()
    }
}
