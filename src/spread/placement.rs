//! The choice among nodes that serve a platform equally well.

use std::fmt;
use std::str::FromStr;

/// The choice among nodes that serve a platform equally well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Placement {
    /// The node with the fewest running builds; of those the same one for a context.
    #[default]
    Idle,
    /// The first one in the builder's order, as buildx chooses.
    First,
    /// Each context has its own node, which keeps its cache. Others take over builds when that node
    /// has more than its share. See [`pool_node`](super::pool_node).
    Pool,
}

/// The error for an unknown placement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown placement {name:?}: idle, first and pool are known")]
pub struct UnknownPlacement {
    /// The name.
    pub name: String,
}

impl Placement {
    /// All placements.
    pub const ALL: [Self; 3] = [Self::Idle, Self::First, Self::Pool];

    /// Returns the name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::First => "first",
            Self::Pool => "pool",
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Placement {
    type Err = UnknownPlacement;

    fn from_str(text: &str) -> Result<Self, UnknownPlacement> {
        let found = Self::ALL.into_iter().find(|known| known.name() == text);
        found.ok_or_else(|| UnknownPlacement {
            name: text.to_owned(),
        })
    }
}
