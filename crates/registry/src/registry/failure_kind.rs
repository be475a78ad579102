//! Classifies failures by their remedy: try again later, get access, repair content.

use http::StatusCode;

use super::Error;
use super::retry::{is_broken_connection, is_no_connection, is_passing};

/// The kind of a failure at a registry, for scripts that retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The same request may succeed soon: a broken connection, a timeout, a rate limit, a status
    /// such as 503.
    Transient,
    /// No host answers at the registry's address, which may be wrong or down.
    Unreachable,
    /// The registry or its token server denies access.
    Denied,
    /// The content is wrong: its bytes have another digest or size, or the registry rejects the
    /// manifest.
    Broken,
}

impl Error {
    /// Returns the kind of a failure at a registry; `None` for all other errors.
    pub fn kind(&self) -> Option<FailureKind> {
        let status = match self {
            Self::Refused(refusal) => refusal.status,
            Self::TokenRefused { status, .. } | Self::LoginRefused { status, .. } => *status,
            Self::Silent { .. } | Self::CutOff { .. } => return Some(FailureKind::Transient),
            Self::Unreachable { source, .. } | Self::TokenServer { source, .. } => {
                return match is_broken_connection(source) {
                    true => Some(FailureKind::Transient),
                    false => is_no_connection(source).then_some(FailureKind::Unreachable),
                };
            }
            Self::DigestMismatch { .. } | Self::SizeMismatch { .. } | Self::BadContent { .. } => {
                return Some(FailureKind::Broken);
            }
            _ => return None,
        };
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Some(FailureKind::Denied),
            // The registry has read the request's content and rejects it.
            StatusCode::BAD_REQUEST if matches!(self, Self::Refused(_)) => {
                Some(FailureKind::Broken)
            }
            status if is_passing(status) => Some(FailureKind::Transient),
            _ => None,
        }
    }

    /// Returns true if the registry or its token server denies access: to this user, or until a
    /// login.
    pub fn is_denied(&self) -> bool {
        let status = match self {
            Self::Refused(refusal) => refusal.status,
            Self::TokenRefused { status, .. } => *status,
            _ => return false,
        };
        matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
    }

    /// Returns true if the registry itself or its token server denies access. A refusal that may
    /// come from a gateway on the way does not count.
    pub fn is_own_denial(&self) -> bool {
        match self {
            Self::Refused(refusal) => self.is_denied() && refusal.says_denied,
            Self::TokenRefused { .. } => self.is_denied(),
            _ => false,
        }
    }

    /// Returns true if the registry says that the content does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == StatusCode::NOT_FOUND)
    }
}
