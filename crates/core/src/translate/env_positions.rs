//! The places of variables in an image's config. A stage may have thousands.

use std::collections::HashMap;

/// The position of the first assignment of each variable, in an environment that only grows.
#[derive(Debug, Default)]
pub(super) struct EnvPositions {
    known: HashMap<String, usize>,
    /// The number of assignments that are in `known`.
    seen: usize,
}

impl EnvPositions {
    /// The most variables that are compared one by one.
    const FEW: usize = 16;

    /// Returns the position of the first assignment of `key`.
    pub(super) fn find(&mut self, env: &[String], key: &str) -> Option<usize> {
        if env.len() <= Self::FEW {
            return env.iter().position(|assignment| name(assignment) == key);
        }
        for (at, assignment) in env.iter().enumerate().skip(self.seen) {
            self.known.entry(name(assignment).to_owned()).or_insert(at);
        }
        self.seen = env.len();
        self.known.get(key).copied()
    }
}

/// Returns the name of an assignment, which ends at the first `=`.
fn name(assignment: &str) -> &str {
    let (name, _) = assignment.split_once('=').unwrap_or((assignment, ""));
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_assignment_of_a_name_counts_in_short_and_long_lists() {
        let mut positions = EnvPositions::default();
        let mut env = Vec::new();
        for number in 0..3 * EnvPositions::FEW {
            env.push(format!("N{number}=x=y"));
            env.push("N0=again".to_owned());
            assert_eq!(positions.find(&env, "N0"), Some(0));
            assert_eq!(
                positions.find(&env, &format!("N{number}")),
                Some(2 * number)
            );
            assert_eq!(positions.find(&env, "N"), None);
        }
    }
}
