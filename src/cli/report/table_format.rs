//! `--format` of listings: `table`, `json`, or a Go template that is applied to each entry, as in
//! docker's commands.

use solvekit::template::{Json, Struct, Template, Value};
use solvekit::text::one_line;

use super::Failure;
use super::columns::align;
use super::template_words::Place;

/// The output format of a list.
#[derive(Debug)]
pub(crate) struct Format {
    template: Template,
    text: String,
    place: Place,
    /// Prints headers, and aligns the columns.
    pub(crate) is_table: bool,
    /// Line breaks in an entry's texts are escaped.
    in_lines: bool,
}

impl Format {
    /// Parses `json`; `table` for the columns of `default`; or a template, which `table ` before it
    /// turns into a table. `\t` and `\n` are escapes.
    pub(crate) fn parse(text: &str, default: &str) -> Result<Self, Failure> {
        let (is_table, text) = match text.strip_prefix("table") {
            Some("") => (true, default),
            Some(rest) if rest.starts_with(' ') => (true, rest.trim_start()),
            _ if text == "json" => (false, "{{json .}}"),
            _ => (false, text),
        };
        let text = text.replace("\\t", "\t").replace("\\n", "\n");
        let place = Place::of_list("");
        let template = Template::parse(&text).map_err(|error| place.failure(&error, &text))?;
        Ok(Self {
            template,
            text,
            place,
            is_table,
            in_lines: is_table,
        })
    }

    /// Sets Go's name for the type of an entry in buildx.
    #[must_use]
    pub(crate) fn over(mut self, kind: &'static str) -> Self {
        self.place = Place::of_list(kind);
        self
    }

    /// A template of lines; line breaks in foreign texts are escaped.
    pub(crate) fn of_lines(text: &str) -> Result<Self, Failure> {
        let template = Template::parse(text).map_err(|error| Failure::from_error(&error))?;
        Ok(Self {
            template,
            text: text.to_owned(),
            place: Place::of_list(""),
            is_table: false,
            in_lines: true,
        })
    }

    /// Formats the entries in order; `heads` has the header of each field.
    pub(crate) fn print(
        &self,
        heads: Struct,
        entries: impl IntoIterator<Item = Struct>,
    ) -> Result<String, Failure> {
        let heads = self.is_table.then_some(heads);
        let mut text = String::new();
        for entry in heads.into_iter().chain(entries) {
            text.push_str(&self.entry(entry)?);
        }
        Ok(match self.is_table {
            true => align(&text, 10, 3),
            false => text,
        })
    }

    fn entry(&self, entry: Struct) -> Result<String, Failure> {
        let entry = match self.in_lines {
            true => in_one_line(&entry),
            false => entry,
        };
        let text = self.template.render(&Value::from(entry), Json::Compact);
        let text = text.map_err(|error| self.place.failure(&error, &self.text))?;
        Ok(format!("{text}\n"))
    }
}

/// An entry whose JSON differs from its fields, as in buildx: `{{json .}}` prints the same as
/// `--format json`.
pub(crate) fn with_json(entry: &Struct, object: &serde_json::Value) -> Struct {
    let fields = entry.fields().iter();
    let hidden = fields.fold(Struct::new(), |all, field| {
        all.hidden(&field.name, field.value.clone())
    });
    let keys = object.as_object().into_iter().flatten();
    keys.fold(hidden, |all, (key, value)| {
        // Templates cannot refer to a name with a dot.
        all.field(&format!(".{key}"), key, Value::from(value.clone()))
    })
}

fn in_one_line(entry: &Struct) -> Struct {
    let fields = entry.fields().iter();
    fields.fold(Struct::new(), |all, field| {
        let value = match &field.value {
            Value::String(text) => one_line(text).into_owned().into(),
            value => value.clone(),
        };
        all.field(&field.name, &field.name, value)
    })
}

/// The headers of a table, by field.
pub(crate) fn heads<const N: usize>(fields: [(&str, &str); N]) -> Struct {
    let fields = fields.into_iter();
    fields.fold(Struct::new(), |all, (name, head)| {
        all.field(name, name, head)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = "{{.Name}}\\t{{.Status}}";

    fn printed(format: &str) -> Result<String, Failure> {
        let entry = |name: &str| {
            let entry = Struct::new().field("Name", "Name", name);
            entry.field("Status", "Status", "running")
        };
        let heads = heads([("Name", "NAME/NODE"), ("Status", "STATUS")]);
        Format::parse(format, DEFAULT)?.print(heads, [entry("one"), entry("two")])
    }

    #[test]
    fn templates_make_lines_and_tables() {
        let table = "NAME/NODE   STATUS\none         running\ntwo         running\n";
        for (format, text) in [
            ("{{.Name}}:{{.Status}}", "one:running\ntwo:running\n"),
            ("table {{.Name}}\\t{{.Status}}", table),
            ("table", table),
            (
                "json",
                concat!(
                    "{\"Name\":\"one\",\"Status\":\"running\"}\n",
                    "{\"Name\":\"two\",\"Status\":\"running\"}\n",
                ),
            ),
        ] {
            assert_eq!(printed(format).unwrap(), text, "{format}");
        }
    }

    #[test]
    fn the_json_of_an_entry_can_be_another_object() {
        let entry = Struct::new().field("Name", "Name", "node");
        let entry = with_json(&entry, &serde_json::json!({"Name": "builder", "Nodes": []}));
        let print = |format: &str| {
            let format = Format::parse(format, "").unwrap();
            format.print(Struct::new(), [entry.clone()]).unwrap()
        };
        assert_eq!(print("{{.Name}}"), "node\n");
        assert_eq!(
            print("{{json . }}"),
            "{\"Name\":\"builder\",\"Nodes\":[]}\n"
        );
    }

    #[test]
    fn texts_do_not_break_the_lines_of_a_table() {
        let entry = || Struct::new().field("Name", "Name", "a\nb\u{1b}[2J");
        let print = |format: Format| format.print(heads([("Name", "NAME")]), [entry()]);
        let table = print(Format::parse("table {{.Name}}", "").unwrap()).unwrap();
        assert_eq!(table.lines().count(), 2, "{table}");
        let lines = print(Format::of_lines("> {{.Name}}").unwrap()).unwrap();
        assert_eq!(lines.lines().count(), 1, "{lines}");
        assert!(!lines.contains('\u{1b}'), "{lines}");
    }

    #[test]
    fn unknown_fields_are_reported() {
        let error = printed("{{.Nme}}").unwrap_err().into_message();
        assert!(error.contains("Nme"), "{error}");
        assert!(Format::parse("{{.Name", DEFAULT).is_err());
    }
}
