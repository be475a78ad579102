//! The request for a Dockerfile: typed values for the translation, and attributes that are
//! forwarded, recorded or attested.

use std::collections::BTreeMap;

use super::Error;
use crate::dockerfile::Wording;
use crate::translate::{AttributeError, Attributes};

/// The request for a Dockerfile.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The typed values. An error matters only if the Dockerfile is translated by this library.
    typed: Result<Box<Attributes>, AttributeError>,
    /// The same request as attributes of BuildKit's Dockerfile frontend.
    pub(super) attributes: BTreeMap<String, String>,
    /// The wording of lint findings.
    pub(super) wording: Wording,
}

impl Asked {
    /// Combines typed values with the same request as attributes.
    pub fn new(
        typed: Result<Attributes, AttributeError>,
        attributes: BTreeMap<String, String>,
    ) -> Self {
        Self {
            typed: typed.map(Box::new),
            attributes,
            wording: Wording::Own,
        }
    }

    /// Sets the wording of lint findings.
    #[must_use]
    pub const fn in_words(mut self, wording: Wording) -> Self {
        self.wording = wording;
        self
    }

    /// Returns the attributes, for another frontend.
    pub fn attributes(&self) -> &BTreeMap<String, String> {
        &self.attributes
    }

    /// Removes the main context from the attributes.
    #[must_use]
    pub(crate) fn without_context(mut self) -> Self {
        self.attributes.remove("context");
        self
    }

    /// Returns the typed values.
    pub(super) fn typed(&self) -> Result<&Attributes, Error> {
        self.typed.as_deref().map_err(|error| error.clone().into())
    }
}

impl Default for Asked {
    /// A request for the Dockerfile with default values.
    fn default() -> Self {
        Self::new(Ok(Attributes::default()), BTreeMap::new())
    }
}

impl From<BTreeMap<String, String>> for Asked {
    /// Parses the attributes that a frontend in the daemon receives.
    fn from(attributes: BTreeMap<String, String>) -> Self {
        Self::new(Attributes::read(&attributes, ""), attributes)
    }
}
