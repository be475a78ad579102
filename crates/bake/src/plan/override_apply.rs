//! Applies the keys of `--set` to a target.

use super::outputs::{set_load, set_push};
use super::overrides::{Override, fail};
use crate::diagnostic::Diagnostic;
use crate::target::{
    Attest, AttributeError, Cache, Output, Policy, Secret, Ssh, Target, parse_bool,
};

/// The known keys, for suggestions.
const KEYS: [&str; 30] = [
    "annotations",
    "args",
    "attest",
    "cache-from",
    "cache-to",
    "call",
    "context",
    "contexts",
    "dockerfile",
    "entitlements",
    "extra-hosts",
    "labels",
    "load",
    "network",
    "no-cache",
    "no-cache-filter",
    "output",
    "platform",
    "policy",
    "pull",
    "push",
    "resources",
    "secret",
    "secrets",
    "shm-size",
    "ssh",
    "tags",
    "target",
    "ulimits",
    "labels",
];

/// Applies all overrides of a target.
pub(super) fn apply(target: &mut Target, overrides: &[Override]) -> Result<(), Diagnostic> {
    for it in overrides {
        apply_one(target, it)?;
    }
    // Applied last, because only secrets that exist after all overrides can be changed.
    for it in overrides {
        if let Some(id) = it.key.strip_prefix("secret.") {
            change_secret(target, id, &it.value)?;
        }
    }
    Ok(())
}

/// Applies one override.
fn apply_one(target: &mut Target, it: &Override) -> Result<(), Diagnostic> {
    let (key, name) = match it.key.split_once('.') {
        Some((key, name)) => (key, Some(name)),
        None => (it.key.as_str(), None),
    };
    let bad = |error: AttributeError| fail(format!("{}: {error}", it.key));
    let text = || Some(it.value.clone());
    let flag = || parse_bool(key, &it.value).map_err(bad);
    let named = || {
        let message = format!("{key} needs a name: write TARGET.{key}.NAME=VALUE");
        let name = name.map(str::to_owned);
        name.ok_or_else(|| fail(message))
    };
    match key {
        "context" => target.context = text(),
        "dockerfile" => target.dockerfile = text(),
        "target" => target.target = text(),
        "call" => target.call = text(),
        "shm-size" => target.shm_size = text(),
        // As in the reference, this is empty: `network` is parsed as a list, but read as one value.
        "network" => target.network = text(),
        "args" => put(&mut target.args, named()?, it),
        "labels" => put(&mut target.labels, named()?, it),
        "contexts" => put(&mut target.contexts, named()?, it),
        "extra-hosts" => put(&mut target.extra_hosts, named()?, it),
        "tags" => extend_or_replace(&mut target.tags, it),
        "platform" => extend_or_replace(&mut target.platforms, it),
        "no-cache" => target.no_cache = Some(flag()?),
        "pull" => target.pull = Some(flag()?),
        "push" => set_push(&mut target.outputs, flag()?),
        "load" => set_load(&mut target.outputs, flag()?),
        "entitlements" => target.entitlements.extend(it.values.iter().cloned()),
        "annotations" => target.annotations.extend(it.values.iter().cloned()),
        // Their values are not used: the reference clears the lists, or leaves them unchanged.
        "no-cache-filter" if !it.append => target.no_cache_filter.clear(),
        "ulimits" if !it.append => target.ulimits.clear(),
        "no-cache-filter" | "ulimits" => {}
        "resources" => {
            let limits = target.resources.get_or_insert_default();
            limits.set(&named()?, &it.value).map_err(bad)?;
        }
        "secret" => {
            named()?;
        }
        _ => return apply_structured(target, it, key),
    }
    Ok(())
}

