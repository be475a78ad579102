//! Chooses the frontend that builds the Dockerfile: this one, or another one in the daemon.

use std::collections::BTreeMap;

use crate::dockerfile::{self, Span};
use crate::oci::Reference;

/// BuildKit's frontend that runs frontend images.
const GATEWAY: &str = "gateway.v0";
/// BuildKit's built-in Dockerfile frontend.
const BUILTIN: &str = "dockerfile.v0";
/// The attribute that names a frontend image and overrides the Dockerfile's `# syntax=`.
const SYNTAX_ARGUMENT: &str = "build-arg:BUILDKIT_SYNTAX";
/// The attribute of a frontend that was called through `# syntax=`: it must not call another one.
const COMMAND_LINE: &str = "cmdline";

/// The frontend that translates the Dockerfile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Choice {
    /// The image of `build-arg:BUILDKIT_SYNTAX`, else of the Dockerfile's `# syntax=`. Any version
    /// of Docker's own Dockerfile frontend is handled here.
    #[default]
    Auto,
    /// This frontend.
    Here,
    /// BuildKit's built-in frontend `dockerfile.v0`.
    BuiltIn,
    /// The frontend in this image.
    Image(String),
}

impl std::str::FromStr for Choice {
    type Err = std::convert::Infallible;

    /// Parses `auto`, `local`, `dockerfile.v0`, or the name of an image.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "auto" => Self::Auto,
            "local" => Self::Here,
            BUILTIN => Self::BuiltIn,
            image => Self::Image(image.to_owned()),
        })
    }
}

/// A call to another frontend in the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Elsewhere {
    /// `gateway.v0` or `dockerfile.v0`.
    pub(super) frontend: &'static str,
    /// Its attributes in addition to the build's.
    pub(super) attributes: BTreeMap<String, String>,
    /// Its display name.
    pub(super) name: String,
    /// The Dockerfile line that requests it, if any.
    pub(super) span: Option<Span>,
}

/// Returns the frontend in the daemon to call; `None` if the Dockerfile is translated here.
pub(super) fn elsewhere(
    choice: &Choice,
    attributes: &BTreeMap<String, String>,
    text: &[u8],
) -> Option<Elsewhere> {
    match choice {
        Choice::Here => None,
        Choice::BuiltIn => Some(Elsewhere {
            frontend: BUILTIN,
            attributes: BTreeMap::new(),
            name: BUILTIN.to_owned(),
            span: None,
        }),
        Choice::Image(image) => Some(gateway(image, image, None)),
        Choice::Auto => asked_for(attributes, text),
    }
}

/// True if another frontend translates the Dockerfile.
pub(crate) fn is_elsewhere(
    choice: &Choice,
    attributes: &BTreeMap<String, String>,
    text: &[u8],
) -> bool {
    elsewhere(choice, attributes, text).is_some()
}

fn asked_for(attributes: &BTreeMap<String, String>, text: &[u8]) -> Option<Elsewhere> {
    if attributes.contains_key(COMMAND_LINE) {
        return None;
    }
    let (image, command_line, span) = match attributes.get(SYNTAX_ARGUMENT) {
        Some(argument) => {
            let image = argument.trim().split(' ').next().unwrap_or_default();
            (image.to_owned(), argument.clone(), None)
        }
        None => {
            let syntax = dockerfile::detect_syntax(text)?;
            (syntax.image, syntax.command_line, Some(syntax.span))
        }
    };
    (!is_dockerfile_frontend(&image)).then(|| gateway(&image, &command_line, span))
}

fn gateway(image: &str, command_line: &str, span: Option<Span>) -> Elsewhere {
    let attributes = [("source", image), (COMMAND_LINE, command_line)];
    Elsewhere {
        frontend: GATEWAY,
        attributes: attributes
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        name: image.to_owned(),
        span: span.filter(|span| span.first > 0),
    }
}

/// True for Docker's own Dockerfile frontend in any version, which is handled here.
fn is_dockerfile_frontend(image: &str) -> bool {
    Reference::parse(image).is_ok_and(|reference| {
        reference.domain() == "docker.io"
            && matches!(
                reference.path(),
                "docker/dockerfile" | "docker/dockerfile-upstream"
            )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(attributes: &[(&str, &str)], text: &str) -> Option<Elsewhere> {
        let attributes = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        elsewhere(&Choice::Auto, &attributes, text.as_bytes())
    }

    #[test]
    fn docker_s_own_frontend_is_translated_here_in_any_version() {
        for syntax in [
            "docker/dockerfile:1",
            "docker.io/docker/dockerfile:1.7-labs",
            "docker/dockerfile-upstream:master",
        ] {
            assert_eq!(auto(&[], &format!("# syntax={syntax}\nFROM x\n")), None);
        }
        assert_eq!(auto(&[], "FROM x\n"), None);
    }

    #[test]
    fn another_frontend_gets_its_command_line() {
        let other = auto(&[], "# syntax = example.com/mine:2 --flag\nFROM x\n").unwrap();
        assert_eq!(other.frontend, "gateway.v0");
        assert_eq!(other.attributes["source"], "example.com/mine:2");
        assert_eq!(other.attributes["cmdline"], "example.com/mine:2 --flag");
    }

    #[test]
    fn the_build_argument_wins_and_a_called_frontend_calls_no_other() {
        let text = "# syntax=example.com/mine\nFROM x\n";
        let own = [("build-arg:BUILDKIT_SYNTAX", "docker/dockerfile:1")];
        assert_eq!(auto(&own, text), None);
        assert_eq!(auto(&[("cmdline", "example.com/mine")], text), None);
        let other = [("build-arg:BUILDKIT_SYNTAX", "example.com/b x")];
        assert_eq!(auto(&other, text).unwrap().name, "example.com/b");
    }
}
