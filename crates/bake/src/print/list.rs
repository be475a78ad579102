//! `--list`: the targets and variables of bake files, as a table or as JSON.

use super::{json::Writer, table::Table};
use crate::target::{Definition, Group};

/// A variable in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVariable {
    /// The name.
    pub name: String,
    /// The type as in the file; empty if it has none.
    pub kind: String,
    /// The value as text; `None` for null.
    pub value: Option<String>,
    /// The purpose of the variable, for people.
    pub description: String,
}

/// A target or group in a list.
struct Listed {
    name: String,
    description: String,
    is_group: bool,
}

/// Returns the table of targets and groups; names that begin with `_` are omitted.
pub fn targets_table(definition: &Definition) -> String {
    let mut table = Table::new(&["TARGET", "DESCRIPTION"]);
    for listed in listed(definition) {
        table.row([listed.name, listed.description]);
    }
    table.finish()
}

/// Returns the targets and groups as JSON; names that begin with `_` are omitted.
pub fn targets_json(definition: &Definition) -> String {
    let listed = listed(definition);
    let mut writer = Writer::default();
    if listed.is_empty() {
        writer.null();
    } else {
        writer.list(&listed, |writer, listed| {
            writer.object(|writer| {
                writer.key("name");
                writer.text(&listed.name);
                if !listed.description.is_empty() {
                    writer.key("description");
                    writer.text(&listed.description);
                }
                if listed.is_group {
                    writer.key("group");
                    writer.flag(true);
                }
            });
        });
    }
    writer.finish() + "\n"
}

fn listed(definition: &Definition) -> Vec<Listed> {
    let targets = definition.targets.iter().map(|target| Listed {
        name: target.name.clone(),
        description: target.description.clone(),
        is_group: false,
    });
    let groups = definition.groups.iter().map(|group| Listed {
        name: group.name.clone(),
        description: group_description(group),
        is_group: true,
    });
    let mut listed: Vec<Listed> = targets
        .chain(groups)
        .filter(|listed| !listed.name.starts_with('_'))
        .collect();
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    listed
}

/// Returns the description of a group, with its members in order.
fn group_description(group: &Group) -> String {
    let mut members = group.targets.clone();
    members.sort();
    let members = members.join(", ");
    match (group.description.as_str(), members.is_empty()) {
        (description, true) => description.to_owned(),
        ("", false) => members,
        (description, false) => format!("{description} ({members})"),
    }
}

/// Returns the table of variables.
pub fn variables_table(variables: &[ListedVariable]) -> String {
    let mut table = Table::new(&["VARIABLE", "TYPE", "VALUE", "DESCRIPTION"]);
    for variable in sorted(variables) {
        let value = variable.value.as_deref().unwrap_or("<null>");
        table.row([&variable.name, &variable.kind, value, &variable.description]);
    }
    table.finish()
}

/// Returns the variables as JSON. Without bake files there is no list, which is null.
pub fn variables_json(variables: Option<&[ListedVariable]>) -> String {
    let mut writer = Writer::default();
    match variables {
        None => writer.null(),
        Some(variables) => writer.list(sorted(variables), |writer, variable| {
            writer.object(|writer| {
                writer.key("name");
                writer.text(&variable.name);
                for (key, value) in [
                    ("description", &variable.description),
                    ("type", &variable.kind),
                ] {
                    if !value.is_empty() {
                        writer.key(key);
                        writer.text(value);
                    }
                }
                if let Some(value) = &variable.value {
                    writer.key("value");
                    writer.text(value);
                }
            });
        }),
    }
    writer.finish() + "\n"
}

fn sorted(variables: &[ListedVariable]) -> Vec<&ListedVariable> {
    let mut variables: Vec<_> = variables.iter().collect();
    variables.sort_by(|a, b| a.name.cmp(&b.name));
    variables
}
