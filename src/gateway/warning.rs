//! A frontend's warnings, which the client receives as progress.

use super::{Bridge, Error, caps};
use crate::{
    client::failed,
    llb::{Location, Position},
    proto::{moby::buildkit::v1::frontend as proto, pb},
};

/// A warning about a step and perhaps source lines, shown in progress.
#[derive(Debug, Clone, Default)]
pub struct Warning<'a> {
    /// The digest of the step.
    pub vertex: &'a str,
    /// The level; 1 is usual.
    pub level: i64,
    /// The message, in one line.
    pub short: &'a str,
    /// More lines of explanation.
    pub detail: Vec<&'a str>,
    /// The URL of the rule's documentation.
    pub url: &'a str,
    /// The source lines.
    pub location: Option<Location>,
}

impl Bridge {
    /// Shows a warning in the build's progress. Does nothing if the daemon does not support
    /// warnings.
    ///
    /// # Errors
    /// [`Error::Client`] if the call fails.
    pub async fn warn(&self, warning: &Warning<'_>) -> Result<(), Error> {
        if !self.capabilities().has(caps::WARNINGS) {
            return Ok(());
        }
        let request = proto::WarnRequest {
            digest: warning.vertex.to_owned(),
            level: warning.level,
            short: warning.short.as_bytes().to_vec(),
            detail: warning
                .detail
                .iter()
                .map(|line| line.as_bytes().to_vec())
                .collect(),
            url: warning.url.to_owned(),
            info: warning
                .location
                .as_ref()
                .map(|location| location.file.to_proto()),
            ranges: warning.location.as_ref().map(ranges).unwrap_or_default(),
        };
        self.calls()
            .warn(self.request(request))
            .await
            .map_err(failed("warning"))?;
        Ok(())
    }
}

fn ranges(location: &Location) -> Vec<pb::Range> {
    let position = |at: Position| {
        Some(pb::Position {
            line: at.line,
            character: at.character,
        })
    };
    let ranges = location.ranges.iter();
    ranges
        .map(|range| pb::Range {
            start: position(range.start),
            end: position(range.end),
        })
        .collect()
}
