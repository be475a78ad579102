//! Calls every function of policies with unexpected arguments: the result is a value or an error,
//! without a panic and without much memory.
#![allow(clippy::unwrap_used, reason = "a test")]

use regorus::unstable::BUILTINS;
use solvekit_policy::{Files, Loader, Platform, Settings, Source};

const ARGUMENTS: &[&str] = &[
    "1",
    "-1",
    "0",
    "1.5",
    "1e300",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "100000000000000000000000000000",
    "\"\"",
    "\"a\"",
    "\"ü%٣d%999999999999d%s\"",
    "\"(((((a*)*)*)*)*)$\"",
    "\"2024-01-02T03:04:05Z\"",
    "\"99999999999h\"",
    "\"1e999Gi\"",
    "\"/a/b\"",
    "[]",
    "[1, \"a\", null]",
    "[9223372036854775807, \"UTC\"]",
    "[9223372036854775807, \"Europe/Berlin\", \"RFC3339\"]",
    "{\"op\": \"remove\", \"path\": \"/a\"}",
    "[{\"op\": \"add\", \"path\": \"/9999999999\", \"value\": 1}]",
    "{}",
    "{\"a\": {\"b\": [1]}}",
    "{1, 2}",
    "set()",
    "true",
    "null",
];

/// Returns the calls of one function; each argument is tried at each position, the others are of
/// one kind.
fn calls(name: &str, arity: u8) -> Vec<String> {
    let arity = usize::from(arity.min(4));
    let mut calls = Vec::new();
    for others in ARGUMENTS.iter().step_by(3) {
        for place in 0..arity.max(1) {
            for argument in ARGUMENTS {
                let mut arguments = vec![*others; arity];
                if let Some(slot) = arguments.get_mut(place) {
                    *slot = argument;
                }
                calls.push(format!("{name}({})", arguments.join(", ")));
            }
        }
    }
    calls.sort();
    calls.dedup();
    calls
}

#[test]
fn no_function_panics() {
    let platform = Platform::parse("linux/amd64").unwrap();
    let source = Source::new("local://context");
    let mut panicked = Vec::new();
    for (name, (_, arity)) in BUILTINS.iter() {
        // Functions that wait or are forbidden in a policy are rejected when the policy is loaded.
        for chunk in calls(name, *arity).chunks(200) {
            let mut text = "package docker\n".to_owned();
            for (index, call) in chunk.iter().enumerate() {
                text.push_str(&format!("r[\"{index}\"] := {call}\n"));
            }
            text.push_str("decision := {\"allow\": count(r) >= 0}\n");
            let (source, platform) = (source.clone(), platform.clone());
            let run = std::thread::spawn(move || {
                let mut loader = Loader::new();
                if loader.add("Dockerfile.rego", &text).is_ok()
                    && let Ok(policy) = loader.finish(Settings::default())
                {
                    let _ = policy.decide(&source, Some(&platform), &Files::default());
                }
            });
            if run.join().is_err() {
                panicked.push(*name);
            }
        }
    }
    panicked.dedup();
    assert!(panicked.is_empty(), "{panicked:?}");
}
