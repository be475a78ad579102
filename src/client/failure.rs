//! A daemon's failure: a gRPC status with typed details.

use std::fmt;

use prost::Message;

use super::{Detail, SourceDetail, details, details_json};
use crate::proto::google::rpc;

/// The kind of a failure, with gRPC's numbers and Go's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
#[allow(missing_docs)]
pub enum Code {
    Ok = 0,
    Canceled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

const CODES: [Code; 17] = [
    Code::Ok,
    Code::Canceled,
    Code::Unknown,
    Code::InvalidArgument,
    Code::DeadlineExceeded,
    Code::NotFound,
    Code::AlreadyExists,
    Code::PermissionDenied,
    Code::ResourceExhausted,
    Code::FailedPrecondition,
    Code::Aborted,
    Code::OutOfRange,
    Code::Unimplemented,
    Code::Internal,
    Code::Unavailable,
    Code::DataLoss,
    Code::Unauthenticated,
];

impl From<i32> for Code {
    fn from(number: i32) -> Self {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        CODES.get(index).copied().unwrap_or(Self::Unknown)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The daemon's description of a failed call, usually a build.
///
/// It is printed like the reference does: the message, after the code's name unless the code is
/// `Unknown`.
#[derive(Clone, PartialEq)]
pub struct Failure {
    /// The kind.
    pub code: Code,
    /// The message, for example
    /// `process "/bin/sh -c false" did not complete successfully: exit code: 1`.
    pub message: String,
    /// The details, in the order of the wire, without Go's stack traces.
    pub details: Vec<Detail>,
    /// All details unchanged: a `Return` must send even unknown ones back to the daemon.
    status: rpc::Status,
}

impl Failure {
    /// Creates a failure of this client, to return to the daemon as the end of a build.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        let status = rpc::Status {
            code: code as i32,
            message: message.clone(),
            details: Vec::new(),
        };
        Self {
            code,
            message,
            details: Vec::new(),
            status,
        }
    }

    /// Adds the source lines of the failure. A failure with source lines stays unchanged: the
    /// reference expects one such detail.
    #[must_use]
    pub fn with_source(mut self, source: SourceDetail) -> Self {
        if self.source().is_none() {
            self.status
                .details
                .push(details_json::source_to_any(&source));
            self.details.push(Detail::Source(source));
        }
        self
    }

    /// Adds a detail. Only [`Detail::FrontendCap`] and [`Detail::Subrequest`] can be a frontend's
    /// own; others are omitted on the wire.
    #[must_use]
    pub fn with_detail(mut self, detail: Detail) -> Self {
        self.status.details.extend(details_json::to_any(&detail));
        self.details.push(detail);
        self
    }

    /// Puts a description of the operation before the message.
    #[must_use]
    pub fn during(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self.status.message.clone_from(&self.message);
        self
    }

    pub(crate) fn from_status(status: tonic::Status) -> Self {
        let details = rpc::Status::decode(status.details())
            .map(|decoded| decoded.details)
            .unwrap_or_default();
        Self::from_proto(rpc::Status {
            code: status.code() as i32,
            message: status.message().to_owned(),
            details,
        })
    }

    pub(crate) fn from_proto(status: rpc::Status) -> Self {
        Self {
            code: status.code.into(),
            message: status.message.clone(),
            details: status.details.iter().filter_map(details::decode).collect(),
            status,
        }
    }

    pub(crate) fn to_proto(&self) -> rpc::Status {
        self.status.clone()
    }

    /// Returns the exit code, if a process failed.
    ///
    /// Newer daemons send it as a detail; for others it is parsed from the message.
    pub fn exit_code(&self) -> Option<i32> {
        let detail = self.details.iter().find_map(|detail| match detail {
            Detail::Exit { code } => Some(*code),
            _ => None,
        });
        detail.or_else(|| exit_code_in(&self.message))
    }

    /// Returns the source lines of the failure.
    pub fn source(&self) -> Option<&SourceDetail> {
        self.details.iter().find_map(|detail| match detail {
            Detail::Source(source) => Some(source),
            _ => None,
        })
    }

    /// Returns the digest of the failed step, as used in progress.
    pub fn vertex(&self) -> Option<&str> {
        self.details.iter().find_map(|detail| match detail {
            Detail::Vertex { digest } => Some(digest.as_str()),
            _ => None,
        })
    }

    /// True if the daemon's cache has lost the files of a step.
    pub fn is_of_lost_files(&self) -> bool {
        // `snapshot KEY does not exist: not found`, or `parent snapshot …`, from containerd.
        self.message.contains("snapshot ") && self.message.contains(" does not exist: not found")
    }

    /// Returns the failed operation.
    pub fn operation(&self) -> Option<&details::OperationDetail> {
        self.details.iter().find_map(|detail| match detail {
            Detail::Operation(operation) => Some(operation.as_ref()),
            _ => None,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Code::Ok | Code::Unknown => f.write_str(&self.message),
            code => write!(f, "{code}: {}", self.message),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("code", &self.code)
            .field("message", &self.message)
            .field("details", &self.details)
            .finish()
    }
}

impl std::error::Error for Failure {}

/// Parses `process "…" did not complete successfully: exit code: 3`; more text may follow.
fn exit_code_in(message: &str) -> Option<i32> {
    let (_, rest) = message.rsplit_once("did not complete successfully: exit code: ")?;
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_is_found_in_the_message() {
        let code = |message: &str| Failure::new(Code::Unknown, message).exit_code();
        assert_eq!(
            code(r#"process "/bin/sh -c exit 3" did not complete successfully: exit code: 3"#),
            Some(3)
        );
        assert_eq!(
            code(r#"process "x" did not complete successfully: exit code: 137: context canceled"#),
            Some(137)
        );
        assert_eq!(
            code(r#"process "x" did not complete successfully: cannot allocate memory"#),
            None
        );
        assert_eq!(code("exit code: 3"), None);
    }

    #[test]
    fn a_failure_is_printed_with_its_code_unless_that_is_unknown() {
        assert_eq!(
            Failure::new(Code::NotFound, "no such image").to_string(),
            "NotFound: no such image"
        );
        assert_eq!(
            Failure::new(Code::Unknown, "no such image").to_string(),
            "no such image"
        );
    }

    #[test]
    fn unknown_codes_are_unknown() {
        assert_eq!(Code::from(8), Code::ResourceExhausted);
        assert_eq!(Code::from(-1), Code::Unknown);
        assert_eq!(Code::from(17), Code::Unknown);
    }
}
