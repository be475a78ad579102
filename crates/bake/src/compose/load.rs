//! Loads compose files into one tree: documents, variables, includes, extends, merging.
//!
//! The steps and their order are those of compose-go's loader. The resulting tree is not validated
//! against the schema yet.

use std::{cell::RefCell, collections::BTreeMap};

use super::{
    canonical::canonical,
    extends, include,
    interpolate::interpolate,
    locate, merge,
    path::Path,
    unique,
    yaml::{Document, Map, Node, Value, documents},
};
use crate::{
    diagnostic::{Diagnostic, Kind},
    filepath,
    files::{FileReader, ReadError},
};

/// The most files that one project may read; a file that is named twice counts twice.
const MAX_FILES: usize = 1000;
/// The largest total size of the files of one project, in bytes.
const MAX_BYTES: usize = 64 << 20;

/// Variables by name.
pub(super) type Variables = BTreeMap<String, String>;

/// The state that all files of a project share.
pub(super) struct Project<'a> {
    pub(super) reader: &'a dyn FileReader,
    pub(super) home: Option<String>,
    budget: RefCell<Budget>,
}

#[derive(Default)]
struct Budget {
    files: usize,
    bytes: usize,
    nodes: usize,
    text: usize,
}

/// The settings for loading files.
#[derive(Clone, Copy)]
pub(super) struct Settings<'a> {
    /// The base folder of the paths of `include` and `extends`.
    pub(super) folder: &'a str,
    /// The variables that texts can use.
    pub(super) variables: &'a Variables,
    /// False for a file whose service another one extends: its own references are not followed.
    pub(super) with_references: bool,
}

/// A file to load. It is read if it has no content.
pub(super) struct Source {
    pub(super) name: String,
    pub(super) content: Option<Vec<u8>>,
}

