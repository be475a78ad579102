//! The findings that need more than the text: values, the base image, the context. `translate`
//! reports them; their messages are here.

use super::super::error::nearest;
use super::super::span::Span;
use super::{Linter, Place, Rule, Wording};

impl Linter {
    /// ENV or LABEL without `=`. `keyword` is as in the file.
    pub fn legacy_key_value<'a>(&mut self, place: impl Into<Place<'a>>, keyword: &str) {
        self.report(Rule::LegacyKeyValueFormat, place, |words| {
            words.choose(
                || format!("write \"{keyword} key=value\" instead of \"{keyword} key value\""),
                || {
                    format!(
                        "\"{keyword} key=value\" should be used instead of legacy \"{keyword} \
                         key value\" format"
                    )
                },
            )
        });
    }

    /// A variable of ARG or ENV whose name suggests a secret.
    pub fn secret_in_variable<'a>(
        &mut self,
        place: impl Into<Place<'a>>,
        keyword: &str,
        name: &str,
    ) {
        if sounds_secret(name) {
            self.report(Rule::SecretsUsedInArgOrEnv, place, |words| {
                words.choose(
                    || format!("{keyword} {name:?} ends up in the image; mount it as a secret"),
                    || {
                        format!(
                            "Do not use ARG or ENV instructions for sensitive data ({keyword} \
                             {name:?})"
                        )
                    },
                )
            });
        }
    }

    /// A name of ARG that contains a variable, quotes or `escape`, but is not expanded.
    pub fn unexpanded_arg_name<'a>(
        &mut self,
        place: impl Into<Place<'a>>,
        name: &str,
        escape: char,
    ) {
        if name.contains(['$', '"', '\'', escape]) {
            self.report(Rule::UnexpandedArgName, place, |_| {
                format!("ARG takes the name {name:?} as it is: names of ARG are not expanded")
            });
        }
    }

    /// CMD or ENTRYPOINT in shell form, with no SHELL set.
    pub fn json_args_recommended<'a>(&mut self, place: impl Into<Place<'a>>, keyword: &str) {
        self.report(Rule::JSONArgsRecommended, place, |words| {
            words.choose(
                || {
                    format!(
                        "{keyword} runs in a shell, which keeps signals from it; use a JSON array"
                    )
                },
                || {
                    format!(
                        "JSON arguments recommended for {keyword} to prevent unintended behavior \
                         related to OS signals"
                    )
                },
            )
        });
    }

    /// CMD, ENTRYPOINT or HEALTHCHECK a second time in a stage. The finding is about `previous`,
    /// which has no effect; the comments of the second one, `place`, can disable the rule.
    pub fn multiple_instructions<'a>(
        &mut self,
        place: impl Into<Place<'a>>,
        previous: Span,
        keyword: &str,
    ) {
        let place = place.into().at(previous);
        self.report(Rule::MultipleInstructionsDisallowed, place, |words| {
            words.choose(
                || format!("a later {keyword} in the same stage takes the place of this one"),
                || {
                    format!(
                        "Multiple {keyword} instructions should not be used in the same stage \
                         because only the last one will be used"
                    )
                },
            )
        });
    }

    /// A variable without a definition.
    pub fn undefined_variable<'a, 'n>(
        &mut self,
        place: impl Into<Place<'a>>,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        self.report(Rule::UndefinedVar, place, |words| {
            let near = nearest(name, known);
            match words {
                Wording::Own => format!("${name} is not defined{}", own_suggestion("$", near)),
                Wording::BuildKit => {
                    format!(
                        "Usage of undefined variable '${name}'{}",
                        suggestion("$", near)
                    )
                }
            }
        });
    }

    /// An argument that no ARG before FROM declares.
    pub fn undefined_argument_in_from<'a, 'n>(
        &mut self,
        place: impl Into<Place<'a>>,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        self.report(Rule::UndefinedArgInFrom, place, |words| {
            let near = nearest(name, known);
            match words {
                Wording::Own => format!(
                    "no ARG before the first FROM declares {name}{}",
                    own_suggestion("", near)
                ),
                Wording::BuildKit => {
                    format!(
                        "FROM argument '{name}' is not declared{}",
                        suggestion("", near)
                    )
                }
            }
        });
    }

    /// The first WORKDIR of a stage is relative.
    pub fn relative_workdir<'a>(&mut self, place: impl Into<Place<'a>>, path: &str) {
        self.report(Rule::WorkdirRelativePath, place, |words| {
            words.choose(
                || format!("where {path:?} is depends on the base image"),
                || {
                    format!(
                        "Relative workdir {path:?} can have unexpected results if the base image \
                         changes"
                    )
                },
            )
        });
    }

    /// `FROM --platform=$TARGETPLATFORM`.
    pub fn redundant_target_platform<'a>(&mut self, place: impl Into<Place<'a>>, written: &str) {
        self.report(Rule::RedundantTargetPlatform, place, |words| {
            words.choose(
                || format!("--platform={written} is the default"),
                || {
                    format!(
                        "Setting platform to predefined {written} in FROM is redundant as this \
                         is the default behavior"
                    )
                },
            )
        });
    }

    /// `FROM --platform=linux/amd64`.
    pub fn constant_platform<'a>(&mut self, place: impl Into<Place<'a>>, platform: &str) {
        self.report(Rule::FromPlatformFlagConstDisallowed, place, |words| {
            words.choose(
                || format!("--platform is the constant {platform:?}"),
                || format!("FROM --platform flag should not use constant value {platform:?}"),
            )
        });
    }

    /// The base is not an image reference with the default values of the global arguments. `base`
    /// is as in the file.
    pub fn invalid_default_argument<'a>(&mut self, place: impl Into<Place<'a>>, base: &str) {
        self.report(Rule::InvalidDefaultArgInFrom, place, |words| {
            words.choose(
                || format!("without build arguments {base:?} names no image"),
                || {
                    format!(
                        "Default value for ARG {base} results in empty or invalid base image name"
                    )
                },
            )
        });
    }

    /// The base image is of another platform than the stage.
    pub fn base_image_platform<'a>(
        &mut self,
        place: impl Into<Place<'a>>,
        image: &str,
        expected: &str,
        actual: &str,
    ) {
        self.report(Rule::InvalidBaseImagePlatform, place, |words| {
            words.choose(
                || format!("the base image {image} is of {actual}, not of {expected}"),
                || {
                    format!(
                        "Base image {image} was pulled with platform {actual:?}, expected \
                         {expected:?} for current build"
                    )
                },
            )
        });
    }

    /// COPY or ADD of a path that `.dockerignore` excludes.
    pub fn ignored_file<'a>(&mut self, place: impl Into<Place<'a>>, keyword: &str, path: &str) {
        self.report(Rule::CopyIgnoredFile, place, |words| {
            words.choose(
                || format!("{keyword} takes {path:?}, which .dockerignore excludes"),
                || {
                    let keyword = match keyword.eq_ignore_ascii_case("add") {
                        true => "Add",
                        false => "Copy",
                    };
                    format!(
                        "Attempting to {keyword} file {path:?} that is excluded by .dockerignore"
                    )
                },
            )
        });
    }

    /// `--exclude` of COPY or ADD with a pattern for a name that a wildcard among the sources
    /// matches itself.
    pub fn excluded_match<'a>(
        &mut self,
        place: impl Into<Place<'a>>,
        keyword: &str,
        pattern: &str,
        source: &str,
    ) {
        self.report(Rule::CopyExcludedMatch, place, |_| {
            format!(
                "{keyword} copies {pattern:?} in spite of --exclude where {source:?} matches it"
            )
        });
    }

    /// EXPOSE with a protocol that is not in lower case.
    pub fn expose_protocol_case<'a>(&mut self, place: impl Into<Place<'a>>, port: &str) {
        self.report(Rule::ExposeProtoCasing, place, |words| {
            words.choose(
                || format!("the protocol of {port:?} is not in lower case"),
                || format!("Defined protocol '{port}' in EXPOSE instruction should be lowercase"),
            )
        });
    }

    /// EXPOSE with an address or a host port.
    pub fn expose_format<'a>(&mut self, place: impl Into<Place<'a>>, port: &str) {
        self.report(Rule::ExposeInvalidFormat, place, |words| {
            words.choose(
                || format!("{port:?} has an address or a host port, which EXPOSE ignores"),
                || {
                    format!(
                        "EXPOSE instruction should not define an IP address or host-port \
                         mapping, found '{port}'"
                    )
                },
            )
        });
    }
}

fn own_suggestion(sign: &str, near: Option<&str>) -> String {
    near.map(|known| format!("; did you mean {sign}{known}?"))
        .unwrap_or_default()
}

fn suggestion(sign: &str, near: Option<&str>) -> String {
    near.map(|known| format!(" (did you mean {sign}{known}?)"))
        .unwrap_or_default()
}

const SECRET_WORDS: [&str; 10] = [
    "apikey",
    "auth",
    "credential",
    "credentials",
    "key",
    "password",
    "pword",
    "passwd",
    "secret",
    "token",
];
const HARMLESS_WORDS: [&str; 3] = ["public", "file", "version"];

/// True if one of the name's parts between underscores is a word for secrets, and none suggests
/// something else.
pub(super) fn sounds_secret(name: &str) -> bool {
    let has = |words: &[&str]| {
        name.split('_')
            .any(|part| words.iter().any(|word| part.eq_ignore_ascii_case(word)))
    };
    has(&SECRET_WORDS) && !has(&HARMLESS_WORDS)
}
