//! What a build may use by id: its own entries, and those of linked builds while they are allowed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Entries by their ids.
#[derive(Debug, Clone)]
pub(super) struct Granted<T> {
    own: BTreeMap<String, T>,
    /// Entries that are served while their flag is true.
    guarded: BTreeMap<String, (Arc<AtomicBool>, T)>,
}

impl<T> Default for Granted<T> {
    fn default() -> Self {
        Self {
            own: BTreeMap::new(),
            guarded: BTreeMap::new(),
        }
    }
}

impl<T: Clone> Granted<T> {
    /// True if there is no entry that is always served.
    pub(super) fn has_no_own(&self) -> bool {
        self.own.is_empty()
    }

    /// True if there is no entry at all.
    pub(super) fn is_empty(&self) -> bool {
        self.own.is_empty() && self.guarded.is_empty()
    }

    /// The ids of the entries that are always served.
    pub(super) fn own_ids(&self) -> impl Iterator<Item = &String> {
        self.own.keys()
    }

    /// True if the entry is always served.
    pub(super) fn has_own(&self, id: &str) -> bool {
        self.own.contains_key(id)
    }

    /// Adds an entry and replaces an earlier one with the id.
    pub(super) fn insert(&mut self, id: String, entry: T) {
        self.own.insert(id, entry);
    }

    /// The entry, if it is served now.
    pub(super) fn get(&self, id: &str) -> Option<&T> {
        let guarded = || {
            let (flag, entry) = self.guarded.get(id)?;
            flag.load(Ordering::Relaxed).then_some(entry)
        };
        self.own.get(id).or_else(guarded)
    }

    /// Adds the entries of another list whose ids are free.
    pub(super) fn add_missing(&mut self, others: &Self) {
        for (id, entry) in &others.own {
            let place = self.own.entry(id.clone());
            place.or_insert_with(|| entry.clone());
        }
    }

    /// Adds those of another list whose ids are free and allowed, served while the flag is true.
    pub(super) fn add_allowed(
        &mut self,
        others: &Self,
        flag: &Arc<AtomicBool>,
        is_allowed: impl Fn(&str) -> bool,
    ) {
        for (id, entry) in others.own.iter().filter(|(id, _)| is_allowed(id)) {
            let place = self.guarded.entry(id.clone());
            place.or_insert_with(|| (Arc::clone(flag), entry.clone()));
        }
    }
}
