//! `extends`: services that start from another service of the same or another file.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    canonical::wrong_type,
    load::{Project, Settings, Source, beside, file, folder_of, reset, with_service},
    locate, merge,
    path::Path,
    yaml::{Map, Node, Value},
};
use crate::{
    diagnostic::{Diagnostic, Kind, nearest},
    filepath,
};

/// The most services in a chain of `extends`.
const MAX_DEPTH: usize = 100;

/// The services of a file, and the paths that its last document resets.
struct Extended {
    file: String,
    services: Map,
    resets: Vec<Vec<String>>,
    /// The services whose `extends` is applied already.
    done: BTreeSet<String>,
}

/// The value of `extends`.
struct Reference {
    service: String,
    file: Option<String>,
}

/// Applies `extends` in every service of `root`.
pub(super) fn apply(
    project: &Project<'_>,
    name: &str,
    settings: Settings<'_>,
    root: &mut Map,
    resets: Vec<Vec<String>>,
) -> Result<(), Diagnostic> {
    let Some(node) = root.get_mut("services") else {
        return Ok(());
    };
    let Some(services) = node.as_map_mut() else {
        return Err(wrong_type(node, &Path::ROOT.next("services"), "a mapping"));
    };
    let names: Vec<String> = services.keys().cloned().collect();
    let scope = Rc::new(RefCell::new(Extended {
        file: name.to_owned(),
        services: std::mem::take(services),
        resets,
        done: BTreeSet::new(),
    }));
    let mut resolver = Resolver {
        project,
        settings,
        chain: Vec::new(),
        files: BTreeMap::new(),
    };
    for name in &names {
        resolver.service(&scope, name)?;
    }
    *services = std::mem::take(&mut scope.borrow_mut().services);
    Ok(())
}

struct Resolver<'a> {
    project: &'a Project<'a>,
    settings: Settings<'a>,
    /// The chain of services that are being resolved, each with its file.
    chain: Vec<(String, String)>,
    /// The files of extended services, by path and folder.
    files: BTreeMap<(String, String), Scope>,
}

type Scope = Rc<RefCell<Extended>>;

