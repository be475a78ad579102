//! Formats a target as JSON: the attributes in the reference's order, absent ones omitted.

use std::collections::BTreeMap;

use super::json::Writer;
use crate::target::{Attest, Cache, Output, Policy, Resources, Secret, Ssh, Target};

/// Writes one target.
pub(super) fn write(writer: &mut Writer, target: &Target) {
    writer.object(|writer| {
        text(writer, "description", &target.description);
        let annotations: Vec<String> = target.annotations.iter().map(|text| escape(text)).collect();
        texts(writer, "annotations", &annotations);
        list(writer, "attest", &target.attest, attest);
        optional(writer, "context", target.context.as_deref());
        pairs(writer, "contexts", &target.contexts);
        optional(writer, "dockerfile", target.dockerfile.as_deref());
        let inline = target.dockerfile_inline.as_deref().map(escape);
        optional(writer, "dockerfile-inline", inline.as_deref());
        pairs(writer, "args", &escaped(&target.args));
        pairs(writer, "labels", &escaped(&target.labels));
        texts(writer, "tags", target.tags.as_deref().unwrap_or_default());
        list(
            writer,
            "cache-from",
            target.cache_from.as_deref().unwrap_or_default(),
            cache,
        );
        list(
            writer,
            "cache-to",
            target.cache_to.as_deref().unwrap_or_default(),
            cache,
        );
        optional(writer, "target", target.target.as_deref());
        list(writer, "secret", &target.secrets, secret);
        list(writer, "ssh", &target.ssh, ssh);
        texts(
            writer,
            "platforms",
            target.platforms.as_deref().unwrap_or_default(),
        );
        list(
            writer,
            "output",
            target.outputs.as_deref().unwrap_or_default(),
            output,
        );
        flag(writer, "pull", target.pull);
        flag(writer, "no-cache", target.no_cache);
        optional(writer, "network", target.network.as_deref());
        texts(writer, "no-cache-filter", &target.no_cache_filter);
        optional(writer, "shm-size", target.shm_size.as_deref());
        texts(writer, "ulimits", &target.ulimits);
        if let Some(limits) = &target.resources {
            writer.key("resources");
            resources(writer, limits);
        }
        optional(writer, "call", target.call.as_deref());
        texts(writer, "entitlements", &target.entitlements);
        pairs(writer, "extra-hosts", &escaped(&target.extra_hosts));
        list(writer, "policy", &target.policy, policy);
    });
}

/// Escapes text that HCL would parse as an expression.
fn escape(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

fn escaped(pairs: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| (key.clone(), escape(value)))
        .collect()
}

fn text(writer: &mut Writer, key: &str, value: &str) {
    optional(writer, key, Some(value).filter(|value| !value.is_empty()));
}

fn optional(writer: &mut Writer, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        writer.key(key);
        writer.text(value);
    }
}

fn flag(writer: &mut Writer, key: &str, value: Option<bool>) {
    if let Some(value) = value {
        writer.key(key);
        writer.flag(value);
    }
}

fn texts(writer: &mut Writer, key: &str, values: &[String]) {
    list(writer, key, values, |writer, value| writer.text(value));
}

fn list<T>(writer: &mut Writer, key: &str, values: &[T], each: impl Fn(&mut Writer, &T)) {
    if !values.is_empty() {
        writer.key(key);
        writer.list(values, each);
    }
}

fn pairs(writer: &mut Writer, key: &str, pairs: &BTreeMap<String, String>) {
    if !pairs.is_empty() {
        writer.key(key);
        map(writer, pairs);
    }
}

fn map(writer: &mut Writer, pairs: &BTreeMap<String, String>) {
    writer.object(|writer| {
        for (key, value) in pairs {
            optional(writer, key, Some(value));
        }
    });
}

/// A value of an attestation's attribute.
enum Field<'a> {
    Text(&'a str),
    Flag,
}

fn attest(writer: &mut Writer, attest: &Attest) {
    let own = attest
        .attributes
        .iter()
        .map(|(key, value)| (key.as_str(), Field::Text(value)));
    let mut fields: BTreeMap<&str, Field<'_>> = own.collect();
    fields.insert("type", Field::Text(&attest.kind));
    if attest.disabled {
        fields.insert("disabled", Field::Flag);
    }
    writer.object(|writer| {
        for (key, field) in fields {
            match field {
                Field::Text(value) => optional(writer, key, Some(value)),
                Field::Flag => flag(writer, key, Some(true)),
            }
        }
    });
}

fn cache(writer: &mut Writer, cache: &Cache) {
    let mut fields = cache.attributes.clone();
    fields.insert("type".to_owned(), cache.kind.clone());
    map(writer, &fields);
}

fn output(writer: &mut Writer, output: &Output) {
    let mut fields = output.attributes.clone();
    fields.insert("type".to_owned(), output.kind.clone());
    if !output.destination.is_empty() {
        fields.insert("dest".to_owned(), output.destination.clone());
    }
    map(writer, &fields);
}

fn secret(writer: &mut Writer, secret: &Secret) {
    writer.object(|writer| {
        text(writer, "id", &secret.id);
        text(writer, "src", &secret.path);
        text(writer, "env", &secret.variable);
    });
}

fn ssh(writer: &mut Writer, ssh: &Ssh) {
    writer.object(|writer| {
        text(writer, "id", &ssh.id);
        texts(writer, "paths", &ssh.paths);
    });
}

fn resources(writer: &mut Writer, limits: &Resources) {
    let number = |writer: &mut Writer, key: &str, value: Option<i64>| {
        if let Some(value) = value {
            writer.key(key);
            writer.number(value);
        }
    };
    writer.object(|writer| {
        optional(writer, "memory", limits.memory.as_deref());
        optional(writer, "memory-swap", limits.memory_swap.as_deref());
        number(writer, "cpu-shares", limits.cpu_shares);
        number(writer, "cpu-period", limits.cpu_period);
        number(writer, "cpu-quota", limits.cpu_quota);
        optional(writer, "cpuset-cpus", limits.cpuset_cpus.as_deref());
        optional(writer, "cpuset-mems", limits.cpuset_mems.as_deref());
    });
}

/// Writes a policy; the reference prints the names of its own Go fields.
fn policy(writer: &mut Writer, policy: &Policy) {
    writer.object(|writer| {
        writer.key("Files");
        if policy.files.is_empty() {
            writer.null();
        } else {
            writer.list(&policy.files, |writer, name| {
                writer.object(|writer| {
                    optional(writer, "Filename", Some(name));
                    writer.key("Data");
                    writer.null();
                });
            });
        }
        flag(writer, "Reset", Some(policy.reset));
        flag(writer, "Disabled", Some(policy.disabled));
        writer.key("Strict");
        match policy.strict {
            Some(strict) => writer.flag(strict),
            None => writer.null(),
        }
        writer.key("LogLevel");
        match policy.log_level {
            Some(level) => writer.text(level.name()),
            None => writer.null(),
        }
    });
}