impl<'a> Project<'a> {
    pub(super) fn new(reader: &'a dyn FileReader, home: Option<String>) -> Project<'a> {
        Project {
            reader,
            home,
            budget: RefCell::default(),
        }
    }

    /// Reads a file that another file refers to.
    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>, Diagnostic> {
        self.reader
            .read(path)
            .map_err(|error| unreadable(path, &error))
    }

    /// Copies a node and counts it against the limit of copies.
    pub(super) fn copy(&self, node: &Node) -> Result<Node, Diagnostic> {
        const MAX_NODES: usize = 400_000;
        const MAX_TEXT: usize = 64 << 20;
        let mut budget = self.budget.borrow_mut();
        budget.count(node);
        if budget.nodes > MAX_NODES || budget.text > MAX_TEXT {
            let message = "the services grow too large by what they extend";
            return Err(Diagnostic::new(Kind::Limit, message).at(node.place.span()));
        }
        Ok(node.clone())
    }

    fn content(&self, source: &mut Source) -> Result<Vec<u8>, Diagnostic> {
        let content = match source.content.take() {
            Some(content) => content,
            None => self.read(&source.name)?,
        };
        let mut budget = self.budget.borrow_mut();
        budget.files += 1;
        budget.bytes += content.len();
        if budget.files > MAX_FILES || budget.bytes > MAX_BYTES {
            let message =
                format!("the project is made of more than {MAX_FILES} files or {MAX_BYTES} bytes");
            return Err(Diagnostic::new(Kind::Limit, message));
        }
        Ok(content)
    }
}

impl Budget {
    fn count(&mut self, node: &Node) {
        self.nodes += 1;
        match &node.value {
            Value::Text(text) => self.text += text.len(),
            Value::List(items) => items.iter().for_each(|item| self.count(item)),
            Value::Map(map) => map.values().for_each(|item| self.count(item)),
            _ => {}
        }
    }
}

/// Returns the error for a file that cannot be read.
pub(super) fn unreadable(path: &str, error: &ReadError) -> Diagnostic {
    let failed = Diagnostic::new(Kind::File, format!("cannot read {path}: {error}"));
    match error {
        ReadError::NotFound => {
            failed.in_reference_alone(format!("open {path}: no such file or directory"))
        }
        _ => failed,
    }
}

/// Loads `sources` into one tree with paths relative to `folder`.
pub(super) fn model(
    project: &Project<'_>,
    sources: Vec<Source>,
    folder: &str,
    settings: Settings<'_>,
    included: &[String],
) -> Result<Map, Diagnostic> {
    let mut root = Map::new();
    for source in sources {
        file(project, source, folder, settings, &mut root, included)?;
    }
    set_default_contexts(&mut root);
    locate::resolve(&mut root, folder, project.home.as_deref())?;
    resolve_environment(&mut root, settings.variables);
    Ok(root)
}

/// Merges one file into `root`. Returns the paths that its last document resets.
pub(super) fn file(
    project: &Project<'_>,
    mut source: Source,
    folder: &str,
    settings: Settings<'_>,
    root: &mut Map,
    included: &[String],
) -> Result<Vec<Vec<String>>, Diagnostic> {
    let content = project.content(&mut source)?;
    let text = String::from_utf8(content)
        .map_err(|_| Diagnostic::new(Kind::Syntax, format!("{} is not UTF-8 text", source.name)))?;
    let mut resets = Vec::new();
    for document in documents(&source.name, &text)? {
        resets = document.resets.clone();
        self::document(
            project,
            &source.name,
            document,
            folder,
            settings,
            root,
            included,
        )?;
    }
    Ok(resets)
}

fn document(
    project: &Project<'_>,
    name: &str,
    document: Document,
    folder: &str,
    settings: Settings<'_>,
    root: &mut Map,
    included: &[String],
) -> Result<(), Diagnostic> {
    let Document { root: node, resets } = document;
    let place = node.place.clone();
    let Value::Map(mut map) = node.value else {
        let message = format!(
            "a compose file must be a mapping, not {}",
            node.value.kind()
        );
        let failed = Diagnostic::new(Kind::Compose, message).at(place.span());
        return Err(failed.in_reference_alone("top-level object must be a mapping"));
    };
    interpolate(&mut map, &|name| settings.variables.get(name).cloned())?;
    if settings.with_references {
        let mut included = included.to_vec();
        included.push(name.to_owned());
        include::apply(project, folder, settings, &mut map, &included, &resets)?;
    }
    resets.iter().for_each(|path| reset(root, path));
    if settings.with_references {
        extends::apply(project, name, settings, &mut map, resets)?;
    }
    merge::merge(root, map)?;
    unique::enforce(root)?;
    canonical(root)?;
    drop_empty_dns(root);
    unique::enforce(root)
}

/// Removes the value at `path`.
pub(super) fn reset(map: &mut Map, path: &[String]) {
    match path {
        [] => {}
        [name] => {
            map.remove(name);
        }
        [name, rest @ ..] => {
            if let Some(inner) = map.get_mut(name).and_then(Node::as_map_mut) {
                reset(inner, rest);
            }
        }
    }
}

fn services(root: &mut Map) -> impl Iterator<Item = &mut Map> {
    let services = root.get_mut("services").and_then(Node::as_map_mut);
    services
        .into_iter()
        .flat_map(|map| map.values_mut().filter_map(Node::as_map_mut))
}

fn drop_empty_dns(root: &mut Map) {
    for service in services(root) {
        if let Some(Value::List(items)) = service.get_mut("dns").map(|node| &mut node.value) {
            items.retain(|item| !item.is_null() && item.as_text() != Some(""));
        }
    }
}

fn set_default_contexts(root: &mut Map) {
    for service in services(root) {
        if let Some(build) = service.get_mut("build") {
            let context = Node::text(&build.place, ".");
            if let Some(build) = build.as_map_mut() {
                build.entry("context".to_owned()).or_insert(context);
            }
        }
    }
}

/// Sets the values of names without a value in the list form of `environment`.
fn resolve_environment(root: &mut Map, variables: &Variables) {
    for service in services(root) {
        let Some(node) = service.get_mut("environment") else {
            continue;
        };
        if let Value::List(items) = &mut node.value {
            items.retain(|item| item.as_text().is_some());
            for item in items {
                let name = item.as_text().unwrap_or_default();
                if let Some(value) = variables.get(name) {
                    *item = Node::text(&item.place, format!("{name}={value}"));
                }
            }
        }
    }
}

/// Returns the path of a file that another file refers to: relative to the folder of the settings.
pub(super) fn beside(settings: Settings<'_>, path: &str) -> String {
    if filepath::is_absolute(path) {
        path.to_owned()
    } else {
        filepath::join(settings.folder, path)
    }
}

/// Returns the folder of a file, or the folder itself, relative to the folder of the settings.
pub(super) fn folder_of(project: &Project<'_>, settings: Settings<'_>, path: &str) -> String {
    let full = beside(settings, path);
    let is_folder = matches!(project.reader.read(&full), Err(ReadError::IsDirectory));
    let full = if is_folder {
        full
    } else {
        beside(settings, &filepath::folder(path))
    };
    filepath::relative(settings.folder, &full).unwrap_or(full)
}

/// Calls `then` with the path of a service, for messages.
pub(super) fn with_service<T>(name: &str, then: impl FnOnce(&Path<'_>) -> T) -> T {
    let services = Path::ROOT.next("services");
    then(&services.next(name))
}
