//! Estimates the memory of a target.

use std::collections::BTreeMap;

use super::Target;

/// The size of a text or an entry without its content, in bytes.
const ENTRY: usize = 64;

impl Target {
    /// Returns the approximate size of the target in bytes.
    pub(crate) fn size(&self) -> usize {
        let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let single = [
            &self.context,
            &self.dockerfile,
            &self.dockerfile_inline,
            &self.target,
            &self.network,
            &self.shm_size,
            &self.call,
        ];
        let lists = [
            &self.inherits,
            &self.annotations,
            &self.no_cache_filter,
            &self.ulimits,
            &self.entitlements,
        ];
        let optional_lists = [&self.tags, &self.platforms];
        let maps = [
            &self.contexts,
            &self.args,
            &self.labels,
            &self.extra_hosts,
            &self.context_base.contexts,
        ];
        let caches = self.cache_from.iter().chain(&self.cache_to).flatten();
        let attributes = caches
            .map(|cache| &cache.attributes)
            .chain(self.outputs.iter().flatten().map(|it| &it.attributes))
            .chain(self.attest.iter().map(|attest| &attest.attributes));
        size_of::<Self>()
            + self.name.len()
            + self.description.len()
            + single.into_iter().map(optional).sum::<usize>()
            + lists.into_iter().map(|list| of_list(list)).sum::<usize>()
            + optional_lists
                .into_iter()
                .flatten()
                .map(|list| of_list(list))
                .sum::<usize>()
            + maps
                .into_iter()
                .chain(attributes)
                .map(of_map)
                .sum::<usize>()
            + self
                .secrets
                .iter()
                .map(|it| it.id.len() + it.path.len() + it.variable.len() + 2 * ENTRY)
                .sum::<usize>()
            + self
                .ssh
                .iter()
                .map(|it| it.id.len() + ENTRY + of_list(&it.paths))
                .sum::<usize>()
            + self
                .policy
                .iter()
                .map(|it| ENTRY + of_list(&it.files))
                .sum::<usize>()
    }
}

/// Returns the size of a list of texts in bytes.
fn of_list(list: &[String]) -> usize {
    list.iter().map(|text| text.len() + ENTRY).sum()
}

/// Returns the size of a map of texts in bytes.
fn of_map(map: &BTreeMap<String, String>) -> usize {
    /// The size of the first entry: the table allocates space for eleven.
    const TABLE: usize = 600;
    let entries = map.iter();
    let entries = entries.map(|(key, text)| key.len() + text.len() + 2 * ENTRY);
    entries.sum::<usize>() + if map.is_empty() { 0 } else { TABLE }
}
