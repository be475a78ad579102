//! What is asked of a Dockerfile: typed for the translation, as attributes for what is forwarded,
//! recorded or attested.

use std::collections::BTreeMap;

use super::Error;
use crate::translate::{AttributeError, Attributes};

/// What is asked of a Dockerfile.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What the translation takes; an error only matters to a Dockerfile that is translated here.
    typed: Result<Box<Attributes>, AttributeError>,
    /// The same as attributes of BuildKit's Dockerfile frontend.
    pub(super) attributes: BTreeMap<String, String>,
}

impl Asked {
    /// Typed values, and the same as attributes.
    pub fn new(
        typed: Result<Attributes, AttributeError>,
        attributes: BTreeMap<String, String>,
    ) -> Self {
        Self {
            typed: typed.map(Box::new),
            attributes,
        }
    }

    /// As attributes, for another frontend.
    pub fn attributes(&self) -> &BTreeMap<String, String> {
        &self.attributes
    }

    /// The same without the main context among the attributes.
    #[must_use]
    pub(crate) fn without_context(mut self) -> Self {
        self.attributes.remove("context");
        self
    }

    /// What the translation takes.
    pub(super) fn typed(&self) -> Result<&Attributes, Error> {
        self.typed.as_deref().map_err(|error| error.clone().into())
    }
}

impl Default for Asked {
    /// Nothing but the Dockerfile.
    fn default() -> Self {
        Self::new(Ok(Attributes::default()), BTreeMap::new())
    }
}

impl From<BTreeMap<String, String>> for Asked {
    /// Attributes as a frontend in the daemon gets them.
    fn from(attributes: BTreeMap<String, String>) -> Self {
        Self::new(Attributes::read(&attributes, ""), attributes)
    }
}
