//! Mistakes in flags of pushes: `--push-from` and `--sign`.

use std::io;
use std::path::PathBuf;

use solvekit::sign::KeyError;
use thiserror::Error;

use super::Advised;

#[derive(Debug, Error)]
pub(crate) enum PushUsage {
    #[error("{0} is about images that are pushed, and nothing is pushed")]
    NothingToPush(&'static str),
    #[error("cannot sign with {0}: there is no such program")]
    NoSigner(String),
    #[error("cannot read the key {}: {source}", .path.display())]
    KeyUnreadable { path: PathBuf, source: io::Error },
    #[error("cannot use the key {}: {source}", .path.display())]
    Key { path: PathBuf, source: KeyError },
}

impl Advised for PushUsage {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::NothingToPush(flag) => {
                format!("push the image: --push -t REGISTRY/REPOSITORY:TAG; or leave out {flag}")
            }
            Self::NoSigner(_) => "install it, or sign with a key: --sign=key=cosign.key".to_owned(),
            Self::KeyUnreadable { .. } => {
                "make one: cosign generate-key-pair, or openssl genpkey -algorithm EC -pkeyopt \
                 ec_paramgen_curve:P-256"
                    .to_owned()
            }
            Self::Key { path, source } => return for_key(source, &path.display().to_string()),
        })
    }
}

fn for_key(error: &KeyError, path: &str) -> Option<String> {
    match error {
        KeyError::NoPassword | KeyError::WrongPassword => {
            Some("set its password in the variable COSIGN_PASSWORD".to_owned())
        }
        KeyError::Sec1 => Some(format!(
            "convert it: openssl pkcs8 -topk8 -nocrypt -in {path} -out pkcs8.key"
        )),
        _ => Some(
            "a key is what cosign generate-key-pair writes, or ECDSA P-256 in PKCS #8 (PEM)"
                .to_owned(),
        ),
    }
}
