//! Mistakes in values of flags in buildx's wording. What buildx parses before it starts a build has
//! no `failed to build: ` in front.

use solvekit::imagetools::AnnotationProblem;
use solvekit::oci;
use solvekit::pipeline::{CacheDirection, CsvError, Error, Ulimit, UlimitError, ValueError};

use super::Failure;

/// A message of buildx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    text: String,
    /// True if nothing is in front.
    is_alone: bool,
}

impl Words {
    fn alone(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_alone: true,
        }
    }

    fn of_build(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_alone: false,
        }
    }
}

impl Failure {
    /// Sets buildx's message, if it has one.
    #[must_use]
    pub(crate) fn in_words(self, words: Option<Words>) -> Self {
        match words {
            Some(words) => self
                .in_buildx(Some(words.text))
                .alone_in_buildx(words.is_alone),
            None => self,
        }
    }
}

/// buildx's message for a value of a build, if it has a well-known one.
pub(crate) fn of_value(error: &Error) -> Option<Words> {
    match error {
        Error::Output { input, source } => of_output(input, source),
        Error::Cache {
            direction,
            input,
            source,
        } => of_cache(*direction, input, source),
        Error::Attestation { source, .. } => of_attestation(source),
        Error::Annotation { input, source } => of_annotation(input, source),
        Error::Entitlement { input, .. } => {
            Some(Words::of_build(format!("unknown entitlement {input}")))
        }
        Error::Resource { input, source } => of_resource(input, source),
        _ => None,
    }
}

fn of_output(input: &str, source: &ValueError) -> Option<Words> {
    Some(match source {
        ValueError::Unknown { name, .. } => Words::of_build(format!(
            "failed to solve: exporter {name:?} could not be found"
        )),
        ValueError::Missing { key: "dest", .. } => {
            let kind = input
                .split(',')
                .find_map(|field| field.strip_prefix("type="));
            Words::of_build(format!("dest is required for {} exporter", kind?))
        }
        ValueError::NeitherNor { key, value, .. } if key == "mode" => {
            Words::of_build(format!("invalid local exporter mode {value:?}"))
        }
        ValueError::NeitherNor { key, value, .. } => Words::of_build(format!(
            "failed to solve: non-bool value specified for {key}: {}",
            no_bool(value)
        )),
        ValueError::NotToStandardOutput { .. } if !input.contains("tar=") => {
            Words::of_build("dest cannot be stdout for local exporter")
        }
        other => return of_fields(input, other),
    })
}

fn of_cache(direction: CacheDirection, input: &str, source: &ValueError) -> Option<Words> {
    let side = match direction {
        CacheDirection::To => "exporter",
        CacheDirection::From => "importer",
    };
    Some(match source {
        ValueError::Unknown { name, .. } => {
            Words::of_build(format!("failed to solve: unknown cache {side}: {name:?}"))
        }
        ValueError::Missing { key: "type", .. } => {
            Words::alone(format!("type required for {input:?}"))
        }
        ValueError::Missing { key, .. } => {
            let kind = input
                .split(',')
                .find_map(|field| field.strip_prefix("type="));
            match (kind?, *key) {
                (kind @ ("local" | "registry"), "dest" | "src" | "ref") => {
                    Words::of_build(format!("{kind} cache {side} requires {key}"))
                }
                _ => return None,
            }
        }
        other => return of_fields(input, other),
    })
}

fn of_attestation(source: &ValueError) -> Option<Words> {
    Some(match source {
        ValueError::Missing { key: "type", .. } => Words::alone("attestation type not specified"),
        ValueError::Unknown {
            what: "type", name, ..
        } => Words::of_build(format!(
            "failed to solve: unknown attestation type {name:?}"
        )),
        ValueError::NeitherNor { key, value, .. } if key == "version" => Words::of_build(format!(
            "failed to solve: invalid provenance SLSA version: {value}"
        )),
        ValueError::NeitherNor { key, value, .. } if key == "mode" => {
            Words::of_build(format!("failed to solve: invalid mode {value:?}"))
        }
        ValueError::NeitherNor { key, value, .. } if key == "disabled" => {
            Words::alone(format!("invalid value {key}={value}: {}", no_bool(value)))
        }
        ValueError::NeitherNor { key, value, .. } => Words::of_build(format!(
            "failed to solve: failed to parse {key} flag {value:?}: {}",
            no_bool(value)
        )),
        ValueError::EmptyValue {
            key: "generator", ..
        } => Words::of_build("failed to solve: sbom generator cannot be empty"),
        other => return of_fields("", other),
    })
}

