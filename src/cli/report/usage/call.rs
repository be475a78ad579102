//! Mistakes in `--call`.

use thiserror::Error;

/// The reason why a text of `--call` cannot be used.
#[derive(Debug, Error)]
pub(crate) enum CallProblem {
    #[error("{0}")]
    Name(solvekit::frontend::UnknownCall),
    #[error("there is no field {0:?}")]
    Field(String),
    #[error("ignorestatus cannot be {0:?}")]
    IgnoreStatus(String),
    #[error("it names two calls")]
    TwoCalls,
    #[error("--check asks for something else")]
    NotACheck,
}

impl CallProblem {
    /// buildx's message for the whole text.
    pub(super) fn in_buildx(&self, text: &str) -> Option<String> {
        let mut fields = text.split(',');
        Some(match self {
            Self::Name(_) => {
                let name = fields.find(|field| !field.contains('='))?;
                let request = format!("unsupported request frontend.{name}");
                format!("failed to solve: {request}: {request}")
            }
            Self::Field(key) => {
                let is_field = |field: &&str| field.split_once('=').is_some_and(|(k, _)| k == key);
                format!("invalid print field: {}", fields.find(is_field)?)
            }
            Self::IgnoreStatus(value) => format!(
                "invalid ignorestatus print value: {value}: strconv.ParseBool: parsing {value:?}: \
                 invalid syntax"
            ),
            Self::TwoCalls => format!("invalid print value: {text}"),
            Self::NotACheck => return None,
        })
    }
}
