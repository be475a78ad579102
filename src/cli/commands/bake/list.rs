//! `--list`: the kind of things to list, and the format.

use solvekit::bake::{Evaluation, print};
use solvekit::pipeline::csv_fields;

use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_json, print_text};
use crate::cli::report::usage::BakeUsage;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Targets,
    Variables,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Table,
    Json,
}

/// The parsed value of `--list`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listing {
    kind: Kind,
    form: Form,
}

impl Listing {
    /// Parses `targets`, `variables` or `type=KIND,format=FORM`.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let invalid = |reason: String| {
            Failure::from(BakeUsage::List {
                text: text.to_owned(),
                reason,
            })
        };
        let fields = csv_fields(text).map_err(|error| invalid(error.to_string()))?;
        let (mut kind, mut form) = (String::new(), String::new());
        if fields.len() == 1 && fields[0] == text && !text.starts_with("type=") {
            text.clone_into(&mut kind);
        } else {
            for field in fields {
                let Some((key, value)) = field.split_once('=') else {
                    return Err(invalid(format!("{field:?} is not key=value")));
                };
                match key.to_lowercase().trim() {
                    "type" => value.clone_into(&mut kind),
                    "format" => value.clone_into(&mut form),
                    other => return Err(invalid(format!("there is no key {other:?}"))),
                }
            }
        }
        let kind = match kind.as_str() {
            "targets" => Kind::Targets,
            "variables" => Kind::Variables,
            other => {
                return Err(invalid(format!(
                    "{other:?} is neither targets nor variables"
                )));
            }
        };
        let form = match form.as_str() {
            "" | "table" => Form::Table,
            "json" => Form::Json,
            other => return Err(invalid(format!("{other:?} is neither table nor json"))),
        };
        Ok(Self { kind, form })
    }

    pub(super) fn print(self, evaluation: &Evaluation) -> Result<(), Failure> {
        let definition = &evaluation.definition;
        let variables = evaluation.variables();
        let variables = variables.as_deref();
        match (self.kind, self.form) {
            (Kind::Targets, Form::Table) => print_text(&print::targets_table(definition)),
            (Kind::Targets, Form::Json) => print_json(&print::targets_json(definition)),
            (Kind::Variables, Form::Table) => {
                print_text(&print::variables_table(variables.unwrap_or_default()))
            }
            (Kind::Variables, Form::Json) => print_json(&print::variables_json(variables)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let table = Listing {
            kind: Kind::Targets,
            form: Form::Table,
        };
        assert_eq!(Listing::parse("targets").unwrap(), table);
        let json = Listing {
            kind: Kind::Variables,
            form: Form::Json,
        };
        assert_eq!(Listing::parse("TYPE=variables,format=json").unwrap(), json);
        for text in [
            "bogus",
            "format=json",
            "type=x",
            "type=targets,format=xml",
            "type=targets,x=1",
        ] {
            assert!(Listing::parse(text).is_err(), "{text}");
        }
    }
}
