//! The environment of a state: variables in the order of their last assignment.
//!
//! A base image, a Dockerfile or a build may have thousands, so no operation iterates over all of
//! them.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Environment variables in the order of their last assignment, which is their order in an exec op.
#[derive(Clone, Debug, Default)]
pub struct Env {
    /// The variables by the number of their assignment.
    entries: BTreeMap<u64, Entry>,
    /// The number of each key's assignment.
    numbers: BTreeMap<Arc<str>, u64>,
    next: u64,
    /// The size of all assignments in bytes.
    text: usize,
}

/// The text `KEY=value`, shared by copies of the environment.
#[derive(Clone, Debug)]
struct Entry {
    assignment: Arc<str>,
    key_len: usize,
}

impl Entry {
    fn key(&self) -> &str {
        &self.assignment[..self.key_len]
    }

    fn value(&self) -> &str {
        &self.assignment[self.key_len + 1..]
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
        let number = self.next;
        self.next += 1;
        let earlier = match self.numbers.get_mut(key) {
            Some(known) => Some(std::mem::replace(known, number)),
            None => self.numbers.insert(key.into(), number),
        };
        self.forget(earlier);
        let entry = Entry {
            assignment: [key, "=", value].concat().into(),
            key_len: key.len(),
        };
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
