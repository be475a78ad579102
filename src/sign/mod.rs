//! Signs pushed images with a command such as `cosign`, or with a cosign key.
//!
//! A signature refers to a digest, so an image is signed before a tag points to it. A key's
//! signature is stored as by `cosign sign --key` of cosign 2: in a manifest with the tag
//! `sha256-HEX.sig` beside the image.

mod command;
mod error;
mod key;
mod sealed;
mod signature;

pub use command::SignCommand;
pub use error::{Error, KeyError};
pub use key::SigningKey;

use std::sync::Arc;

use crate::oci::{Digest, Reference};
use crate::registry::Client;
use crate::steps::Step;

/// The signer.
#[derive(Debug, Clone)]
pub enum Signer {
    /// A program, called with `REPOSITORY@DIGEST`.
    Command(SignCommand),
    /// This process, with a key.
    Key(Arc<SigningKey>),
}

impl Signer {
    /// Signs a manifest or an index in a repository. It must exist there.
    ///
    /// # Errors
    /// [`Error`]: the program failed, or the signature could not be stored.
    pub async fn sign(
        &self,
        client: &Client,
        repository: &Reference,
        digest: &Digest,
        step: &dyn Step,
    ) -> Result<(), Error> {
        match self {
            Self::Command(command) => {
                let image = repository.without_tag().with_digest(digest.clone());
                command.run(&image, step).await
            }
            Self::Key(key) => signature::push(client, repository, digest, key).await,
        }
    }
}
