//! Reads registries' answers: bytes up to a limit, or the reason for a refusal.

use std::io::Read as _;
use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::Response;

use super::access::Access;
use super::message::{error_message, read_some, says_denied};
use super::remote::unreachable;
use super::retry::requested_wait;
use super::{ContentProblem, Error, Refusal, RefusedAction};
use crate::oci::Reference;

/// The read limit in bytes; no real manifest or config is larger.
pub(super) const LIMIT: usize = 8 << 20;
/// The timeout for the next piece of an answer's body.
pub(super) const PIECE: Duration = Duration::from_secs(60);

/// A requested operation, for error messages.
pub(super) struct Operation<'a> {
    pub(super) action: RefusedAction,
    /// The repository.
    pub(super) of: &'a Reference,
    /// The tag or digest.
    pub(super) what: &'a str,
    pub(super) access: &'a Access,
}

impl Operation<'_> {
    /// Returns the answer if its status is a success.
    pub(super) async fn succeeded(&self, answer: Response) -> Result<Response, Error> {
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(self.refused(answer).await)
    }

    /// Converts a refusal to an error with the registry's reason.
    pub(super) async fn refused(&self, answer: Response) -> Error {
        let status = answer.status();
        if matches!(
            status,
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
        ) && is_web_page(&answer)
        {
            return self.not_a_registry(&answer);
        }
        let requested_wait = requested_wait(answer.headers());
        let text = read_some(answer).await;
        let denied = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        Error::Refused(Box::new(Refusal {
            registry: self.of.domain().to_owned(),
            action: self.action,
            repository: self.of.path().to_owned(),
            what: self.what.to_owned(),
            scopes: match denied {
                true => self.access.scopes.clone(),
                false => Vec::new(),
            },
            status,
            message: error_message(&text),
            requested_wait,
            says_denied: says_denied(&text),
        }))
    }

    /// The error for an answer that is a web page.
    pub(super) fn not_a_registry(&self, answer: &Response) -> Error {
        Error::NotARegistry {
            host: self.of.domain().to_owned(),
            status: answer.status(),
        }
    }
}

/// Returns true if the answer is HTML.
pub(super) fn is_web_page(answer: &Response) -> bool {
    content_type(answer).eq_ignore_ascii_case("text/html")
}

/// Returns the media type without parameters.
pub(super) fn content_type(answer: &Response) -> &str {
    let value = answer.headers().get(CONTENT_TYPE);
    let text = value.and_then(|value| value.to_str().ok());
    let text = text.unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim()
}

/// Returns a header's text.
pub(super) fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}

/// True if the answer announces its length, so that a cut connection is an error. Without a length,
/// the end of the connection is the end of the answer.
pub(super) fn has_length(answer: &Response) -> bool {
    answer.headers().contains_key(CONTENT_LENGTH)
}

/// Reads the whole body, unless it is too large, and undoes a gateway's compression.
pub(super) async fn read_all(of: &Reference, mut answer: Response) -> Result<Vec<u8>, Error> {
    let encoding = answer.headers().get(CONTENT_ENCODING);
    let is_gzip = encoding.is_some_and(|value| {
        let value = value.as_bytes();
        value.eq_ignore_ascii_case(b"gzip") || value.eq_ignore_ascii_case(b"x-gzip")
    });
    let mut body = Vec::new();
    while let Some(chunk) = next(of.domain(), &mut answer).await? {
        body.extend_from_slice(&chunk);
        if body.len() > LIMIT {
            return Err(too_large(of));
        }
    }
    match is_gzip {
        true => unzip(of, &body),
        false => Ok(body),
    }
}

fn unzip(of: &Reference, body: &[u8]) -> Result<Vec<u8>, Error> {
    let mut plain = Vec::new();
    let unzipped = flate2::read::MultiGzDecoder::new(body);
    let read = unzipped.take(LIMIT as u64 + 1).read_to_end(&mut plain);
    read.map_err(|error| Error::BadContent {
        reference: of.to_string(),
        reason: ContentProblem::Gzip(error),
    })?;
    match plain.len() > LIMIT {
        true => Err(too_large(of)),
        false => Ok(plain),
    }
}

fn too_large(of: &Reference) -> Error {
    Error::TooLarge {
        of: format!("the registry's answer for {of}"),
        limit: LIMIT as u64,
    }
}

/// Reads the next piece; `None` at the end.
pub(super) async fn next(
    registry: &str,
    answer: &mut Response,
) -> Result<Option<bytes::Bytes>, Error> {
    let piece = tokio::time::timeout(PIECE, answer.chunk()).await;
    piece
        .map_err(|_| Error::Silent {
            registry: registry.to_owned(),
            proxy: Default::default(),
            seconds: PIECE.as_secs(),
        })?
        .map_err(|error| unreachable(registry, None, error))
}
