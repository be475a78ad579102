//! The ARGs of a stage: each name once, in the order of the first declarations.

use std::collections::HashMap;

/// The ARGs of a stage. A file may have thousands.
#[derive(Clone, Debug, Default)]
pub(super) struct BuildArgs {
    list: Vec<BuildArg>,
    /// The positions in the list after the first few.
    later: HashMap<String, usize>,
}

/// The number of ARGs that are compared one by one.
const FEW: usize = 8;

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
        if let Some(known) = self.position(name).and_then(|at| self.list.get_mut(at)) {
            if let Some(earlier) = std::mem::replace(&mut known.value, value) {
                known.earlier = Some(earlier);
            }
            return;
        }
        if self.list.len() >= FEW {
            self.later.insert(name.to_owned(), self.list.len());
        }
        self.list.push(BuildArg {
            name: name.to_owned(),
            value,
            earlier: None,
        });
    }

    fn position(&self, name: &str) -> Option<usize> {
        let mut first = self.list.iter().take(FEW);
        let among_first = first.position(|arg| arg.name == name);
        among_first.or_else(|| self.later.get(name).copied())
    }

    /// Returns the number of names.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// True if there is an ARG of this name.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Returns the value of the last ARG of this name that has one.
    pub(super) fn last_value(&self, name: &str) -> Option<&str> {
        let arg = self.list.get(self.position(name)?)?;
        arg.value.as_deref().or(arg.earlier.as_deref())
    }

    /// Returns the names, each with the value of its last ARG.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Option<&str>)> + Clone {
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
        for number in 0..3 * FEW {
            args.push(&format!("N{number}"), Some(number.to_string()));
        }
        args.push("N1", Some("a".to_owned()));
        args.push("N20", Some("b".to_owned()));
        assert_eq!(args.len(), 2 + 3 * FEW);
        assert_eq!(
            (args.last_value("N1"), args.last_value("N20")),
            (Some("a"), Some("b"))
        );
    }
}
