//! Prints evaluated bake files like `docker buildx bake --print`: `print bake -f FILE TARGET`.
//!
//! It only evaluates the language: the command checks secrets, keys and sizes.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::ExitCode;

use solvekit_bake::files::{DEFAULT_FILES, ReadError};
use solvekit_bake::print::{
    plan_json, targets_json, targets_table, variables_json, variables_table,
};
use solvekit_bake::{Diagnostic, Environment, FileReader, Host, InputFile, Kind, Options};

struct Machine {
    folder: String,
}

impl FileReader for Machine {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        if std::path::Path::new(path).is_dir() {
            return Err(ReadError::IsDirectory);
        }
        std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ReadError::NotFound,
            _ => ReadError::Other(error.to_string()),
        })
    }

    fn working_directory(&self) -> &str {
        &self.folder
    }
}

impl Host for Machine {
    fn now(&self) -> (i64, u32) {
        let now = std::time::SystemTime::now();
        let since = now.duration_since(std::time::UNIX_EPOCH);
        since.map_or((0, 0), |since| {
            let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
            (seconds, since.subsec_nanos())
        })
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        if let Ok(mut source) = std::fs::File::open("/dev/urandom") {
            let _ = source.read_exact(bytes);
        }
    }

    fn home_directory(&self) -> Option<String> {
        std::env::var("HOME").ok()
    }
}

#[derive(Default)]
struct Arguments {
    files: Vec<String>,
    set: Vec<String>,
    variables: BTreeMap<String, String>,
    list: Option<String>,
    print: bool,
    targets: Vec<String>,
}

/// Parses the arguments after `bake`. Flags become overrides, as in the command.
fn arguments() -> Result<Arguments, String> {
    let mut parsed = Arguments::default();
    let mut flags = Vec::new();
    let mut arguments = std::env::args().skip(2);
    while let Some(argument) = arguments.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument.clone(), None),
        };
        let mut value = || {
            let value = inline.clone().or_else(|| arguments.next());
            value.ok_or_else(|| format!("{name} needs a value"))
        };
        match name.as_str() {
            "-f" | "--file" => parsed.files.push(value()?),
            "--set" => parsed.set.push(value()?),
            "--var" => {
                let text = value()?;
                let (key, value) = text.split_once('=').ok_or("--var needs NAME=VALUE")?;
                parsed.variables.insert(key.to_owned(), value.to_owned());
            }
            "--list" => parsed.list = Some(value()?),
            "--print" => parsed.print = true,
            "--push" => flags.push("*.push=true".to_owned()),
            "--load" => flags.push("*.load=true".to_owned()),
            "--no-cache" | "--pull" => {
                let on = inline.as_deref().unwrap_or("true");
                flags.push(format!("*.{}={on}", &name[2..]));
            }
            "--call" => flags.push(format!("*.call={}", value()?)),
            "--provenance" | "--sbom" => {
                let kind = &name[2..].to_owned();
                let text = solvekit_bake::target::Attest::shorthand(kind, &value()?);
                flags.extend(text.map(|text| format!("*.attest={text}")));
            }
            _ if name.starts_with('-') => return Err(format!("unknown flag {name}")),
            _ => parsed.targets.push(argument),
        }
    }
    if parsed.targets.is_empty() {
        parsed.targets.push("default".to_owned());
    }
    parsed.set.extend(flags);
    Ok(parsed)
}

