//! `solvekit policy test`: runs the tests of a policy.

use std::path::Path;

use serde::Serialize;
use solvekit::pipeline;
use solvekit::policy::{Decision, Evaluator, Input, Loader, Policy, TestCase, TestResult};

use super::{asking, load};
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::print_text;

#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    /// A file that ends in _test.rego, or a folder with such files
    path: String,

    /// Run only the tests whose names contain this text
    #[arg(long, value_name = "TEXT")]
    run: Option<String>,

    /// Test the policy of this Dockerfile: FILE.rego in the working folder
    #[arg(long, value_name = "FILE", default_value = "Dockerfile")]
    filename: String,

    #[command(flatten)]
    registries: RegistryArgs,
}

pub(crate) async fn cmd_test(
    args: &TestArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let file = format!("{}.rego", args.filename);
    let text = std::fs::read(&file).map_err(|error| {
        let begin = format!("read policy module {file}: ");
        Failure::new(format!("{begin}{error}")).of_missing_file(&begin, &file, &error)
    })?;
    let tests = test_files(&args.path)?;
    let own = load(
        Loader::for_tests(),
        &[(file.clone(), text.clone())],
        &args.filename,
    )
    .await?;
    let mut modules = vec![(file, text)];
    modules.extend(tests.iter().cloned());
    let policy = load(Loader::for_tests(), &modules, &args.filename).await?;
    let names: Vec<String> = tests.into_iter().map(|(name, _)| name).collect();
    let cases = policy
        .tests(&names)
        .map_err(|error| Failure::from_error(&error))?;
    let wanted = args.run.as_deref().unwrap_or_default();
    let cases: Vec<TestCase> = cases
        .into_iter()
        .filter(|case| case.name.contains(wanted))
        .collect();
    if cases.is_empty() {
        return Err(Failure::new("no tests found"));
    }
    let folder = environment.working_folder.clone().unwrap_or_default();
    let evaluator = Evaluator::new(own, folder);
    let registries = &args.registries;
    let ran = run(
        &evaluator,
        &policy,
        &cases,
        registries,
        connection,
        environment,
    );
    let mut failed = false;
    for (case, (result, input)) in cases.iter().zip(ran.await?) {
        failed |= !result.passed;
        print_text(&report(case, &result, input.as_ref()))?;
    }
    match failed {
        true => Err(Failure::silent(1)),
        false => Ok(()),
    }
}

type Ran = (TestResult, Option<Input>);

async fn run(
    evaluator: &Evaluator,
    policy: &Policy,
    cases: &[TestCase],
    registries: &RegistryArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<Vec<Ran>, Failure> {
    let wrong = |error: &dyn std::error::Error| Failure::from_error(error);
    let mut results = Vec::new();
    if !cases.iter().any(Evaluator::needs_daemon) {
        for case in cases {
            let result = evaluator.test(case, None, policy).await;
            results.push(result.map_err(|error| wrong(&error))?);
        }
        return Ok(results);
    }
    let client = connection.connect(environment).await?;
    let asking = asking(registries, environment)?;
    let ran = pipeline::ask(&client, &asking, async |bridge| {
        for case in cases {
            results.push(evaluator.test(case, Some(bridge), policy).await?);
        }
        Ok(results)
    });
    ran.await.map_err(|error| wrong(&error))
}

/// The test files by name, with their text.
fn test_files(path: &str) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    const END: &str = "_test.rego";
    let path = path.trim_end_matches('/');
    let path = if path.is_empty() { "." } else { path };
    let metadata =
        std::fs::metadata(path).map_err(|error| Failure::new(format!("stat {path}: {error}")))?;
    let mut names = Vec::new();
    if metadata.is_dir() {
        let failed = |error| Failure::new(format!("read dir {path}: {error}"));
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(END) && !entry.path().is_dir() {
                let joined = Path::new(path).join(name);
                let joined = joined.strip_prefix(".").unwrap_or(&joined);
                names.push(joined.display().to_string());
            }
        }
    } else if path.ends_with(END) {
        names.push(path.to_owned());
    } else {
        return Err(Failure::new(format!(
            "test file must have _test.rego suffix: {path}"
        )));
    }
    if names.is_empty() {
        return Err(Failure::new("no policy tests found"));
    }
    names.sort();
    let read = |name: String| match std::fs::read(&name) {
        Ok(text) => Ok((name, text)),
        Err(error) => Err(Failure::new(format!(
            "read policy test module {name}: {error}"
        ))),
    };
    names.into_iter().map(read).collect()
}

/// The lines about a test, as in buildx.
fn report(case: &TestCase, result: &TestResult, input: Option<&Input>) -> String {
    let decision = result.decision.as_ref();
    let allow = decision.and_then(|decision| decision.allow);
    let allow = allow.map_or_else(|| "n/a".to_owned(), |allow| allow.to_string());
    let status = if result.passed { "PASS" } else { "FAIL" };
    let messages = decision.map(messages).unwrap_or_default();
    let mut text = match messages.is_empty() {
        true => format!("{}: {status} (allow={allow})\n", case.name),
        false => {
            let messages = messages.join("; ");
            format!(
                "{}: {status} (allow={allow}, deny_msg={messages})\n",
                case.name
            )
        }
    };
    if result.passed {
        return text;
    }
    text.push_str(&labelled("input", input.map(json)));
    text.push_str(&labelled(
        "decision",
        decision.map(|found| json(&Shown::of(found))),
    ));
    if !result.missing_input.is_empty() {
        let missing: Vec<String> = result
            .missing_input
            .iter()
            .map(|field| format!("input.{field}"))
            .collect();
        text.push_str(&format!("missing_input: {}\n", missing.join(", ")));
    }
    if !result.metadata.is_empty() {
        text.push_str(&format!(
            "metadata_resolve: {}\n",
            result.metadata.join(", ")
        ));
    }
    text
}

fn messages(decision: &Decision) -> Vec<&str> {
    decision
        .deny_messages
        .iter()
        .map(|message| message.text.as_str())
        .collect()
}

fn labelled(label: &str, json: Option<String>) -> String {
    match json {
        Some(json) => format!("{label}:\n{json}"),
        None => format!("{label}: <nil>\n"),
    }
}

/// A decision as in buildx's output.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    allow: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deny_msg: Vec<&'a str>,
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    caps: std::collections::BTreeMap<&'a str, bool>,
}

impl<'a> Shown<'a> {
    fn of(decision: &'a Decision) -> Self {
        let caps = decision.capabilities.iter();
        Self {
            allow: decision.allow,
            deny_msg: messages(decision),
            caps: caps
                .map(|(name, wanted)| (name.as_str(), *wanted))
                .collect(),
        }
    }
}

/// JSON with Go's indentation and escapes, and a newline.
pub(super) fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut out = String::with_capacity(text.len() + 1);
    for letter in text.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            _ => out.push(letter),
        }
    }
    out.push('\n');
    out
}
