//! Merges the attributes of another target into a target.

use std::collections::BTreeMap;

use super::fields::distinct;
use super::{Attest, Cache, Output, Secret, Ssh, Target};

impl Target {
    /// Merges all attributes that `other` sets.
    ///
    /// Tags, platforms, outputs and `cache-to` are replaced; args, labels, contexts and extra hosts
    /// are replaced by key; everything else is appended.
    pub fn merge(&mut self, other: Self) {
        self.merge_contexts(&other);
        replace(&mut self.context, other.context);
        replace(&mut self.dockerfile, other.dockerfile);
        replace(&mut self.dockerfile_inline, other.dockerfile_inline);
        self.contexts.extend(other.contexts);
        self.args.extend(other.args);
        self.labels.extend(other.labels);
        self.extra_hosts.extend(other.extra_hosts);
        replace(&mut self.tags, other.tags);
        replace(&mut self.target, other.target);
        replace(&mut self.call, other.call);
        self.annotations.extend(other.annotations);
        self.policy.extend(other.policy);
        append(&mut self.attest, other.attest, Attest::normalize);
        append(&mut self.secrets, other.secrets, Secret::normalize);
        append(&mut self.ssh, other.ssh, Ssh::normalize);
        replace(&mut self.platforms, other.platforms);
        if let Some(added) = other.cache_from {
            let mut caches = self.cache_from.take().unwrap_or_default();
            caches.extend(added);
            self.cache_from = Cache::normalize(caches);
        }
        replace(&mut self.cache_to, other.cache_to);
        replace(&mut self.outputs, other.outputs);
        replace(&mut self.pull, other.pull);
        replace(&mut self.no_cache, other.no_cache);
        replace(&mut self.network, other.network);
        self.no_cache_filter.extend(other.no_cache_filter);
        replace(&mut self.shm_size, other.shm_size);
        self.ulimits.extend(other.ulimits);
        if let Some(limits) = other.resources {
            self.resources.get_or_insert_default().merge(limits);
        }
        if !other.description.is_empty() {
            self.description = other.description;
        }
        self.entitlements.extend(other.entitlements);
        self.inherits.extend(other.inherits);
    }

    /// Merges the base directories of `other`'s contexts.
    fn merge_contexts(&mut self, other: &Self) {
        let (base, added) = (&mut self.context_base, &other.context_base);
        if added.default.is_some() {
            base.default.clone_from(&added.default);
            base.uses_default = added.uses_default;
        }
        if other.context.is_some() {
            base.context.clone_from(&added.context);
            base.context_of.clone_from(&added.context_of);
        }
        for name in other.contexts.keys() {
            match added.contexts.get(name) {
                Some(folder) => base.contexts.insert(name.clone(), folder.clone()),
                None => base.contexts.remove(name),
            };
        }
    }

    /// Removes duplicates and empty entries, and adds attributes that follow from others.
    pub fn normalize(&mut self) {
        distinct(&mut self.annotations);
        distinct(&mut self.no_cache_filter);
        distinct(&mut self.ulimits);
        self.tags.iter_mut().for_each(distinct);
        self.platforms.iter_mut().for_each(distinct);
        self.attest = Attest::normalize(std::mem::take(&mut self.attest));
        self.secrets = Secret::normalize(std::mem::take(&mut self.secrets));
        self.ssh = Ssh::normalize(std::mem::take(&mut self.ssh));
        self.cache_from = self.cache_from.take().and_then(Cache::normalize);
        self.cache_to = self.cache_to.take().and_then(Cache::normalize);
        self.outputs = self.outputs.take().and_then(Output::normalize);
        if self.network.as_deref() == Some("host") {
            self.entitlements.push("network.host".to_owned());
        }
        distinct(&mut self.entitlements);
        let contexts: BTreeMap<String, String> = std::mem::take(&mut self.contexts);
        let named = contexts.into_iter().filter(|(_, path)| !path.is_empty());
        self.contexts = named.collect();
    }
}

/// Replaces a value if there is a new one.
fn replace<T>(place: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *place = value;
    }
}

/// Appends entries, and removes duplicates if there are new ones.
fn append<T>(list: &mut Vec<T>, added: Vec<T>, normalize: fn(Vec<T>) -> Vec<T>) {
    if !added.is_empty() {
        list.extend(added);
        *list = normalize(std::mem::take(list));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_replace_and_args_merge() {
        let arg = |key: &str, text: &str| (key.to_owned(), text.to_owned());
        let mut target = Target {
            tags: Some(vec!["a".into()]),
            args: [arg("X", "1"), arg("Y", "1")].into(),
            ..Target::default()
        };
        target.merge(Target {
            tags: Some(Vec::new()),
            args: [arg("Y", "2")].into(),
            ..Target::default()
        });
        assert_eq!(target.tags, Some(Vec::new()));
        assert_eq!(target.args, [arg("X", "1"), arg("Y", "2")].into());
    }
}