/// Reads the named files, or those of the default files that exist.
fn files(names: &[String]) -> Result<Vec<InputFile>, Diagnostic> {
    let fail = |name: &str, error: std::io::Error| {
        Diagnostic::new(Kind::File, format!("cannot read {name}: {error}"))
    };
    let mut names = names.to_vec();
    if names.is_empty() {
        let separator = std::env::var("BUILDX_BAKE_PATH_SEPARATOR").unwrap_or(":".to_owned());
        let listed = std::env::var("BUILDX_BAKE_FILE").unwrap_or_default();
        let listed = listed
            .split(separator.as_str())
            .filter(|name| !name.is_empty());
        names = listed.map(str::to_owned).collect();
    }
    let default = names.is_empty();
    if default {
        names = DEFAULT_FILES.map(str::to_owned).into();
    }
    let mut files = Vec::new();
    for name in names {
        let mut bytes = Vec::new();
        if name == "-" {
            let read = std::io::stdin().read_to_end(&mut bytes);
            read.map_err(|error| fail("stdin", error))?;
        } else {
            match std::fs::read(&name) {
                Ok(read) => bytes = read,
                Err(error) if default && error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(fail(&name, error)),
            }
            if bytes.is_empty() {
                continue;
            }
        }
        files.push(InputFile { name, bytes });
    }
    if files.is_empty() {
        return Err(Diagnostic::new(Kind::File, "there is no bake file"));
    }
    Ok(files)
}

fn run(arguments: &Arguments) -> Result<String, Diagnostic> {
    let folder = std::env::current_dir().unwrap_or_default();
    let machine = Machine {
        folder: folder.to_string_lossy().into_owned(),
    };
    let flag = |name: &str| {
        let text = std::env::var(name).unwrap_or_default();
        matches!(text.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True")
    };
    let disabled = flag("BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP");
    let environment = Environment {
        variables: if disabled {
            BTreeMap::new()
        } else {
            std::env::vars().collect()
        },
        lookup_disabled: disabled,
        overrides: arguments.variables.clone(),
        command_context: "cwd://".to_owned(),
        local_platform: "linux/amd64".to_owned(),
    };
    let files = files(&arguments.files)?;
    let options = Options {
        file_relative_paths: flag("BUILDX_BAKE_FILE_RELATIVE_PATHS"),
    };
    let evaluation = solvekit_bake::evaluate(&files, &environment, &machine, &machine, options)?;
    let variables = || evaluation.variables();
    match arguments.list.as_deref() {
        Some("targets" | "type=targets") => return Ok(targets_table(&evaluation.definition)),
        Some("type=targets,format=json") => return Ok(targets_json(&evaluation.definition)),
        Some("variables" | "type=variables") => {
            return Ok(variables_table(&variables().unwrap_or_default()));
        }
        Some("type=variables,format=json") => return Ok(variables_json(variables().as_deref())),
        Some(other) => {
            let message = format!("there is no list {other:?}");
            return Err(Diagnostic::new(Kind::Override, message));
        }
        None => {}
    }
    let mut plan = evaluation.plan(&arguments.targets, &arguments.set, &environment)?;
    for target in plan.targets.values_mut() {
        if let Ok(epoch) = std::env::var("SOURCE_DATE_EPOCH") {
            let args = &mut target.args;
            args.entry("SOURCE_DATE_EPOCH".to_owned()).or_insert(epoch);
        }
        target.context = target.context.take().map(|context| {
            let local = context.strip_prefix("cwd://");
            match local {
                Some(local) => solvekit_bake::filepath::clean(local),
                None if solvekit_bake::remote::is_remote(&context) => context,
                None => solvekit_bake::filepath::clean(&context),
            }
        });
    }
    Ok(plan_json(&plan.groups, &plan.targets))
}

fn main() -> ExitCode {
    let result = match arguments() {
        Ok(arguments) => run(&arguments),
        Err(message) => Err(Diagnostic::new(Kind::Override, message)),
    };
    let (text, code) = match result {
        Ok(text) => (text, ExitCode::SUCCESS),
        Err(error) => {
            let mut stderr = std::io::stderr();
            if let Some(excerpt) = error.excerpt() {
                let _ = writeln!(stderr, "{excerpt}");
            }
            let _ = writeln!(stderr, "ERROR: {error}");
            for hint in &error.hints {
                let _ = writeln!(stderr, "hint: {hint}");
            }
            return ExitCode::FAILURE;
        }
    };
    let _ = writeln!(std::io::stdout(), "{text}");
    code
}
