//! Warnings of a frontend, which reach the client again as progress.

use super::{Bridge, Error, caps};
use crate::{
    client::failed,
    llb::{Location, Position},
    proto::{moby::buildkit::v1::frontend as proto, pb},
};

/// A warning that progress shows, about a step and perhaps about lines of a file.
#[derive(Debug, Clone, Default)]
pub struct Warning<'a> {
    /// The digest of the step.
    pub vertex: &'a str,
    /// Importance; 1 is usual.
    pub level: i64,
    /// One line that says all.
    pub short: &'a str,
    /// More lines for those who ask.
    pub detail: Vec<&'a str>,
    /// Where the rule is explained.
    pub url: &'a str,
    /// The lines.
    pub location: Option<Location>,
}

impl Bridge {
    /// Shows a warning in the build's progress; does nothing with daemons that cannot.
    ///
    /// # Errors
    /// [`Error::Client`] when the call fails.
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
