//! The environment of a state: variables in the order of their last assignment.
//!
//! A base image, a Dockerfile or a build may have thousands, so no operation iterates over all of
//! them.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Environment variables in the order of their last assignment, which is their order in an exec op.
#[derive(Clone, Debug, Default)]
pub struct Env {
    /// The variables by the number of their assignment.
    entries: BTreeMap<u64, Entry>,
    /// The number of each key's assignment. Of an entry here only the key counts.
    numbers: BTreeMap<Entry, u64>,
    next: u64,
    /// The size of all assignments in bytes.
    text: usize,
}

/// The text `KEY=value`, shared by copies of the environment. Entries are compared by their keys.
#[derive(Clone, Debug)]
struct Entry {
    assignment: Arc<str>,
    key_len: usize,
}

impl Entry {
    fn new(key: &str, value: &str) -> Self {
        Self {
            assignment: [key, "=", value].concat().into(),
            key_len: key.len(),
        }
    }

    fn key(&self) -> &str {
        &self.assignment[..self.key_len]
    }

    fn value(&self) -> &str {
        &self.assignment[self.key_len + 1..]
    }
}

impl Borrow<str> for Entry {
    fn borrow(&self) -> &str {
        self.key()
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(other.key())
    }
}

impl Env {
    /// Returns an empty environment.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries.get(self.numbers.get(key)?).map(Entry::value)
    }

    /// True if `key` is set.
    pub fn contains(&self, key: &str) -> bool {
        self.numbers.contains_key(key)
    }

    /// Sets `key` and moves it to the end.
    pub fn set(&mut self, key: &str, value: &str) {
        self.push(Entry::new(key, value));
    }

    /// Sets the variables of an image's config, in their order. A text without `=` is a name with
    /// an empty value.
    pub(crate) fn set_all(&mut self, assignments: &[String]) {
        for assignment in assignments {
            let (key, value) = assignment.split_once('=').unwrap_or((assignment, ""));
            let number = self.numbers.get(key);
            let known = number.and_then(|number| self.entries.get(number));
            match known.filter(|known| known.value() == value).cloned() {
                Some(known) => self.push(known),
                None => self.set(key, value),
            }
        }
    }

    /// True if these are the last variables, so that [`set_all`](Self::set_all) changes nothing.
    pub(crate) fn ends_with(&self, assignments: &[String]) -> bool {
        assignments.len() <= self.len() && {
            let last = self.entries.values().rev();
            let mut pairs = last.zip(assignments.iter().rev());
            pairs.all(|(entry, assignment)| {
                *entry.assignment == **assignment && !entry.key().contains('=')
            })
        }
    }

    fn push(&mut self, entry: Entry) {
        let number = self.next;
        self.next += 1;
        let earlier = match self.numbers.get_mut(entry.key()) {
            Some(known) => Some(std::mem::replace(known, number)),
            None => self.numbers.insert(entry.clone(), number),
        };
        self.forget(earlier);
        self.text += entry.assignment.len();
        self.entries.insert(number, entry);
    }

    /// Removes `key`.
    pub fn remove(&mut self, key: &str) {
        let number = self.numbers.remove(key);
        self.forget(number);
    }

    fn forget(&mut self, number: Option<u64>) {
        if let Some(gone) = number.and_then(|number| self.entries.remove(&number)) {
            self.text -= gone.assignment.len();
        }
    }

    /// Iterates over the names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.values().map(Entry::key)
    }

    /// Iterates over names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.entries.values();
        entries.map(|entry| (entry.key(), entry.value()))
    }

    /// Iterates over `KEY=value` texts, in order.
    pub fn assignments(&self) -> impl Iterator<Item = &str> {
        self.entries.values().map(|entry| &*entry.assignment)
    }

    /// Returns the number of variables.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the memory of the variables in bytes.
    pub(crate) fn size(&self) -> usize {
        self.text + self.entries.len() * size_of::<(u64, Entry)>()
    }

    /// True if there are no variables.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl PartialEq for Env {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Env {}

impl<'a> FromIterator<(&'a str, &'a str)> for Env {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(variables: I) -> Self {
        let mut env = Self::new();
        for (key, value) in variables {
            env.set(key, value);
        }
        env
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_the_last_assignment() {
        let env: Env = [("a", "1"), ("b", "2"), ("c", ""), ("a", "3=x")]
            .into_iter()
            .collect();
        assert_eq!(
            env.assignments().collect::<Vec<_>>(),
            ["b=2", "c=", "a=3=x"]
        );
        assert_eq!(
            (env.get("a"), env.get("c"), env.get("d")),
            (Some("3=x"), Some(""), None)
        );
    }

    #[test]
    fn a_config_is_set_like_its_variables() {
        let config = ["a=1", "b", "a=2", "=x"].map(str::to_owned);
        let mut env: Env = [("a", "2"), ("c", "3")].into_iter().collect();
        assert!(!env.ends_with(&config));
        env.set_all(&config);
        let assignments: Vec<_> = env.assignments().collect();
        assert_eq!(assignments, ["c=3", "b=", "a=2", "=x"]);
        assert!(env.ends_with(&["a=2", "=x"].map(str::to_owned)));
        assert!(env.ends_with(&[]));
        assert!(!env.ends_with(&["b"].map(str::to_owned)));
        env.set("k=1", "2");
        assert!(!env.ends_with(&["k=1=2"].map(str::to_owned)));
    }

    #[test]
    fn removing_keeps_the_others() {
        let mut env: Env = [("a", "1"), ("b", "2"), ("c", "3")].into_iter().collect();
        env.remove("b");
        env.remove("nothing");
        assert_eq!(env.iter().collect::<Vec<_>>(), [("a", "1"), ("c", "3")]);
        assert_eq!(env.keys().count(), env.len());
        assert_eq!(env, [("a", "1"), ("c", "3")].into_iter().collect());
        assert_ne!(env, [("c", "3"), ("a", "1")].into_iter().collect());
    }
}