/// Applies an override of a structured attribute.
fn apply_structured(target: &mut Target, it: &Override, key: &str) -> Result<(), Diagnostic> {
    let bad = |error: AttributeError| fail(format!("{key}: {error}"));
    let texts = it.values.iter().filter(|text| !text.is_empty());
    match key {
        "cache-from" => {
            let caches = merge(target.cache_from.take(), caches(it).map_err(bad)?, it);
            target.cache_from = Cache::normalize(caches);
        }
        "cache-to" => {
            let caches = merge(target.cache_to.take(), caches(it).map_err(bad)?, it);
            target.cache_to = Cache::normalize(caches);
        }
        "output" => {
            let outputs = texts.map(|text| Output::parse(text));
            let outputs = outputs.collect::<Result<Vec<_>, _>>().map_err(bad)?;
            let outputs = merge(target.outputs.take(), outputs, it);
            target.outputs = Output::normalize(outputs);
        }
        "attest" => {
            for text in texts {
                target.attest.push(Attest::parse(text).map_err(bad)?);
            }
            target.attest = Attest::normalize(std::mem::take(&mut target.attest));
        }
        "secrets" => {
            let secrets = texts.map(|text| Secret::parse(text));
            let secrets = secrets.collect::<Result<Vec<_>, _>>().map_err(bad)?;
            let secrets = merge(Some(std::mem::take(&mut target.secrets)), secrets, it);
            target.secrets = Secret::normalize(secrets);
        }
        "ssh" => {
            let agents = texts.map(|text| Ssh::parse(text)).collect();
            let agents = merge(Some(std::mem::take(&mut target.ssh)), agents, it);
            target.ssh = Ssh::normalize(agents);
        }
        "policy" => {
            let policies = it.values.iter().map(|text| Policy::parse(text));
            let policies = policies.collect::<Result<Vec<_>, _>>().map_err(bad)?;
            target.policy = merge(Some(std::mem::take(&mut target.policy)), policies, it);
        }
        _ => {
            let message = format!("an override cannot set {key:?}");
            return Err(fail(message)
                .suggest(key, KEYS)
                .in_reference(format!("unknown key: {key}")));
        }
    }
    Ok(())
}

/// Parses the caches of an override.
fn caches(it: &Override) -> Result<Vec<Cache>, AttributeError> {
    let lists = it.values.iter().map(|text| Cache::parse_entries(text));
    Ok(lists.collect::<Result<Vec<_>, _>>()?.concat())
}

/// Returns the old entries with the new ones, or only the new ones.
fn merge<T>(old: Option<Vec<T>>, new: Vec<T>, it: &Override) -> Vec<T> {
    let mut list = if it.append {
        old.unwrap_or_default()
    } else {
        Vec::new()
    };
    list.extend(new);
    list
}

/// Sets an entry of a map.
fn put(map: &mut std::collections::BTreeMap<String, String>, name: String, it: &Override) {
    map.insert(name, it.value.clone());
}

/// Appends to a list of texts, or replaces it.
fn extend_or_replace(list: &mut Option<Vec<String>>, it: &Override) {
    *list = Some(merge(list.take(), it.values.clone(), it));
}

/// Changes the source of a declared secret.
fn change_secret(target: &mut Target, id: &str, value: &str) -> Result<(), Diagnostic> {
    if id.is_empty() {
        return Err(fail("secret needs an id: write TARGET.secret.ID=VALUE"));
    }
    let Some(secret) = target.secrets.iter_mut().find(|secret| secret.id == id) else {
        let known = target.secrets.iter().map(|secret| secret.id.as_str());
        let known: Vec<&str> = known.collect();
        let message = format!("the target has no secret {id:?}, and an override cannot add one");
        return Err(fail(message).suggest(id, known));
    };
    let next = Secret::parse(value).map_err(|error| fail(format!("secret {id}: {error}")))?;
    if !next.id.is_empty() && next.id != id {
        let message = format!("secret {id:?} cannot become secret {:?}", next.id);
        return Err(fail(message));
    }
    secret.path = next.path;
    secret.variable = next.variable;
    Ok(())
}
