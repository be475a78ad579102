//! Mistakes in templates in the wording of Go's templates, for scripts that look for it when this
//! program is called as buildx.

use solvekit::template::{Error, SyntaxProblem};

use super::Failure;

/// A template of a command.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The name that buildx gives to the template.
    name: &'static str,
    /// The texts before a mistake in its form, and before one in its fields.
    prefixes: [&'static str; 2],
    /// Go's name of the value's type.
    kind: &'static str,
}

impl Place {
    /// A template that is applied to each entry of a list.
    pub(crate) fn of_list(kind: &'static str) -> Self {
        Self {
            name: "",
            prefixes: ["template parsing error: "; 2],
            kind,
        }
    }

    /// The template of `imagetools inspect`.
    pub(crate) fn of_image(is_index: bool) -> Self {
        Self {
            name: "",
            prefixes: [""; 2],
            kind: match is_index {
                true => "imagetools.tplInputs",
                false => "imagetools.tplInput",
            },
        }
    }

    /// The template of `history inspect`.
    pub(crate) fn of_build() -> Self {
        Self {
            name: "inspect",
            prefixes: [
                "failed to parse format template: ",
                "failed to execute format template: ",
            ],
            kind: "history.inspectOutput",
        }
    }

    /// The failure of a template.
    pub(crate) fn failure(&self, error: &Error, text: &str) -> Failure {
        Failure::from_error(error).in_buildx(self.words(error, text))
    }

    fn words(&self, error: &Error, text: &str) -> Option<String> {
        let [before_form, before_field] = self.prefixes;
        let name = self.name;
        let reason = match error {
            Error::Syntax { reason, .. } => match reason {
                SyntaxProblem::Unclosed => "unclosed action".to_owned(),
                SyntaxProblem::UnclosedString => "unterminated quoted string".to_owned(),
                SyntaxProblem::UnclosedParenthesis => "unclosed left paren".to_owned(),
                SyntaxProblem::Empty => "missing value for command".to_owned(),
                SyntaxProblem::NoEnd => "unexpected EOF".to_owned(),
                SyntaxProblem::NothingOpen => "unexpected {{end}}".to_owned(),
                _ => return None,
            },
            Error::UnknownFunction { name, .. } => format!("function {name:?} not defined"),
            Error::UnknownField { name: field, .. } => {
                let (column, chain) = place(text, field)?;
                // The type's name is known for the value itself only.
                let kind = match chain.rsplit_once('.') {
                    Some(("", _)) => format!("type {}", self.kind),
                    _ => "the value before it".to_owned(),
                };
                return Some(format!(
                    "{before_field}template: {name}:1:{column}: executing {name:?} at <{chain}>: \
                     can't evaluate field {field} in {kind}"
                ));
            }
            _ => return None,
        };
        Some(format!("{before_form}template: {name}:1: {reason}"))
    }
}

/// The column of a field's dot, from 0, and the chain of fields that it ends.
fn place<'a>(text: &'a str, field: &str) -> Option<(usize, &'a str)> {
    let is_part = |c: char| c == '.' || c == '_' || c.is_alphanumeric();
    let dotted = format!(".{field}");
    let found = text.match_indices(&dotted).find(|(at, _)| {
        let after = text[at + dotted.len()..].chars().next();
        after.is_none_or(|c| c == '.' || !is_part(c))
    });
    let (at, _) = found?;
    let start = text[..at]
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_part(*c))
        .last()
        .map_or(at, |(start, _)| start);
    Some((at, &text[start..at + dotted.len()]))
}

#[cfg(test)]
mod tests {
    use solvekit::template::{Json, Struct, Template, Value};

    use super::*;

    fn words(place: &Place, text: &str) -> Option<String> {
        let config = Struct::new().field("Network", "Network", "host");
        let value = Struct::new()
            .field("Name", "Name", "a")
            .field("Config", "Config", config);
        let error = match Template::parse(text) {
            Ok(template) => template
                .render(&Value::from(value), Json::Compact)
                .unwrap_err(),
            Err(error) => error,
        };
        place.words(&error, text)
    }

    #[test]
    fn mistakes_have_go_s_words_and_columns() {
        let list = Place::of_list("*commands.lsContext");
        for (text, expected) in [
            ("{{", "unclosed action"),
            ("{{}}", "missing value for command"),
            ("{{nope .Name}}", "function \"nope\" not defined"),
            ("{{if .Name}}x", "unexpected EOF"),
            ("{{end}}", "unexpected {{end}}"),
            ("{{(.Name}}", "unclosed left paren"),
        ] {
            let expected = format!("template parsing error: template: :1: {expected}");
            assert_eq!(words(&list, text), Some(expected), "{text}");
        }
        assert_eq!(
            words(&list, "{{json .Nope}}").unwrap(),
            "template parsing error: template: :1:7: executing \"\" at <.Nope>: can't evaluate \
             field Nope in type *commands.lsContext"
        );
        assert_eq!(
            words(&Place::of_image(true), "{{.Namely}}{{.Name}}").unwrap(),
            "template: :1:2: executing \"\" at <.Namely>: can't evaluate field Namely in type \
             imagetools.tplInputs"
        );
        let inspect = words(&Place::of_build(), "{{.Name}} {{.Config.Nope}}").unwrap();
        assert!(
            inspect.starts_with(
                "failed to execute format template: template: inspect:1:19: executing \
                 \"inspect\" at <.Config.Nope>: can't evaluate field Nope in "
            ),
            "{inspect}"
        );
    }
}
