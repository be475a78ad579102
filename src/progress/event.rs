//! What a build reports while it runs: steps (vertexes), their transfers, logs and warnings.
//!
//! Field names, order and omissions of the JSON form are those of BuildKit's `client.SolveStatus`, so a line of
//! `rawjson` output is one [`StatusUpdate`]. Nothing here knows how events are sent or shown.

use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{definition, json};

/// A batch of changes since the batch before; all four lists may be empty.
///
/// A vertex is reported again whenever it changes, each time as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StatusUpdate {
    /// Steps that appeared or changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vertexes: Vec<Vertex>,
    /// Transfers within steps that appeared or moved on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<VertexStatus>,
    /// Output of the steps' processes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<VertexLog>,
    /// Warnings of a frontend, tied to a step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

impl StatusUpdate {
    /// True when there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.vertexes.is_empty()
            && self.statuses.is_empty()
            && self.logs.is_empty()
            && self.warnings.is_empty()
    }
}

/// One step of a build.
///
/// The digest is kept as the text that the daemon sent: it is only compared, and one that is malformed must not end a
/// build's display.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vertex {
    /// What identifies the step in all four lists.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// Digests of the steps that this one needs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// What people read, e.g. `[linux/arm64 2/3] RUN make`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// When work began, by the daemon's clock.
    #[serde(with = "json::time_option", skip_serializing_if = "Option::is_none")]
    pub started: Option<SystemTime>,
    /// When work ended. A step may start again after that: a vertex can be worked on several times.
    #[serde(with = "json::time_option", skip_serializing_if = "Option::is_none")]
    pub completed: Option<SystemTime>,
    /// The result came from the cache.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
    /// Why it failed; empty when it did not. Ends with `context canceled` when it was cancelled.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// Shown as part of this group instead of on its own.
    #[serde(rename = "progressGroup", skip_serializing_if = "Option::is_none")]
    pub progress_group: Option<ProgressGroup>,
}

/// Several vertexes that are shown as one step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProgressGroup {
    /// What identifies the group.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The name to show in place of its members' names.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// A member that does not make the group visible by starting.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub weak: bool,
}

/// Progress of one transfer or sub-task within a step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VertexStatus {
    /// What identifies it within its step, and what people read, e.g. `pushing layers`.
    pub id: String,
    /// Digest of the step.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub vertex: String,
    /// The kind of action; rarely set by daemons of today.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Bytes in all; 0 when that is not known.
    #[serde(skip_serializing_if = "json::is_zero")]
    pub total: i64,
    /// Bytes so far.
    pub current: i64,
    /// When this was measured.
    #[serde(with = "json::time_or_epoch")]
    pub timestamp: Option<SystemTime>,
    /// When it began.
    #[serde(with = "json::time_option", skip_serializing_if = "Option::is_none")]
    pub started: Option<SystemTime>,
    /// When it ended.
    #[serde(with = "json::time_option", skip_serializing_if = "Option::is_none")]
    pub completed: Option<SystemTime>,
}

/// A piece of a step's output, cut anywhere: within a line or within a character.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VertexLog {
    /// Digest of the step.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub vertex: String,
    /// Where the process wrote it.
    #[serde(skip_serializing_if = "LogStream::is_unset")]
    pub stream: LogStream,
    /// The bytes as written.
    #[serde(with = "json::base64")]
    pub data: Bytes,
    /// When it was written.
    #[serde(with = "json::time_or_epoch")]
    pub timestamp: Option<SystemTime>,
}

/// Which of a process' streams a log comes from; a number on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
pub enum LogStream {
    /// 1.
    Stdout,
    /// 2.
    Stderr,
    /// Any other number.
    Other(i64),
    /// Not said (0).
    #[default]
    Unset,
}

impl LogStream {
    fn is_unset(&self) -> bool {
        i64::from(*self) == 0
    }
}

impl From<i64> for LogStream {
    fn from(number: i64) -> Self {
        match number {
            0 => Self::Unset,
            1 => Self::Stdout,
            2 => Self::Stderr,
            other => Self::Other(other),
        }
    }
}

impl From<LogStream> for i64 {
    fn from(stream: LogStream) -> Self {
        match stream {
            LogStream::Unset => 0,
            LogStream::Stdout => 1,
            LogStream::Stderr => 2,
            LogStream::Other(number) => number,
        }
    }
}

/// A warning, usually of a Dockerfile lint rule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Warning {
    /// Digest of the step.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub vertex: String,
    /// Importance; 1 is usual.
    #[serde(skip_serializing_if = "json::is_zero")]
    pub level: i64,
    /// One line that says all.
    #[serde(with = "json::base64", skip_serializing_if = "Bytes::is_empty")]
    pub short: Bytes,
    /// More lines for those who ask.
    #[serde(with = "json::base64_list", skip_serializing_if = "Vec::is_empty")]
    pub detail: Vec<Bytes>,
    /// Where the rule is explained.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The file it is about.
    #[serde(rename = "sourceInfo", skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceInfo>,
    /// The places in that file.
    #[serde(rename = "range", skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<SourceRange>,
}

/// A source file that steps, warnings and errors point into.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceInfo {
    /// Its name as people know it, e.g. `Dockerfile`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filename: String,
    /// Its whole text.
    #[serde(with = "json::base64", skip_serializing_if = "Bytes::is_empty")]
    pub data: Bytes,
    /// The graph that it was read by: an encoded `pb.Definition`, empty when it is not known. Reading JSON leaves it empty.
    #[serde(
        serialize_with = "definition::serialize",
        skip_serializing_if = "Bytes::is_empty",
        skip_deserializing
    )]
    pub definition: Bytes,
    /// Its language, e.g. `Dockerfile`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub language: String,
}

/// A range of a source file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceRange {
    /// First position.
    pub start: SourcePosition,
    /// Last position; a line of 0 or before the start means the start's line only.
    pub end: SourcePosition,
}

impl SourceRange {
    /// A range of whole lines, both included, counted from 1.
    pub fn lines(first: i32, last: i32) -> Self {
        Self {
            start: SourcePosition {
                line: first,
                character: 0,
            },
            end: SourcePosition {
                line: last,
                character: 0,
            },
        }
    }

    /// Whether the line (counted from 1) is in the range.
    pub fn contains_line(&self, line: i32) -> bool {
        self.start.line <= line && line <= self.last_line()
    }

    /// The last line of the range, never before its first.
    pub fn last_line(&self) -> i32 {
        self.end.line.max(self.start.line)
    }
}

/// A place in a source file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourcePosition {
    /// Counted from 1.
    #[serde(skip_serializing_if = "json::is_zero_i32")]
    pub line: i32,
    /// Column, counted from 0.
    #[serde(skip_serializing_if = "json::is_zero_i32")]
    pub character: i32,
}
