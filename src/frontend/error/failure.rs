//! The failure that the daemon keeps in its build history.

use super::Error;
use crate::causes;
use crate::client::{self, Code, Detail, Failure};

impl Error {
    /// Returns the failure for the daemon's build history: the daemon's own with all details, or
    /// this error's text with the Dockerfile lines.
    pub fn to_failure(&self) -> Failure {
        let own = |lines: &client::SourceDetail, message: &str| {
            let failure = Failure::new(Code::Unknown, message);
            match lines.ranges.is_empty() {
                true => failure,
                false => failure.with_source(lines.clone()),
            }
        };
        let from_daemon = match self {
            Self::Syntax(failure) => return own(&failure.detail, &failure.message),
            Self::Translate(failure) => return own(&failure.detail, &failure.message),
            Self::Refused(failure) => {
                let message = failure.to_string();
                return match &failure.detail {
                    Some(lines) => own(lines, &message),
                    None => Failure::new(Code::Unknown, message),
                };
            }
            Self::Solve(failure) => match (failure.source.failure(), &failure.lines) {
                (None, Some(lines)) => return own(lines, &failure.message),
                (Some(found), Some(lines)) => return found.clone().with_source(lines.clone()),
                (found, None) => found,
            },
            Self::Gateway(error) => error.failure(),
            Self::Dockerfile { source, .. } | Self::Context { source, .. } => {
                let what = self.to_string();
                return match source.failure() {
                    Some(failure) => failure.clone().during(&what),
                    None => Failure::new(Code::Unknown, causes::in_one_line(self)),
                };
            }
            Self::FrontendCapability { name } => {
                let failure = Failure::new(Code::Unimplemented, self.to_string());
                return failure.with_detail(Detail::FrontendCap { name: name.clone() });
            }
            Self::UnknownRequest { id } => {
                let failure = Failure::new(Code::Unknown, self.to_string());
                return failure.with_detail(Detail::Subrequest { name: id.clone() });
            }
            _ => None,
        };
        from_daemon
            .cloned()
            .unwrap_or_else(|| Failure::new(Code::Unknown, causes::in_one_line(self)))
    }
}
