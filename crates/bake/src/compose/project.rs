//! A whole compose project: loaded, validated, typed.

use std::collections::BTreeMap;

use super::{
    include::read_env_file,
    interpolate::interpolate,
    load::{self, Project as Loader, Settings, Source, Variables, unreadable},
    path::Path,
    places::{ComposeSource, places},
    schema,
    service::{EnvFile, Secret, Service},
    yaml::{Map, Node, Value, documents},
};
use crate::{
    diagnostic::{Diagnostic, Kind},
    files::{FileReader, InputFile, ReadError},
};

const PROJECT_NAME: &str = "COMPOSE_PROJECT_NAME";
const DEFAULT_NAME: &str = "bake";

/// The parts of a project that a build needs.
pub(super) struct Project {
    pub(super) services: BTreeMap<String, Service>,
    pub(super) secrets: BTreeMap<String, Secret>,
    pub(super) variables: Variables,
    /// The positions of the attributes of services with a `build`.
    pub(super) places: Vec<ComposeSource>,
}

/// The level of validation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Checks {
    /// All checks.
    Full,
    /// All checks except those between services, because another file may complete them.
    OneFile,
}

/// Loads `files` as one project.
pub(super) fn load(
    files: &[InputFile],
    mut variables: Variables,
    reader: &dyn FileReader,
    home: Option<String>,
    checks: Checks,
) -> Result<Project, Diagnostic> {
    if variables.get(PROJECT_NAME).is_none_or(String::is_empty) {
        variables.insert(PROJECT_NAME.to_owned(), DEFAULT_NAME.to_owned());
    }
    if let Some(name) = project_name(files, &variables)? {
        variables.insert(PROJECT_NAME.to_owned(), name);
    }
    let loader = Loader::new(reader, home);
    let settings = Settings {
        folder: "",
        variables: &variables,
        with_references: true,
    };
    let sources = files
        .iter()
        .map(|file| Source {
            name: file.name.clone(),
            content: Some(file.bytes.clone()),
        })
        .collect();
    let root = load::model(&loader, sources, "", settings, &[])?;
    let places = built(&root);
    let (services, secrets) = typed(root)?;
    let mut project = Project {
        services,
        secrets,
        variables,
        places,
    };
    if checks == Checks::Full {
        project.check_consistency()?;
    }
    project.read_env_files(reader)?;
    Ok(project)
}

/// Returns the `name` of the project; the last file that sets it wins.
fn project_name(files: &[InputFile], variables: &Variables) -> Result<Option<String>, Diagnostic> {
    let mut name = None;
    for file in files {
        // An unreadable file is reported when it is loaded.
        let Ok(text) = std::str::from_utf8(&file.bytes) else {
            continue;
        };
        if !text.contains("name") {
            continue;
        }
        for document in documents(&file.name, text).unwrap_or_default() {
            let Value::Map(mut map) = document.root.value else {
                continue;
            };
            let Some(node) = map.remove("name") else {
                continue;
            };
            if !matches!(node.value, Value::Null | Value::List(_) | Value::Map(_)) {
                name = Some(Node::text(&node.place, node.value.to_string()));
            }
        }
    }
    let Some(node) = name else { return Ok(None) };
    let mut map = Map::from([("name".to_owned(), node)]);
    interpolate(&mut map, &|name| variables.get(name).cloned())?;
    Ok(map
        .get("name")
        .and_then(Node::as_text)
        .filter(|name| !name.is_empty())
        .map(str::to_owned))
}

/// Returns the positions of the attributes of services with a `build`.
fn built(root: &Map) -> Vec<ComposeSource> {
    let services = root.get("services").and_then(Node::as_map);
    let services = services.into_iter().flatten();
    services
        .filter_map(|(name, node)| places(name, node))
        .collect()
}

type Typed = (BTreeMap<String, Service>, BTreeMap<String, Secret>);

