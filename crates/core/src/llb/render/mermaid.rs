//! A graph for Mermaid.

use super::super::Definition;
use super::graph::{Step, steps};
use crate::text::is_unprintable;

pub(super) fn render(graphs: &[(String, &Definition)]) -> String {
    let mut text = String::from("flowchart TD\n");
    for (number, (title, definition)) in graphs.iter().enumerate() {
        text.push_str(&format!("  subgraph g{number}[\"{}\"]\n", escaped(title)));
        for (position, step) in steps(definition).iter().enumerate() {
            text.push_str(&format!(
                "    g{number}n{position}[\"{}<br>{}\"]\n",
                escaped(&label(step)),
                step.digest
            ));
            for (input, place) in &step.reads {
                let place = match place.as_str() {
                    "" => String::new(),
                    place => format!("|\"{}\"|", escaped(place)),
                };
                text.push_str(&format!(
                    "    g{number}n{input} -->{place} g{number}n{position}\n"
                ));
            }
        }
        text.push_str("  end\n");
    }
    text
}

fn label(step: &Step) -> String {
    let mut label = match &step.stage {
        Some(stage) if !stage.is_empty() => format!("{stage} {} ", step.number),
        Some(_) => format!("{} ", step.number),
        None => String::new(),
    };
    let mut name = step.name.chars();
    label.extend(name.by_ref().take(60));
    if name.next().is_some() {
        label.push('…');
    }
    label
}

/// Escapes special characters of a quoted text as entities.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '"' | '<' | '>' | '&' | '#' | '`' | '\\' => {
                escaped.push_str(&format!("#{};", u32::from(character)));
            }
            character if is_unprintable(character) => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}