/// Go's reason why a text is not a boolean.
fn no_bool(value: &str) -> String {
    format!("strconv.ParseBool: parsing {value:?}: invalid syntax")
}

fn of_resource(input: &str, source: &ValueError) -> Option<Words> {
    let ValueError::Form { field, .. } = source else {
        return None;
    };
    Some(Words::of_build(match input.split_once('=') {
        Some((name @ ("memory" | "memory-swap"), value)) => {
            format!("invalid value {value:?} for resource {name}: invalid size: '{field}'")
        }
        Some((name, value)) => format!(
            "invalid value {value:?} for resource {name}: strconv.ParseInt: parsing {value:?}: \
             invalid syntax"
        ),
        None => format!("invalid resource {input:?}, expected key=value"),
    }))
}

fn of_annotation(input: &str, source: &ValueError) -> Option<Words> {
    let reason = match source {
        ValueError::Form { .. } if !input.contains('=') => {
            format!("invalid annotation {input:?}, expected key=value")
        }
        ValueError::Unknown { name, .. } => format!("unknown annotation type {name:?}"),
        ValueError::Platform { text, source } => {
            format!("invalid platform {text:?}: {}", of_platform(source)?)
        }
        _ => return None,
    };
    Some(Words::of_build(format!("parse annotations: {reason}")))
}

/// Mistakes in the form of `key=value,key=value`.
fn of_fields(input: &str, source: &ValueError) -> Option<Words> {
    Some(match source {
        ValueError::Form { field, .. } => Words::alone(format!("invalid value {field}")),
        ValueError::Csv(CsvError::QuoteInside) => {
            let column = input.find('"')? + 1;
            Words::alone(format!(
                "parse error on line 1, column {column}: bare \" in non-quoted-field"
            ))
        }
        _ => return None,
    })
}

/// The message for a text that is not a platform.
pub(crate) fn of_platform(error: &oci::Error) -> Option<String> {
    let oci::Error::Platform { input, reason } = error else {
        return None;
    };
    Some(match reason {
        oci::PlatformReason::TooManyParts => {
            format!("{input:?}: cannot parse platform specifier: invalid argument")
        }
        oci::PlatformReason::Unknown => {
            format!("{input:?}: unknown operating system or architecture: invalid argument")
        }
        oci::PlatformReason::Part { part } => format!(
            "{part:?} is an invalid component of {input:?}: platform specifier component must \
             match \"^[A-Za-z0-9_.-]+$\": invalid argument"
        ),
        _ => return None,
    })
}

/// The reason why the command line's parser refuses a value of this flag.
pub(crate) fn of_flag(flag: &str, value: &str) -> Option<String> {
    Some(match flag {
        "--ulimit" => of_ulimit(&Ulimit::parse(value).err()?)?,
        "--shm-size" | "--keep-storage" | "--reserved-space" | "--max-used-space"
        | "--min-free-space" => format!("invalid size: '{value}'"),
        "--timeout" => format!("time: invalid duration {value:?}"),
        _ => return None,
    })
}

fn of_ulimit(error: &UlimitError) -> Option<String> {
    Some(match error {
        UlimitError::Form(text) => format!("invalid ulimit argument: {text}"),
        UlimitError::Name { name } => format!("invalid ulimit type: {name}"),
        UlimitError::Number(text) => {
            format!("strconv.ParseInt: parsing {text:?}: invalid syntax")
        }
        UlimitError::SoftAboveHard { soft, hard } => {
            format!("ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}")
        }
        _ => return None,
    })
}
/// buildx's message for an annotation that `imagetools create` cannot make.
pub(crate) fn of_created_annotation(input: &str, problem: &AnnotationProblem) -> Option<String> {
    let place = input.split_once(':').map_or("", |(place, _)| place);
    Some(match problem {
        AnnotationProblem::NoValue => {
            format!("failed to parse annotations: invalid annotation {input:?}, expected key=value")
        }
        AnnotationProblem::UnknownPlace => {
            format!("failed to parse annotations: unknown annotation type {place:?}")
        }
        AnnotationProblem::Unchangeable if place == "index-descriptor" => {
            format!("{place:?} annotations are invalid while creating an image")
        }
        AnnotationProblem::Unchangeable => format!("{place:?} annotations are not supported yet"),
        AnnotationProblem::NoPlace => "\"\" annotations are not supported yet".to_owned(),
        _ => return None,
    })
}
