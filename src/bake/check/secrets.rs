//! Secrets: their files must exist and must not be too large.

use solvekit_bake::target::Secret;

use super::{CheckError, Found, Machine};

/// The largest size of a secret's file, in bytes.
pub(super) const MAX_SECRET: u64 = 500 * 1024;

pub(super) fn check(secret: &Secret, machine: &dyn Machine) -> Result<(), CheckError> {
    if secret.id.is_empty() {
        return Err(CheckError::SecretWithoutId);
    }
    let by_id = secret.path.is_empty() && secret.variable.is_empty();
    let path = match by_id && machine.variable(&secret.id).is_none() {
        true => &secret.id,
        false => &secret.path,
    };
    if path.is_empty() {
        return Ok(());
    }
    match machine.look(path) {
        Ok(Found::File(size)) if size > MAX_SECRET => Err(CheckError::SecretTooLarge {
            id: secret.id.clone(),
            size,
        }),
        Ok(_) => Ok(()),
        Err(source) => {
            let (id, path) = (secret.id.clone(), path.clone());
            Err(CheckError::SecretFile { id, path, source })
        }
    }
}
