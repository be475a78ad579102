//! Hints that refer to bake files instead of the flags of `build`.

use std::io::ErrorKind;

use solvekit::pipeline::Error;
use solvekit::progress::{Mode, Summary};
use solvekit::spread;

use crate::cli::report::{Failure, nodes_failure};

/// The failure of a target, with its name as the prefix of the message.
pub(super) fn explain(
    target: &str,
    error: &spread::Error,
    summary: &Summary,
    mode: Mode,
) -> Failure {
    let advice = match error {
        spread::Error::Build(error) => of(error, target),
        _ => None,
    };
    let mut failure = nodes_failure::explain(error, summary, mode);
    let last = failure.take_last().into_iter();
    failure
        .ends_with(last.map(|step| step.of_target(target)))
        .advised(advice)
        .of_target(target)
}

/// The hint for the failure of a target.
pub(super) fn of(error: &Error, target: &str) -> Option<String> {
    let text = match error {
        Error::Context {
            near: Some(near), ..
        } => format!("did you mean context = \"{}\"?", near.display()),
        Error::Context { .. } | Error::ContextNotAFolder { .. } => {
            "name the folder in the target: context = \"FOLDER\"".to_owned()
        }
        Error::Dockerfile {
            near: Some(near), ..
        } => format!(
            "did you mean {}? dockerfile counts from the context",
            near.display()
        ),
        Error::Dockerfile { source, .. } if source.kind() == ErrorKind::NotFound => {
            "name it in the target: dockerfile = \"FILE\", which counts from the context".to_owned()
        }
        Error::NamedContext { name, source } => match &**source {
            Error::Context { near, .. } => {
                let near = near.as_ref().map(|near| near.display().to_string());
                let folder = near.unwrap_or_else(|| "FOLDER".to_owned());
                format!("name the folder in the target: contexts = {{ {name} = \"{folder}\" }}")
            }
            _ => return None,
        },
        Error::PushWithoutName => format!(
            "name the image in the target: tags = [\"REGISTRY/REPOSITORY:TAG\"], or with \
             --set {target}.tags=NAME"
        ),
        _ => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_hint_names_a_flag_of_build() {
        let absent = || std::io::Error::from(ErrorKind::NotFound);
        let context = |near: Option<&str>| Error::Context {
            path: "x".into(),
            near: near.map(Into::into),
            source: absent(),
        };
        let of = |error: Error| of(&error, "app").unwrap();
        assert_eq!(
            of(context(Some("apps"))),
            "did you mean context = \"apps\"?"
        );
        assert!(of(context(None)).contains("context = "));
        let dockerfile = Error::Dockerfile {
            path: "D".into(),
            near: None,
            source: absent(),
        };
        assert!(of(dockerfile).contains("dockerfile = "));
        let named = Error::NamedContext {
            name: "more".into(),
            source: Box::new(context(None)),
        };
        assert!(of(named).contains("contexts = { more = "));
        assert!(of(Error::PushWithoutName).contains("--set app.tags="));
    }
}
