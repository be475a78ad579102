//! Mistakes in graphs for `solve`.

use std::path::PathBuf;

use thiserror::Error;

use super::Advised;

#[derive(Debug, Error)]
pub(crate) enum GraphUsage {
    #[error("{0}")]
    NotAGraph(String),
    #[error("the graph is empty: it has no step")]
    Empty,
    #[error("--output {0:?} has no type=")]
    OutputWithoutType(String),
    #[error("there is nothing to solve: stdin is a terminal")]
    Terminal,
    #[error("invalid --registry-auth-tlscontext {text:?}: {reason}")]
    TlsContext { text: String, reason: String },
    #[error("{reason}")]
    Rules { path: PathBuf, reason: String },
}

impl Advised for GraphUsage {
    fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::NotAGraph(_) => "solvekit llb --format pb makes one",
            Self::Empty => {
                "name a frontend instead: --frontend dockerfile.v0 --local context=. \
                 --local dockerfile=."
            }
            Self::Terminal => {
                "pipe a graph in, for example from solvekit llb --format pb, or name a frontend: \
                 --frontend dockerfile.v0"
            }
            Self::OutputWithoutType(path) => {
                return Some(match path.contains('=') {
                    true => "name the kind of output first: --output type=image,…".to_owned(),
                    false => format!("for files: --output type=local,dest={path}"),
                });
            }
            Self::TlsContext { .. } => {
                "for example host=registry.example.com,ca=ca.pem,cert=cert.pem,key=key.pem"
            }
            Self::Rules { path, .. } => {
                return Some(format!("the rules are in {}", path.display()));
            }
        };
        Some(advice.to_owned())
    }

    /// buildctl's message.
    fn in_buildx(&self) -> Option<String> {
        match self {
            Self::Empty | Self::Terminal => {
                Some("please specify --frontend or pipe LLB definition to stdin".to_owned())
            }
            Self::OutputWithoutType(text) if text.contains('=') => {
                Some("--output requires type=<type>".to_owned())
            }
            Self::OutputWithoutType(text) => Some(format!("invalid value {text}")),
            Self::TlsContext { text, .. } => {
                let field = text.split(',').find(|field| !field.contains('='));
                field.map(|field| format!("invalid value {field}"))
            }
            Self::NotAGraph(_) | Self::Rules { .. } => None,
        }
    }
}
