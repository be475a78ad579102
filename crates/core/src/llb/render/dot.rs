//! A graph for Graphviz.

use super::super::Definition;
use super::graph::{Step, steps};
use crate::text::is_unprintable;

pub(super) fn render(graphs: &[(String, &Definition)]) -> String {
    let mut text = String::from(
        "digraph llb {\n  rankdir=BT;\n  node [shape=box, fontname=\"monospace\"];\n  edge \
        [dir=back, fontname=\"monospace\"];\n",
    );
    for (number, (title, definition)) in graphs.iter().enumerate() {
        text.push_str(&format!(
            "  subgraph cluster_{number} {{\n    label={};\n",
            quoted(title)
        ));
        for (position, step) in steps(definition).iter().enumerate() {
            let shape = if step.reads.is_empty() {
                ", style=filled, fillcolor=lightgrey"
            } else {
                ""
            };
            let label = quoted(&label(step));
            text.push_str(&format!(
                "    g{number}n{position} [label={label}{shape}];\n"
            ));
            for (input, place) in &step.reads {
                let place = match place.as_str() {
                    "" => String::new(),
                    place => format!(" [label={}]", quoted(place)),
                };
                text.push_str(&format!(
                    "    g{number}n{position} -> g{number}n{input}{place};\n"
                ));
            }
        }
        text.push_str("  }\n");
    }
    text + "}\n"
}

fn label(step: &Step) -> String {
    let place = match &step.stage {
        Some(stage) if !stage.is_empty() => format!("{stage} {} ", step.number),
        Some(_) => format!("{} ", step.number),
        None => String::new(),
    };
    let mut name: String = step.name.chars().take(60).collect();
    if name.len() < step.name.len() {
        name.push('…');
    }
    format!("{place}{name}\n{}", step.digest)
}

/// Returns a DOT string: quotes and backslashes escaped, a line break as `\n`.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            character if is_unprintable(character) => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
