//! The failure of a build that is distributed over the nodes of a builder.

use solvekit::oci::Platform;
use solvekit::pipeline;
use solvekit::progress::{Mode, Summary};
use solvekit::spread::Error;

use super::{Failure, build_failure, daemon_text, library};

/// The failure before anything is solved.
pub(crate) fn of_plan(error: &Error, builder: &str) -> Failure {
    let failure = Failure::from_error(error).advised(library::for_plan(error, builder));
    failure.daemon_absent(matches!(
        error,
        Error::NoNode { .. } | Error::Unserved { .. }
    ))
}

/// The failure of a build, with the node that it failed on.
pub(crate) fn explain(error: &Error, summary: &Summary, mode: Mode) -> Failure {
    match error {
        Error::Build(error) => build_failure::explain(error, summary, mode),
        Error::Part {
            node,
            platforms,
            source,
        } => {
            let failure = build_failure::explain(source, summary, mode);
            failure.with_prefix(&of_node(node, platforms, source))
        }
        Error::Lost {
            platforms, source, ..
        } => {
            let failure = build_failure::explain(source, summary, mode);
            let lost = match platforms.is_empty() {
                true => error.to_string(),
                false => format!("{error}; no tag has moved"),
            };
            failure.with_prefix(&lost)
        }
        Error::Cache { parts, .. } => Failure::from_error(error).advised(Some(format!(
            "the image is built and pushed; the caches are there apart: {}",
            parts.join(", ")
        ))),
        Error::Index { source } => {
            let message = Failure::from_error(error).into_message();
            let advice = daemon_text::for_error(error);
            Failure::new(format!("{message}; no tag has moved"))
                .advised(advice)
                .of_registry(source.kind())
        }
        Error::Push { source } => {
            untagged(error, library::for_transfer(source)).of_registry(source.kind())
        }
        Error::Sign { source, .. } => untagged(error, None).of_registry(source.kind()),
        Error::Tag { source, .. } => {
            let message = Failure::from_error(error).into_message();
            let advice = daemon_text::for_error(error);
            Failure::new(message)
                .advised(advice)
                .of_registry(source.kind())
        }
        Error::SeveralPushes => Failure::from_error(error).advised(Some(
            "give all names to one output: -t NAME for each, and one --push".to_owned(),
        )),
        error => Failure::from_error(error),
    }
}

/// The image is in the registry by its digest at most.
fn untagged(error: &Error, advice: Option<String>) -> Failure {
    let message = Failure::from_error(error).into_message();
    Failure::new(format!("{message}; no tag has moved")).advised(advice)
}

/// The error of a step contains its platform already.
fn of_node(node: &str, platforms: &[Platform], source: &pipeline::Error) -> String {
    let text = source.to_string();
    let names: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    match names.is_empty() || names.iter().any(|name| text.contains(name.as_str())) {
        true => format!("on the node {node}"),
        false => format!("on the node {node} ({})", names.join(", ")),
    }
}

/// The error of the build, whichever node it happened on.
pub(crate) fn cause(error: &Error) -> Option<&pipeline::Error> {
    match error {
        Error::Build(error) => Some(error),
        Error::Part { source, .. } | Error::Lost { source, .. } => Some(source),
        _ => None,
    }
}