/// Validates services and secrets, and converts them to typed values.
fn typed(mut root: Map) -> Result<Typed, Diagnostic> {
    let services = match root.remove("services").map(|node| node.value) {
        Some(Value::Map(mut services)) => {
            // As in the reference, services of another type are ignored.
            services.retain(|_, node| matches!(node.value, Value::Map(_) | Value::Null));
            Some(services)
        }
        _ => None,
    };
    let secrets = root.remove("secrets");
    if services.is_none() && secrets.is_none() {
        let failed = Diagnostic::new(Kind::Compose, "the compose file has no services");
        return Err(failed.in_reference_alone("empty compose file"));
    }
    let services = services.unwrap_or_default();
    schema::services(&services)?;
    if let Some(secrets) = &secrets {
        schema::secrets(secrets)?;
    }
    let path = Path::ROOT.next("services");
    let services = services
        .iter()
        .map(|(name, node)| Ok((name.clone(), Service::read(node, &path.next(name))?)))
        .collect::<Result<_, Diagnostic>>()?;
    let path = Path::ROOT.next("secrets");
    let secrets = secrets
        .as_ref()
        .and_then(Node::as_map)
        .into_iter()
        .flatten();
    let secrets = secrets
        .map(|(name, node)| Ok((name.clone(), Secret::read(node, &path.next(name))?)))
        .collect::<Result<_, Diagnostic>>()?;
    Ok((services, secrets))
}

impl Project {
    /// Checks that services are complete and that their references exist.
    fn check_consistency(&self) -> Result<(), Diagnostic> {
        for (name, service) in &self.services {
            let fail = |place: &super::yaml::Place, message: String| {
                Err(Diagnostic::new(Kind::Compose, message).at(place.span()))
            };
            let Some(build) = &service.build else {
                if service.image.is_empty() {
                    let message = format!("service {name} has neither an image nor a build");
                    let failed = Diagnostic::new(Kind::Compose, message);
                    return Err(failed.at(service.place.span()).in_reference_alone(format!(
                        "failed to parse compose file: service {name:?} has neither an image nor \
                         a build context specified: invalid compose project"
                    )));
                }
                continue;
            };
            if !build.dockerfile.is_empty() && !build.dockerfile_inline.is_empty() {
                return fail(
                    &build.place,
                    format!("service {name} has both dockerfile and dockerfile_inline"),
                );
            }
            for (context, value) in &build.additional_contexts {
                let Some(other) = value.strip_prefix("service:") else {
                    continue;
                };
                match self.services.get(other) {
                    Some(other) if other.build.is_some() => {}
                    Some(_) => {
                        return fail(
                            &build.place,
                            format!("context {context} of service {name}: {other} is not built"),
                        );
                    }
                    None => {
                        return fail(
                            &build.place,
                            format!("context {context} of service {name}: no service {other}"),
                        );
                    }
                }
            }
            for (place, secret) in &build.secrets {
                if !self.secrets.contains_key(secret) {
                    return fail(
                        place,
                        format!("service {name} uses an unknown secret {secret:?}"),
                    );
                }
            }
        }
        let lost = self.secrets.iter().find(|(_, secret)| {
            !secret.is_external && secret.file.is_empty() && secret.environment.is_empty()
        });
        match lost {
            None => Ok(()),
            Some((name, secret)) => {
                let message = format!("secret {name} has neither a file nor an environment");
                Err(Diagnostic::new(Kind::Compose, message).at(secret.place.span()))
            }
        }
    }

    /// Adds variables from the environment files of services.
    fn read_env_files(&mut self, reader: &dyn FileReader) -> Result<(), Diagnostic> {
        let variables = &self.variables;
        for service in self.services.values_mut() {
            for (name, value) in &mut service.environment {
                if value.is_none() {
                    *value = variables.get(name).cloned();
                }
            }
            let own = &service.environment;
            let mut found: Variables = own
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
                .collect();
            for file in &service.env_files {
                let content = match reader.read(&file.path) {
                    Ok(content) => content,
                    Err(ReadError::NotFound) if !file.is_required => continue,
                    Err(error) => return Err(no_env_file(file, &error)),
                };
                if !["", ".env"].contains(&file.format.as_str()) {
                    let message =
                        format!("the format {:?} of {} is unknown", file.format, file.path);
                    return Err(Diagnostic::new(Kind::Compose, message).at(file.place.span()));
                }
                read_env_file(&file.path, content, &mut found, &|name| {
                    let project = variables.get(name).cloned();
                    project.or_else(|| own.get(name).cloned().flatten())
                })?;
            }
            let mut environment: BTreeMap<String, Option<String>> = found
                .into_iter()
                .map(|(name, value)| (name, Some(value)))
                .collect();
            environment.append(&mut service.environment);
            service.environment = environment;
        }
        Ok(())
    }
}

fn no_env_file(file: &EnvFile, error: &ReadError) -> Diagnostic {
    let failed = unreadable(&file.path, error).at(file.place.span());
    match error {
        ReadError::NotFound => failed.in_reference_alone(format!(
            "env file {path} not found: stat {path}: no such file or directory",
            path = file.path
        )),
        _ => failed,
    }
}
