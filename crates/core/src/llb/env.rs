//! The environment of a state: variables in the order of their last assignment.

use std::ops::Range;

/// Environment variables, ordered by when each was assigned last, which is their order in an exec op.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env {
    /// `KEY=value` of all entries, one after the other.
    text: String,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    start: usize,
    key_len: usize,
    len: usize,
}

impl Entry {
    fn range(self) -> Range<usize> {
        self.start..self.start + self.len
    }
}

impl Env {
    /// No variable.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self.position(key)?;
        Some(self.value(self.entries[at]))
    }

    /// Is `key` set?
    pub fn contains(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// Sets `key`; an earlier assignment loses its place.
    pub fn set(&mut self, key: &str, value: &str) {
        self.remove(key);
        let start = self.text.len();
        self.text.reserve(key.len() + value.len() + 1);
        self.text.push_str(key);
        self.text.push('=');
        self.text.push_str(value);
        self.entries.push(Entry {
            start,
            key_len: key.len(),
            len: self.text.len() - start,
        });
    }

    /// Removes `key`.
    pub fn remove(&mut self, key: &str) {
        let Some(at) = self.position(key) else { return };
        let gone = self.entries.remove(at);
        self.text.replace_range(gone.range(), "");
        for entry in &mut self.entries[at..] {
            entry.start -= gone.len;
        }
    }

    /// The variables' names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| self.key(*entry))
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .map(|entry| (self.key(*entry), self.value(*entry)))
    }

    /// `KEY=value`, in order.
    pub fn assignments(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &self.text[entry.range()])
    }

    /// How many variables there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The memory that they take, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.text.len() + std::mem::size_of_val(self.entries.as_slice())
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn key(&self, entry: Entry) -> &str {
        &self.text[entry.start..entry.start + entry.key_len]
    }

    fn value(&self, entry: Entry) -> &str {
        &self.text[entry.start + entry.key_len + 1..entry.range().end]
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| entry.key_len == key.len() && self.key(*entry) == key)
    }
}

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
    }
}
