//! A graph as indented lines: stages, their steps, and the steps' inputs.

use std::collections::HashMap;

use unicode_width::UnicodeWidthStr as _;

use super::super::Definition;
use super::graph::{Step, short, steps};
use crate::text::{clip, one_line};

/// The number of shown digits of a digest.
const DIGEST: usize = 12;

pub(super) fn render(graphs: &[(String, &Definition)], width: usize) -> String {
    let mut text = String::new();
    for (title, definition) in graphs {
        if !text.is_empty() {
            text.push('\n');
        }
        let steps = steps(definition);
        let count = match steps.len() {
            0 => "empty: the result has no files".to_owned(),
            1 => "1 step".to_owned(),
            count => format!("{count} steps"),
        };
        text.push_str(&format!("{title}: {count}\n"));
        for step in steps.iter().filter(|step| step.stage.is_none()) {
            write(&mut text, step, &steps, width);
        }
        for (stage, members) in stages(&steps) {
            let title = if stage.is_empty() { "stage" } else { stage };
            text.push_str(&format!("  {}\n", cut(title, width - 2)));
            for step in members {
                write(&mut text, step, &steps, width);
            }
        }
        if let Some(head) = definition.head() {
            text.push_str(&format!("  result {}\n", short(head.as_str())));
        }
    }
    text
}

/// Returns the stages with their steps. A stage comes before those that read it.
fn stages(steps: &[Step]) -> Vec<(&str, Vec<&Step>)> {
    let mut stages: HashMap<&str, (usize, Vec<&Step>)> = HashMap::new();
    for (position, step) in steps.iter().enumerate() {
        if let Some(stage) = step.stage.as_deref() {
            let (last, members) = stages.entry(stage).or_default();
            *last = position;
            members.push(step);
        }
    }
    let mut sorted: Vec<_> = stages.into_iter().collect();
    sorted.sort_by_key(|(_, (last, _))| *last);
    sorted
        .into_iter()
        .map(|(stage, (_, members))| (stage, members))
        .collect()
}

/// Writes the step's line, and below it its inputs and its origin.
fn write(text: &mut String, step: &Step, steps: &[Step], width: usize) {
    let room = width - DIGEST - 2;
    let line = match &step.stage {
        Some(_) => format!("    {} {}", step.number, cut(&step.name, width)),
        None => format!("  {}", cut(&step.name, width)),
    };
    let line = cut(&line, room);
    let blanks = room - line.width() + 2;
    text.push_str(&format!("{line}{:blanks$}{}\n", "", step.digest));
    let indent = if step.stage.is_some() { 8 } else { 4 };
    let mut more = |title: &str, what: &str| {
        let line = format!("{:indent$}{title}{}", "", cut(what, width));
        text.push_str(&cut(&line, width));
        text.push('\n');
    };
    let reads = reads(step, steps, width);
    if !reads.is_empty() {
        more("reads ", &reads);
    }
    if !step.detail.is_empty() && step.detail != step.name {
        more("", &step.detail);
    }
}

/// Returns the step's inputs, cut off after a few lines.
fn reads(step: &Step, steps: &[Step], width: usize) -> String {
    let mut text = String::new();
    for (position, place) in &step.reads {
        if text.len() > 4 * width {
            break;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&label(&steps[*position], step, width));
        if !place.is_empty() {
            text.push_str(" at ");
            text.push_str(&cut(place, width));
        }
    }
    text
}

/// Returns the name of a step in the inputs of another one.
fn label(step: &Step, by: &Step, width: usize) -> String {
    match &step.stage {
        None => cut(&step.name, width),
        Some(stage) if by.stage.as_ref() == Some(stage) || stage.is_empty() => step.number.clone(),
        Some(stage) => format!("{} {}", cut(stage, width), step.number),
    }
}

/// Returns one line of at most `room` columns.
fn cut(text: &str, room: usize) -> String {
    // No character takes more bytes than this, so the rest of the text is not read.
    let mut end = text.len().min(8 * (room + 1));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let line = one_line(&text[..end]);
    if line.width() <= room && end == text.len() {
        return line.into_owned();
    }
    format!("{}…", clip(&line, room.saturating_sub(1)).0)
}
