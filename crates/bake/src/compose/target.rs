//! Converts services to targets.

use std::fmt::Display;

use solvekit_core::units::{Ulimit, show_size};

use super::{
    project::Project,
    service::{Build, Service},
    x_bake::XBake,
    yaml::Place,
};
use crate::{
    diagnostic::{Diagnostic, Kind},
    target::{Attest, Cache, Definition, Group, Secret, Ssh, Target, sanitize_name},
};

/// Returns the targets of all services with a `build`, and the group `default` of them.
pub(super) fn definition(project: &Project) -> Result<Definition, Diagnostic> {
    let mut definition = Definition::default();
    if project.services.is_empty() {
        return Ok(definition);
    }
    for (name, service) in &project.services {
        if let Some(build) = &service.build {
            definition
                .targets
                .push(target(project, name, service, build)?);
        }
    }
    let targets = definition.targets.iter();
    let targets: Vec<String> = targets.map(|target| target.name.clone()).collect();
    definition.groups.push(Group {
        name: "default".to_owned(),
        is_unset: targets.is_empty(),
        targets,
        ..Group::default()
    });
    Ok(definition)
}

fn target(
    project: &Project,
    name: &str,
    service: &Service,
    build: &Build,
) -> Result<Target, Diagnostic> {
    let refuse = |attribute: &str, error: &dyn Display| refused(build, name, attribute, error);
    let caches = |attribute: &str, texts: &[String]| {
        caches(texts).map_err(|error| refuse(attribute, &error))
    };
    let attest = [("sbom", &build.sbom), ("provenance", &build.provenance)]
        .into_iter()
        .filter_map(|(kind, value)| Attest::shorthand(kind, value))
        .map(|text| Attest::parse(&text).map_err(|error| refuse("attestation", &error)))
        .collect::<Result<_, _>>()?;
    let ulimits = build.ulimits.iter().map(|(limit, (soft, hard))| {
        let limit = Ulimit::new(limit, *soft, *hard).map_err(|error| refuse("ulimits", &error));
        limit.map(|limit| limit.to_string())
    });
    let hosts = build.extra_hosts.iter();
    let mut target = Target {
        name: sanitize_name(name),
        context: filled(&build.context),
        contexts: named_contexts(&build.additional_contexts),
        dockerfile: filled(&build.dockerfile),
        dockerfile_inline: filled(&build.dockerfile_inline),
        tags: build.tags.clone(),
        platforms: build.platforms.clone(),
        labels: build.labels.clone(),
        args: arguments(project, service, build),
        cache_from: caches("cache_from", &build.cache_from)?,
        cache_to: caches("cache_to", &build.cache_to)?,
        network: filled(&build.network),
        target: filled(&build.target),
        ssh: build.ssh.iter().map(|(id, path)| ssh(id, path)).collect(),
        secrets: secrets(project, build)?,
        shm_size: (build.shm_size > 0).then(|| show_size(build.shm_size)),
        ulimits: ulimits.collect::<Result<_, _>>()?,
        extra_hosts: hosts
            .map(|(host, addresses)| (host.clone(), addresses.join(",")))
            .collect(),
        attest,
        no_cache: build.no_cache.then_some(true),
        pull: build.pull.then_some(true),
        ..Target::default()
    };
    if let Some(node) = &build.x_bake {
        XBake::read(node)?.add_to(&mut target, &node.place)?;
    }
    if target.tags.as_ref().is_none_or(Vec::is_empty) && !service.image.is_empty() {
        target.tags = Some(vec![service.image.clone()]);
    }
    Ok(target)
}

fn refused(build: &Build, name: &str, attribute: &str, error: &dyn Display) -> Diagnostic {
    let message = format!("{attribute} of service {name}: {error}");
    Diagnostic::new(Kind::Attribute, message).at(build.place.span())
}

/// An empty path means the agent.
fn ssh(id: &str, path: &str) -> Ssh {
    let path = filled(path);
    Ssh {
        id: id.to_owned(),
        paths: path.into_iter().collect(),
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn caches(texts: &[String]) -> Result<Option<Vec<Cache>>, crate::target::AttributeError> {
    if texts.is_empty() {
        return Ok(None);
    }
    let mut caches = Vec::new();
    for text in texts {
        caches.extend(Cache::parse_entries(text)?);
    }
    Ok(Some(caches))
}

/// Returns the arguments with a value: their own, the service's variable, or the project's.
fn arguments(
    project: &Project,
    service: &Service,
    build: &Build,
) -> std::collections::BTreeMap<String, String> {
    let value = |(name, value): (&String, &Option<String>)| {
        let known = value.clone().or_else(|| {
            let own = service.environment.get(name).cloned().flatten();
            own.or_else(|| project.variables.get(name).cloned())
        });
        Some((name.clone(), known?))
    };
    build.args.iter().filter_map(value).collect()
}

fn secrets(project: &Project, build: &Build) -> Result<Vec<Secret>, Diagnostic> {
    let secret = |(place, name): &(Place, String)| {
        let Some(secret) = project.secrets.get(name) else {
            return Ok(Secret {
                id: name.clone(),
                ..Secret::default()
            });
        };
        if secret.is_external {
            let message = format!("the secret {name} is external, which a build cannot read");
            return Err(Diagnostic::new(Kind::Compose, message).at(place.span()));
        }
        let (id, path) = (name.clone(), secret.file.clone());
        Ok(Secret {
            id,
            path,
            variable: secret.environment.clone(),
        })
    };
    build.secrets.iter().map(secret).collect()
}

/// Returns the named contexts; a service is a target.
pub(super) fn named_contexts(
    contexts: &std::collections::BTreeMap<String, String>,
) -> std::collections::BTreeMap<String, String> {
    let convert = |value: &String| {
        let other = value
            .strip_prefix("service:")
            .or_else(|| value.strip_prefix("target:"));
        match other {
            Some(other) => format!("target:{}", sanitize_name(other)),
            None => value.clone(),
        }
    };
    contexts
        .iter()
        .map(|(name, value)| (name.clone(), convert(value)))
        .collect()
}
