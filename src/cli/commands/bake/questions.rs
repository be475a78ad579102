//! `bake --call` and `--check`: a question about the Dockerfile of each target.

use std::collections::BTreeMap;

use solvekit::bake::{self, Plan};
use solvekit::pipeline::BuildRequest;

use super::build::failed;
use crate::cli::commands::build::call;
use crate::cli::report::Failure;
use crate::cli::report::terminal::print_text;

/// Asks about the targets in their order. The worst exit code counts.
pub(super) async fn ask(
    plan: &Plan,
    requests: BTreeMap<String, BuildRequest>,
    question: call::CallArgs,
    surroundings: call::Surroundings<'_>,
) -> Result<(), Failure> {
    let asked: Vec<String> = requests.keys().cloned().collect();
    let several = asked.len() > 1 && !question.is_json();
    let prepared = bake::linked_requests(plan, requests);
    let prepared = prepared.await.map_err(|error| failed(&error))?;
    let mut failure = None;
    for (name, request) in prepared {
        if several {
            print_text(&format!("{name}:\n"))?;
        }
        let asked = call::cmd_call(request, question, surroundings.clone());
        match asked.await {
            Ok(()) => {}
            Err(error) if error.message().is_empty() => failure = Some(error),
            Err(error) => return Err(error.behind(&format!("target {name}"))),
        }
    }
    failure.map_or(Ok(()), Err)
}
