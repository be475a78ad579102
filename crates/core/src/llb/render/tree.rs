//! A graph as indented lines: stages, their steps, what each reads.

use std::collections::HashMap;

use unicode_width::UnicodeWidthStr as _;

use super::super::Definition;
use super::graph::{Step, short, steps};

/// The digits of a digest.
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
        for stage in stages(&steps) {
            let title = if stage.is_empty() { "stage" } else { stage };
            text.push_str(&format!("  {title}\n"));
            for step in steps
                .iter()
                .filter(|step| step.stage.as_deref() == Some(stage))
            {
                write(&mut text, step, &steps, width);
            }
        }
        if let Some(head) = definition.head() {
            text.push_str(&format!("  result {}\n", short(head.as_str())));
        }
    }
    text
}

/// The names of the stages: one that another one reads stands before it.
fn stages(steps: &[Step]) -> Vec<&str> {
    let mut last = HashMap::new();
    for (position, step) in steps.iter().enumerate() {
        if let Some(stage) = step.stage.as_deref() {
            last.insert(stage, position);
        }
    }
    let mut stages: Vec<&str> = last.keys().copied().collect();
    stages.sort_by_key(|stage| last[stage]);
    stages
}

/// The step's line, and below it what it reads and where it comes from.
fn write(text: &mut String, step: &Step, steps: &[Step], width: usize) {
    let mut line = match &step.stage {
        Some(_) => format!("    {} {}", step.number, step.name),
        None => format!("  {}", step.name),
    };
    let room = width - DIGEST - 2;
    cut(&mut line, room);
    let blanks = room - line.width() + 2;
    text.push_str(&format!("{line}{:blanks$}{}\n", "", step.digest));
    let indent = if step.stage.is_some() { 8 } else { 4 };
    let mut more = |title: &str, what: String| {
        let mut line = format!("{:indent$}{title}{what}", "");
        cut(&mut line, width);
        text.push_str(&line);
        text.push('\n');
    };
    let reads: Vec<String> = step
        .reads
        .iter()
        .map(|(position, place)| {
            let name = label(&steps[*position], step);
            match place.as_str() {
                "" => name,
                place => format!("{name} at {place}"),
            }
        })
        .collect();
    if !reads.is_empty() {
        more("reads ", reads.join(", "));
    }
    if !step.detail.is_empty() && step.detail != step.name {
        more("", step.detail.clone());
    }
}

/// How a step is called where another one reads it.
fn label(step: &Step, by: &Step) -> String {
    match &step.stage {
        None => step.name.clone(),
        Some(stage) if by.stage.as_ref() == Some(stage) || stage.is_empty() => step.number.clone(),
        Some(stage) => format!("{stage} {}", step.number),
    }
}

/// Shortens to at most `room` columns.
fn cut(line: &mut String, room: usize) {
    if line.width() <= room {
        return;
    }
    while line.width() > room.saturating_sub(1) {
        line.pop();
    }
    line.push('…');
}
