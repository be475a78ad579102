//! The output of `solvekit platforms`: a table, JSON, or lines by a template; remarks go to stderr.

use serde_json::json;
use solvekit::emulation::Ability;
use solvekit::template::{Json, Struct, Template, Value};

use super::{Found, Row, Target};
use crate::cli::report::Failure;
use crate::cli::report::columns::align;
use crate::cli::report::terminal::{print_json, print_text, talk};

/// The fields and their headers.
const FIELDS: [(&str, &str); 8] = [
    ("Builder", "BUILDER"),
    ("Node", "NODE"),
    ("Platform", "PLATFORM"),
    ("Runs", "RUNS"),
    ("Emulator", "EMULATOR"),
    ("Interpreter", "INTERPRETER"),
    ("Flags", "FLAGS"),
    ("Why", "WHY"),
];

/// The format of the output.
pub(super) enum Format {
    Json,
    Lines { template: Template, is_table: bool },
}

impl Format {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        const DEFAULT: &str =
            "{{.Node}}\t{{.Platform}}\t{{.Runs}}\t{{.Emulator}}\t{{.Flags}}\t{{.Why}}";
        let (is_table, text) = match text.strip_prefix("table") {
            _ if text == "json" => return Ok(Self::Json),
            Some("") => (true, DEFAULT),
            Some(rest) if rest.starts_with(' ') => (true, rest.trim_start()),
            _ => (false, text),
        };
        let text = text.replace("\\t", "\t").replace("\\n", "\n");
        let template = Template::parse(&text).map_err(|error| Failure::from_error(&error))?;
        Ok(Self::Lines { template, is_table })
    }
}

/// Prints the results. Fails if nothing is known about any node.
pub(super) fn print(found: &[Found<'_>], format: &Format) -> Result<(), Failure> {
    let rows = found.iter().flat_map(|found| {
        let rows = found.rows.iter().flatten();
        rows.map(move |row| (found.target, row))
    });
    let mut text = String::new();
    match format {
        Format::Json => text.extend(rows.map(|(target, row)| json_line(target, row))),
        Format::Lines { template, is_table } => {
            if *is_table {
                let heads = FIELDS.map(|(_, head)| head.to_owned());
                text.push_str(&line(template, &heads)?);
            }
            for (target, row) in rows {
                text.push_str(&line(template, &cells(target, row, *is_table))?);
            }
            if *is_table {
                text = trimmed(&align(&text, 0, 3));
            }
        }
    }
    match format {
        Format::Json => print_json(&text)?,
        Format::Lines { .. } => print_text(&text)?,
    }
    let is_table = matches!(format, Format::Lines { is_table: true, .. });
    if is_table {
        talk(&remarks(found));
    }
    let problems = found.iter().filter_map(|found| {
        let failure = found.rows.as_ref().err()?;
        Some((&found.target.node, failure))
    });
    let problems: Vec<_> = problems.collect();
    match problems.as_slice() {
        [] => Ok(()),
        [(_, only)] if found.len() == 1 => Err((*only).clone()),
        several => {
            for (node, failure) in several {
                talk(&format!("cannot ask {node}: {}\n", failure.message()));
            }
            match several.len() == found.len() {
                true => Err(Failure::new("no node of the builder answers")),
                false => Ok(()),
            }
        }
    }
}

fn cells(target: &Target, row: &Row, is_table: bool) -> [String; 8] {
    let handler = row.ability.handler();
    let of = |text: Option<String>| text.unwrap_or_default();
    let star = if row.is_given && is_table { "*" } else { "" };
    [
        target.builder.clone(),
        target.node.clone(),
        format!("{}{star}", row.platform),
        row.ability.as_str().to_owned(),
        of(handler.map(|handler| handler.name.clone())),
        of(handler.map(|handler| handler.interpreter.clone())),
        of(handler.map(|handler| handler.flags.to_string())),
        of(row.ability.reason().map(ToString::to_string)),
    ]
}

fn line(template: &Template, cells: &[String; 8]) -> Result<String, Failure> {
    let fields = FIELDS.iter().zip(cells);
    let value = fields.fold(Struct::new(), |fields, ((name, _), value)| {
        fields.field(name, name, value.as_str())
    });
    let text = template.render(&Value::from(value), Json::Compact);
    let text = text.map_err(|error| Failure::from_error(&error))?;
    Ok(format!("{text}\n"))
}

/// Removes trailing blanks.
fn trimmed(text: &str) -> String {
    text.lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

fn json_line(target: &Target, row: &Row) -> String {
    let handler = row.ability.handler().map(|handler| {
        json!({
            "name": handler.name,
            "enabled": handler.enabled,
            "interpreter": handler.interpreter,
            "flags": handler.flags.to_string(),
        })
    });
    let object = json!({
        "builder": target.builder,
        "node": target.node,
        "platform": row.platform.to_string(),
        "runs": row.ability.as_str(),
        "emulator": handler,
        "why": row.ability.reason().map(ToString::to_string),
        "listed": row.is_listed,
        "given": row.is_given,
        "tried": row.was_tried,
    });
    format!("{object}\n")
}

/// The origin of the results, and hints for platforms that do not run.
fn remarks(found: &[Found<'_>]) -> String {
    let mut text = String::from("\n");
    let mut missing: Vec<&str> = Vec::new();
    for one in found {
        let Ok(rows) = &one.rows else { continue };
        let node = &one.target.node;
        text.push_str(&match &one.machine {
            Some(machine) => format!(
                "{node} is on this machine ({}, Linux {}).\n",
                machine.platform, machine.release
            ),
            None => format!(
                "{node} is on another machine: what it lists and what was tried is known, not its \
                 emulators.\n"
            ),
        });
        let lacking = rows.iter().filter(|row| {
            matches!(row.ability, Ability::Impossible(_)) && row.platform.os == "linux"
        });
        for row in lacking {
            if !missing.contains(&row.platform.architecture.as_str()) {
                missing.push(&row.platform.architecture);
            }
        }
    }
    if !missing.is_empty() {
        text.push_str(&format!(
            "Emulators can be registered: solvekit platforms --install={}\n",
            missing.join(",")
        ));
    }
    text
}
