//! `include`: adds the services and secrets of other projects to this one.

use super::{
    canonical::wrong_type,
    dotenv,
    load::{Project, Settings, Source, Variables, beside, folder_of, model, reset, unreadable},
    merge::merge_node,
    path::Path,
    yaml::{Map, Node, Value},
};
use crate::{
    diagnostic::{Diagnostic, Kind},
    filepath,
    files::ReadError,
};

/// The deepest nesting of includes.
const MAX_DEPTH: usize = 50;
const SECTIONS: [&str; 6] = [
    "services", "volumes", "networks", "secrets", "configs", "models",
];

/// One entry of `include`.
struct Include {
    place: super::yaml::Place,
    paths: Vec<String>,
    project_directory: String,
    env_files: Vec<String>,
}

/// Adds the included projects to `root`, and removes `include`.
pub(super) fn apply(
    project: &Project<'_>,
    folder: &str,
    settings: Settings<'_>,
    root: &mut Map,
    included: &[String],
    resets: &[Vec<String>],
) -> Result<(), Diagnostic> {
    let Some(node) = root.remove("include") else {
        return Ok(());
    };
    for entry in entries(&node)? {
        let imported = load(project, folder, settings, entry, included)?;
        import(imported, root, resets)?;
    }
    Ok(())
}

fn entries(node: &Node) -> Result<Vec<Include>, Diagnostic> {
    let path = Path::ROOT.next("include");
    let list = match &node.value {
        Value::Null => return Ok(Vec::new()),
        Value::List(list) => list,
        _ => return Err(wrong_type(node, &path, "a list")),
    };
    list.iter()
        .map(|item| {
            let place = item.place.clone();
            match &item.value {
                Value::Text(text) => Ok(Include {
                    place,
                    paths: vec![text.clone()],
                    project_directory: String::new(),
                    env_files: Vec::new(),
                }),
                Value::Map(map) => Ok(Include {
                    place,
                    paths: texts(map, "path", &path)?,
                    project_directory: match map.get("project_directory") {
                        None => String::new(),
                        Some(node) => match &node.value {
                            Value::Null => String::new(),
                            Value::Text(text) => text.clone(),
                            Value::Int(number) => number.to_string(),
                            _ => {
                                let path = path.next("project_directory");
                                return Err(wrong_type(node, &path, "text"));
                            }
                        },
                    },
                    env_files: texts(map, "env_file", &path)?,
                }),
                _ => Err(wrong_type(item, &path, "a list of paths and mappings")),
            }
        })
        .collect()
}

/// Returns a text or a list of texts as a list.
fn texts(map: &Map, name: &str, path: &Path<'_>) -> Result<Vec<String>, Diagnostic> {
    let Some(node) = map.get(name) else {
        return Ok(Vec::new());
    };
    let path = path.next(name);
    match &node.value {
        Value::Null => Ok(Vec::new()),
        Value::Text(text) => Ok(vec![text.clone()]),
        Value::List(items) => items
            .iter()
            .map(|item| {
                let text = item
                    .as_text()
                    .ok_or_else(|| wrong_type(item, &path, "text"))?;
                Ok(text.to_owned())
            })
            .collect(),
        _ => Err(wrong_type(node, &path, "text or a list")),
    }
}

fn load(
    project: &Project<'_>,
    folder: &str,
    settings: Settings<'_>,
    mut entry: Include,
    included: &[String],
) -> Result<Map, Diagnostic> {
    let mut inner_folder = String::new();
    for (index, path) in entry.paths.iter_mut().enumerate() {
        *path = beside(settings, path);
        if index > 0 {
            continue;
        }
        let directory = &mut entry.project_directory;
        if directory.is_empty() {
            inner_folder = folder_of(project, settings, path);
            *directory = filepath::folder(path);
        } else if filepath::is_absolute(directory) {
            inner_folder.clone_from(directory);
        } else {
            inner_folder = folder_of(project, settings, directory);
            *directory = filepath::join(folder, directory);
        }
        if included.contains(path) || included.len() > MAX_DEPTH {
            let chain = included.join(" includes ");
            let message = format!("files include each other: {chain} includes {path}");
            return Err(Diagnostic::new(Kind::Cycle, message).at(entry.place.span()));
        }
    }
    let variables = variables(project, folder, settings, &entry)?;
    let sources: Vec<_> = entry
        .paths
        .into_iter()
        .map(|name| Source {
            name,
            content: None,
        })
        .collect();
    let inner = Settings {
        folder: &entry.project_directory,
        variables: &variables,
        with_references: true,
    };
    model(project, sources, &inner_folder, inner, included)
        .map_err(|error| error.or_at(&entry.place.span()))
}

/// Returns the variables of the outer project and of the included project's environment files.
fn variables(
    project: &Project<'_>,
    folder: &str,
    settings: Settings<'_>,
    entry: &Include,
) -> Result<Variables, Diagnostic> {
    let mut files = Vec::new();
    if entry.env_files.is_empty() {
        let path = filepath::join(&entry.project_directory, ".env");
        match project.reader.read(&path) {
            Ok(content) => files.push((path, content)),
            Err(ReadError::NotFound | ReadError::IsDirectory) => {}
            Err(error) => return Err(unreadable(&path, &error)),
        }
    }
    for path in entry.env_files.iter().filter(|path| *path != "/dev/null") {
        let path = if filepath::is_absolute(path) {
            path.clone()
        } else {
            filepath::join(folder, path)
        };
        let content = project
            .read(&path)
            .map_err(|error| error.or_at(&entry.place.span()))?;
        files.push((path, content));
    }
    let mut found = Variables::new();
    for (path, content) in files {
        read_env_file(&path, content, &mut found, &|name| {
            settings.variables.get(name).cloned()
        })?;
    }
    found.extend(settings.variables.clone());
    Ok(found)
}

/// Adds the variables of an environment file.
pub(super) fn read_env_file(
    path: &str,
    content: Vec<u8>,
    variables: &mut Variables,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(), Diagnostic> {
    let text = String::from_utf8_lossy(&content);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    dotenv::read(text, variables, lookup).map_err(|error| {
        let place = super::yaml::Place {
            file: path.into(),
            line: error.line,
            column: 1,
        };
        Diagnostic::new(Kind::Syntax, format!("invalid environment file: {error}")).at(place.span())
    })
}

fn import(imported: Map, root: &mut Map, resets: &[Vec<String>]) -> Result<(), Diagnostic> {
    for (section, from) in imported {
        if !SECTIONS.contains(&section.as_str()) || from.is_null() {
            continue;
        }
        let path = Path::ROOT.next(&section);
        let place = from.place.clone();
        let Value::Map(from) = from.value else {
            return Err(wrong_type(&from, &path, "a mapping"));
        };
        let empty = || Node::new(&place, Value::Map(Map::new()));
        let target = root.entry(section.clone()).or_insert_with(empty);
        if target.as_map().is_none() {
            return Err(wrong_type(target, &path, "a mapping"));
        }
        let Some(target) = target.as_map_mut() else {
            continue;
        };
        for (name, node) in from {
            let node = match target.remove(&name) {
                None => node,
                Some(own) => {
                    let mut base = Map::from([(name.clone(), node)]);
                    for path in resets.iter().filter(|path| path.first() == Some(&section)) {
                        reset(&mut base, &path[1..]);
                    }
                    match base.remove(&name) {
                        Some(node) => merge_node(node, own, &path.next(&name))?,
                        None => own,
                    }
                }
            };
            target.insert(name, node);
        }
    }
    Ok(())
}