impl Resolver<'_> {
    /// Applies the `extends` of one service of `scope`.
    fn service(&mut self, scope: &Scope, name: &str) -> Result<(), Diagnostic> {
        let (place, reference, file) = {
            let scope = scope.borrow();
            let Some(node) = scope
                .services
                .get(name)
                .filter(|_| !scope.done.contains(name))
            else {
                return Ok(());
            };
            let service = match &node.value {
                Value::Null => return Ok(()),
                Value::Map(service) => service,
                _ => {
                    return Err(with_service(name, |path| {
                        wrong_type(node, path, "a mapping")
                    }));
                }
            };
            let Some(extends) = service.get("extends") else {
                return Ok(());
            };
            (
                extends.place.clone(),
                reference(name, extends)?,
                scope.file.clone(),
            )
        };
        let step = (file.clone(), name.to_owned());
        if self.chain.contains(&step) || self.chain.len() >= MAX_DEPTH {
            let chain: Vec<&str> = self.chain.iter().map(|(_, name)| name.as_str()).collect();
            let message = format!(
                "services extend each other: {} extends {name}",
                chain.join(" extends ")
            );
            return Err(Diagnostic::new(Kind::Cycle, message).at(place.span()));
        }
        self.chain.push(step);
        let base = self.base(scope, name, &reference);
        let base = base.map_err(|error| error.or_at(&place.span()))?;
        self.chain.pop();
        scope.borrow_mut().done.insert(name.to_owned());
        let Some(base) = base else { return Ok(()) };
        let mut scope = scope.borrow_mut();
        let mut base = Map::from([(name.to_owned(), base)]);
        for path in &scope.resets {
            if let [section, rest @ ..] = path.as_slice()
                && section == "services"
            {
                reset(&mut base, rest);
            }
        }
        let Some(service) = scope.services.remove(name) else {
            return Ok(());
        };
        let mut merged = match base.remove(name) {
            Some(base) => merge::extend_service(base, service)?,
            None => service,
        };
        if let Some(merged) = merged.as_map_mut() {
            merged.remove("extends");
        }
        scope.services.insert(name.to_owned(), merged);
        Ok(())
    }

    /// Returns a resolved copy of the service that `name` extends.
    fn base(
        &mut self,
        scope: &Scope,
        name: &str,
        reference: &Reference,
    ) -> Result<Option<Node>, Diagnostic> {
        let other = match &reference.file {
            Some(file) => self.file(file)?,
            None => scope.clone(),
        };
        {
            let other = other.borrow();
            if !other.services.contains_key(&reference.service) {
                let (wanted, file) = (&reference.service, &other.file);
                let message =
                    format!("service {name} extends {wanted}, which {file} does not have");
                let failed = Diagnostic::new(Kind::Compose, message);
                let known = other.services.keys().map(String::as_str);
                return Err(
                    match nearest(wanted, known.filter(|known| *known != name)) {
                        Some(near) => failed.hint(format!("did you mean {near:?}?")),
                        None => failed,
                    },
                );
            }
        }
        self.service(&other, &reference.service)?;
        let other = other.borrow();
        match other.services.get(&reference.service) {
            Some(node) if !node.is_null() => self.project.copy(node).map(Some),
            _ => Ok(None),
        }
    }

    /// Returns the services of another file; each file is loaded once.
    fn file(&mut self, name: &str) -> Result<Scope, Diagnostic> {
        let path = beside(self.settings, name);
        let folder = folder_of(self.project, self.settings, name);
        let key = (path.clone(), folder.clone());
        if let Some(known) = self.files.get(&key) {
            return Ok(known.clone());
        }
        let inner_folder = filepath::folder(&path);
        let settings = Settings {
            folder: &inner_folder,
            with_references: false,
            ..self.settings
        };
        let source = Source {
            name: path.clone(),
            content: None,
        };
        let mut root = Map::new();
        let resets = file(self.project, source, &folder, settings, &mut root, &[])?;
        let Some(services) = root.get("services") else {
            let message = format!("{path} has no services to extend");
            return Err(Diagnostic::new(Kind::Compose, message));
        };
        if services.as_map().is_none() {
            return Err(wrong_type(
                services,
                &Path::ROOT.next("services"),
                "a mapping",
            ));
        }
        locate::resolve(&mut root, &folder, self.project.home.as_deref())?;
        let services = match root.remove("services").map(|node| node.value) {
            Some(Value::Map(services)) => services,
            _ => Map::new(),
        };
        let done = BTreeSet::new();
        let loaded = Rc::new(RefCell::new(Extended {
            file: path,
            services,
            resets,
            done,
        }));
        self.files.insert(key, loaded.clone());
        Ok(loaded)
    }
}

fn reference(name: &str, extends: &Node) -> Result<Reference, Diagnostic> {
    with_service(name, |path| {
        let path = path.next("extends");
        match &extends.value {
            Value::Text(service) => Ok(Reference {
                service: service.clone(),
                file: None,
            }),
            Value::Map(map) => {
                let text = |key: &str| match map.get(key) {
                    None => Ok(None),
                    Some(Node {
                        value: Value::Null, ..
                    }) => Ok(None),
                    Some(node) => match node.as_text() {
                        Some(text) => Ok(Some(text.to_owned())),
                        None => Err(wrong_type(node, &path.next(key), "text")),
                    },
                };
                match text("service")? {
                    Some(service) => Ok(Reference {
                        service,
                        file: text("file")?,
                    }),
                    None => {
                        let message = format!("{path} needs a service");
                        Err(Diagnostic::new(Kind::Compose, message).at(extends.place.span()))
                    }
                }
            }
            _ => Err(wrong_type(extends, &path, "a service or a mapping")),
        }
    })
}
