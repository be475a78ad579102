//! The ARGs of a stage: each name once, in the order of the first declarations.

use std::collections::HashMap;

/// The ARGs of a stage, indexed by name: a file may have thousands.
#[derive(Clone, Debug, Default)]
pub(super) struct BuildArgs {
    list: Vec<BuildArg>,
    positions: HashMap<String, usize>,
}

/// All ARGs of one name.
#[derive(Clone, Debug)]
struct BuildArg {
    name: String,
    /// The value of the last one.
    value: Option<String>,
    /// The value before that, if the last one has none.
    earlier: Option<String>,
}

impl BuildArgs {
    /// Adds an ARG.
    pub(super) fn push(&mut self, name: &str, value: Option<String>) {
        let position = self.positions.get(name);
        if let Some(known) = position.and_then(|position| self.list.get_mut(*position)) {
            if let Some(earlier) = std::mem::replace(&mut known.value, value) {
                known.earlier = Some(earlier);
            }
            return;
        }
        self.positions.insert(name.to_owned(), self.list.len());
        self.list.push(BuildArg {
            name: name.to_owned(),
            value,
            earlier: None,
        });
    }

    /// Returns the number of names.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// True if there is an ARG of this name.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.positions.contains_key(name)
    }

    /// Returns the value of the last ARG of this name that has one.
    pub(super) fn last_value(&self, name: &str) -> Option<&str> {
        let arg = self.list.get(*self.positions.get(name)?)?;
        arg.value.as_deref().or(arg.earlier.as_deref())
    }

    /// Returns the names, each with the value of its last ARG.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Option<&str>)> {
        self.list
            .iter()
            .map(|arg| (arg.name.as_str(), arg.value.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_place_and_takes_the_last_value() {
        let mut args = BuildArgs::default();
        for (name, value) in [("A", Some("1")), ("B", None), ("A", Some("2")), ("A", None)] {
            args.push(name, value.map(str::to_owned));
        }
        assert_eq!(args.iter().collect::<Vec<_>>(), [("A", None), ("B", None)]);
        assert_eq!(args.last_value("A"), Some("2"));
        assert_eq!((args.last_value("B"), args.last_value("C")), (None, None));
        assert!(args.contains("B") && !args.contains("C"));
    }
}
