//! Converts the daemon's status messages to this module's events.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prost::Message;
use prost_types::Timestamp;

use super::event::*;
use crate::proto::{moby::buildkit::v1 as control, pb};
use crate::text::redact;

impl From<control::StatusResponse> for StatusUpdate {
    fn from(response: control::StatusResponse) -> Self {
        Self {
            vertexes: response.vertexes.into_iter().map(Vertex::from).collect(),
            statuses: response
                .statuses
                .into_iter()
                .map(VertexStatus::from)
                .collect(),
            logs: response.logs.into_iter().map(VertexLog::from).collect(),
            warnings: response.warnings.into_iter().map(Warning::from).collect(),
        }
    }
}

impl From<control::Vertex> for Vertex {
    fn from(vertex: control::Vertex) -> Self {
        Self {
            digest: vertex.digest,
            inputs: vertex.inputs,
            name: hidden(vertex.name),
            started: time(vertex.started),
            completed: time(vertex.completed),
            cached: vertex.cached,
            error: hidden(vertex.error),
            progress_group: vertex.progress_group.map(ProgressGroup::from),
        }
    }
}

impl From<pb::ProgressGroup> for ProgressGroup {
    fn from(group: pb::ProgressGroup) -> Self {
        Self {
            id: group.id,
            name: hidden(group.name),
            weak: group.weak,
        }
    }
}

impl From<control::VertexStatus> for VertexStatus {
    fn from(status: control::VertexStatus) -> Self {
        Self {
            id: hidden(status.id),
            vertex: status.vertex,
            name: hidden(status.name),
            total: status.total,
            current: status.current,
            timestamp: time(status.timestamp),
            started: time(status.started),
            completed: time(status.completed),
        }
    }
}

impl From<control::VertexLog> for VertexLog {
    fn from(log: control::VertexLog) -> Self {
        Self {
            vertex: log.vertex,
            stream: log.stream.into(),
            data: log.msg,
            timestamp: time(log.timestamp),
        }
    }
}

impl From<control::VertexWarning> for Warning {
    fn from(warning: control::VertexWarning) -> Self {
        Self {
            vertex: warning.vertex,
            level: warning.level,
            short: warning.short.into(),
            detail: warning.detail.into_iter().map(Into::into).collect(),
            url: warning.url,
            source: warning.info.map(SourceInfo::from),
            ranges: warning.ranges.into_iter().map(SourceRange::from).collect(),
        }
    }
}

impl From<pb::SourceInfo> for SourceInfo {
    fn from(info: pb::SourceInfo) -> Self {
        Self {
            filename: info.filename,
            data: info.data.into(),
            definition: info
                .definition
                .map(|graph| graph.encode_to_vec().into())
                .unwrap_or_default(),
            language: info.language,
        }
    }
}

impl From<pb::Range> for SourceRange {
    fn from(range: pb::Range) -> Self {
        Self {
            start: range.start.map(SourcePosition::from).unwrap_or_default(),
            end: range.end.map(SourcePosition::from).unwrap_or_default(),
        }
    }
}

impl From<pb::Position> for SourcePosition {
    fn from(position: pb::Position) -> Self {
        Self {
            line: position.line,
            character: position.character,
        }
    }
}

/// Removes passwords: other frontends name steps after URLs.
fn hidden(text: String) -> String {
    match redact(&text) {
        Cow::Owned(shown) => shown,
        Cow::Borrowed(_) => text,
    }
}

/// Converts a time of the wire; `None` if it is missing or invalid.
fn time(at: Option<Timestamp>) -> Option<SystemTime> {
    let at = at?;
    let nanos = u32::try_from(at.nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)?;
    let seconds = Duration::from_secs(at.seconds.unsigned_abs());
    let whole = if at.seconds < 0 {
        UNIX_EPOCH.checked_sub(seconds)
    } else {
        UNIX_EPOCH.checked_add(seconds)
    };
    whole?.checked_add(Duration::from_nanos(nanos.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_message_keeps_all_that_it_says() {
        let at = |seconds| Some(Timestamp { seconds, nanos: 5 });
        let update = StatusUpdate::from(control::StatusResponse {
            vertexes: vec![control::Vertex {
                digest: "sha256:a".into(),
                name: "[1/2] ADD https://me:pw@host/x /".into(),
                started: at(10),
                progress_group: Some(pb::ProgressGroup {
                    id: "g".into(),
                    name: "copy".into(),
                    weak: true,
                }),
                ..Default::default()
            }],
            logs: vec![control::VertexLog {
                vertex: "sha256:a".into(),
                timestamp: at(11),
                stream: 2,
                msg: (&b"\xffhi"[..]).into(),
            }],
            ..Default::default()
        });
        let started = UNIX_EPOCH + Duration::new(10, 5);
        assert_eq!(update.vertexes[0].started, Some(started));
        assert_eq!(update.vertexes[0].name, "[1/2] ADD https://xxxxx@host/x /");
        assert_eq!(update.vertexes[0].completed, None);
        assert!(update.vertexes[0].progress_group.as_ref().unwrap().weak);
        assert_eq!(update.logs[0].stream, LogStream::Stderr);
        assert_eq!(&update.logs[0].data[..], b"\xffhi");
    }

    #[test]
    fn a_time_that_is_none_is_left_out() {
        assert_eq!(time(None), None);
        for (seconds, nanos) in [
            (1, -1),
            (1, 1_000_000_000),
            (i64::MAX, 999_999_999),
            (i64::MIN, 0),
        ] {
            let _ = time(Some(Timestamp { seconds, nanos }));
        }
        assert_eq!(
            time(Some(Timestamp {
                seconds: 1,
                nanos: -1
            })),
            None
        );
    }
}
