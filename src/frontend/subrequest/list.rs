//! `frontend.outline` and `frontend.targets`: a Dockerfile's arguments and stages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::super::Source;
use super::{Answer, to_json};
use crate::dockerfile::Dockerfile;
use crate::translate::{Outline, OutlineItem};

const VERSION: &str = "1.0.0";

/// The fields in the reference's order, on all levels.
const OUTLINE: [&str; 14] = [
    "name",
    "required",
    "description",
    "value",
    "args",
    "secrets",
    "ssh",
    "cache",
    "sources",
    "location",
    "ranges",
    "start",
    "end",
    "line",
];
const TARGETS: [&str; 11] = [
    "targets",
    "sources",
    "name",
    "default",
    "description",
    "base",
    "platform",
    "location",
    "ranges",
    "start",
    "end",
];

/// Lists the arguments, secrets and SSH agents of a target.
pub(in super::super) fn outline(source: &Source, outline: &Outline) -> Answer {
    let mut text = String::new();
    if outline.name.is_some() || outline.description.is_some() {
        let name = outline.name.as_deref().unwrap_or("(default)");
        let described = outline.description.as_deref();
        let rows = described.map(|text| ["DESCRIPTION:", text].map(str::to_owned));
        text.push_str(&table(["TARGET:", name], rows, 1));
        text.push('\n');
    }
    if !outline.args.is_empty() {
        let rows = outline.args.iter().map(|arg| {
            let description = arg.description.clone().unwrap_or_default();
            [arg.name.clone(), arg.value.clone(), description]
        });
        text.push_str(&table(["BUILD ARG", "VALUE", "DESCRIPTION"], rows, 3));
        text.push('\n');
    }
    text.push_str(&items("SECRET", &outline.secrets));
    text.push_str(&items("SSH", &outline.ssh));
    let mut all = outline.to_json();
    all["sources"] = sources(source);
    answer(&ordered(&all, &OUTLINE), text)
}

fn items(title: &str, items: &[OutlineItem]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let rows = items.iter().map(|item| {
        let required = if item.required { "true" } else { "" };
        [item.name.clone(), required.to_owned()]
    });
    table([title, "REQUIRED"], rows, 3) + "\n"
}

/// Lists the stages.
pub(in super::super) fn targets(source: &Source, dockerfile: &Dockerfile) -> Answer {
    let rows = dockerfile.targets().map(|target| {
        let name = match (target.name, target.default) {
            (None, true) => "(default)".to_owned(),
            (Some(name), true) => format!("{name} (default)"),
            (name, false) => name.unwrap_or_default().to_owned(),
        };
        [name, target.description.unwrap_or_default().to_owned()]
    });
    let text = table(["TARGET", "DESCRIPTION"], rows, 1);
    let mut all = dockerfile.targets_json();
    all["sources"] = sources(source);
    answer(&ordered(&all, &TARGETS), text)
}

fn answer(all: &Ordered<'_>, text: String) -> Answer {
    Answer {
        json: to_json(all),
        text,
        version: VERSION.to_owned(),
        ..Answer::default()
    }
}

/// JSON whose objects have their fields in this order, then all others.
struct Ordered<'a> {
    value: &'a Value,
    order: &'a [&'static str],
}

fn ordered<'a>(value: &'a Value, order: &'a [&'static str]) -> Ordered<'a> {
    Ordered { value, order }
}

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let order = self.order;
        match self.value {
            Value::Array(items) => to.collect_seq(items.iter().map(|item| ordered(item, order))),
            Value::Object(fields) => {
                let known = order.iter().filter_map(|name| fields.get_key_value(*name));
                let is_other = |name: &String| !order.contains(&name.as_str());
                let others = fields.iter().filter(|(name, _)| is_other(name));
                let mut map = to.serialize_map(Some(fields.len()))?;
                for (name, value) in known.chain(others) {
                    map.serialize_entry(name, &ordered(value, order))?;
                }
                map.end()
            }
            plain => plain.serialize(to),
        }
    }
}

fn sources(source: &Source) -> Value {
    json!([BASE64.encode(source.text())])
}

/// Formats columns as wide as their widest cell, plus `gap`.
pub(super) fn table<const N: usize, R: Into<String> + Clone>(
    titles: [R; N],
    rows: impl IntoIterator<Item = [String; N]>,
    gap: usize,
) -> String {
    let mut lines = vec![titles.map(Into::into)];
    lines.extend(rows);
    let width = |column: usize| {
        let cells = lines.iter().map(|line: &[String; N]| line[column].width());
        cells.max().unwrap_or(0) + gap
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        for (column, cell) in line.iter().enumerate() {
            text.push_str(cell);
            if column + 1 < N {
                let blanks = widths[column].saturating_sub(cell.width());
                text.extend(std::iter::repeat_n(' ', blanks));
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_the_reference_s_order() {
        let value = json!({"sources": [], "args": [{"value": "1", "name": "A", "zz": 2}]});
        assert_eq!(
            serde_json::to_string(&ordered(&value, &OUTLINE)).unwrap(),
            r#"{"args":[{"name":"A","value":"1","zz":2}],"sources":[]}"#
        );
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "1"], ["longer", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(
            table(["NAME", "X"], rows, 2),
            "NAME    X\na       1\nlonger  \n"
        );
    }
}
