//! `solvekit ls --format TEMPLATE`: a line for each builder and each of its nodes, with buildx's fields.

use solvekit::template::{Json, Struct, Template, Value};

use super::Failure;
use super::columns::align;

/// The fields and their heads in a table.
const FIELDS: [(&str, &str); 7] = [
    ("Name", "NAME/NODE"),
    ("DriverEndpoint", "DRIVER/ENDPOINT"),
    ("LastActivity", "LAST ACTIVITY"),
    ("Status", "STATUS"),
    ("Buildkit", "BUILDKIT"),
    ("Platforms", "PLATFORMS"),
    ("Error", "ERROR"),
];

/// What a line is made of: the values of the fields above, in their order.
pub(super) type Line = [String; 7];

/// How lines are printed.
pub(super) struct Format {
    template: Template,
    /// With heads, in columns; nodes are indented.
    pub(super) is_table: bool,
}

impl Format {
    /// `table`, or a template, `table ` before which makes a table of it; `\t` and `\n` stand for what they are.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        const DEFAULT: &str =
            "{{.Name}}\t{{.DriverEndpoint}}\t{{.Status}}\t{{.Buildkit}}\t{{.Platforms}}";
        let (is_table, text) = match text.strip_prefix("table") {
            Some("") => (true, DEFAULT),
            Some(rest) if rest.starts_with(' ') => (true, rest.trim_start()),
            _ => (false, text),
        };
        let text = text.replace("\\t", "\t").replace("\\n", "\n");
        let template = Template::parse(&text).map_err(|error| Failure::from_error(&error))?;
        Ok(Self { template, is_table })
    }

    pub(super) fn print(&self, lines: &[Line]) -> Result<String, Failure> {
        let mut text = String::new();
        if self.is_table {
            let heads = FIELDS.map(|(_, head)| head.to_owned());
            text.push_str(&self.line(&heads)?);
        }
        for line in lines {
            text.push_str(&self.line(line)?);
        }
        Ok(match self.is_table {
            true => align(&text, 10, 3),
            false => text,
        })
    }

    fn line(&self, line: &Line) -> Result<String, Failure> {
        let fields = FIELDS.iter().zip(line);
        let value = fields.fold(Struct::new(), |fields, ((name, _), value)| {
            fields.field(name, name, value.as_str())
        });
        let text = self.template.render(&Value::from(value), Json::Compact);
        let text = text.map_err(|error| Failure::from_error(&error))?;
        Ok(format!("{text}\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: &str) -> String {
        let line = |name: &str| {
            let mut line = Line::default();
            line[0] = name.to_owned();
            line[3] = "running".to_owned();
            line
        };
        Format::parse(format)
            .unwrap()
            .print(&[line("one"), line("two")])
            .unwrap()
    }

    #[test]
    fn templates_make_lines_and_tables() {
        assert_eq!(
            printed("{{.Name}}:{{.Status}}"),
            "one:running\ntwo:running\n"
        );
        assert_eq!(
            printed("table {{.Name}}\\t{{.Status}}"),
            "NAME/NODE   STATUS\none         running\ntwo         running\n"
        );
        assert!(printed("table").starts_with("NAME/NODE   DRIVER/ENDPOINT   STATUS"));
    }

    #[test]
    fn unknown_fields_are_told() {
        let format = Format::parse("{{.Nme}}").unwrap();
        let told = format.print(&[Line::default()]).unwrap_err().into_message();
        assert!(told.contains("Nme"), "{told}");
        assert!(Format::parse("{{.Name").is_err());
    }
}
