//! The reports of a running build: steps (vertexes), their transfers, logs and warnings.
//!
//! The JSON form has the field names, order and omissions of BuildKit's `client.SolveStatus`: a
//! line of `rawjson` output is one [`StatusUpdate`]. How events are sent or shown is decided
//! elsewhere.

use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{definition, json};

/// A batch of changes since the previous one; all four lists may be empty.
///
/// A vertex is reported as a whole each time it changes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StatusUpdate {
    /// Steps that appeared or changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vertexes: Vec<Vertex>,
    /// Transfers within steps that appeared or changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<VertexStatus>,
    /// Output of the steps' processes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<VertexLog>,
    /// Warnings of a frontend, each for a step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

impl StatusUpdate {
    /// Returns true if there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.vertexes.is_empty()
            && self.statuses.is_empty()
            && self.logs.is_empty()
            && self.warnings.is_empty()
    }
}

/// A step of a build.
///
/// The digest stays the text that the daemon sent. It is only compared, and a malformed one must
/// not end the display.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vertex {
    /// The digest that identifies the step in all four lists.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// The digests of the steps that this one needs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// The display name, e.g. `[linux/arm64 2/3] RUN make`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The start, by the daemon's clock.
    #[serde(with = "json::time_option", skip_serializing_if = "Option::is_none")]
    pub started: Option<SystemTime>,
    /// The end. A step may start again after that: a vertex can be worked on several times.
    #[serde(with = "json::time_option", skip_serializing_if = "Option::is_none")]
    pub completed: Option<SystemTime>,
    /// True if the result came from the cache.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
    /// The error; empty if there is none. It ends with `context canceled` if the step was
    /// cancelled.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// The group that is shown in place of this step.
    #[serde(rename = "progressGroup", skip_serializing_if = "Option::is_none")]
    pub progress_group: Option<ProgressGroup>,
}

/// Several vertexes that are shown as one step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProgressGroup {
    /// The group's id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The name that is shown in place of its members' names.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// True for a member whose start does not make the group visible.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub weak: bool,
}

/// The progress of a transfer or sub-task within a step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VertexStatus {
    /// The id within its step, which is also the display name, e.g. `pushing layers`.
    pub id: String,
    /// The digest of the step.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub vertex: String,
    /// The kind of action; current daemons rarely set it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The total number of bytes; 0 if unknown.
    #[serde(skip_serializing_if = "json::is_zero")]
    pub total: i64,
    /// The number of bytes so far.
    pub current: i64,
    /// The time of this measurement.
    #[serde(with = "json::time_or_epoch")]
    pub timestamp: Option<SystemTime>,
    /// The start.
    #[serde(with = "json::time_option", skip_serializing_if = "Option::is_none")]
    pub started: Option<SystemTime>,
    /// The end.
    #[serde(with = "json::time_option", skip_serializing_if = "Option::is_none")]
    pub completed: Option<SystemTime>,
}

/// A piece of a step's output. It may end anywhere, even within a character.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VertexLog {
    /// The digest of the step.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub vertex: String,
    /// The output stream.
    #[serde(skip_serializing_if = "LogStream::is_unset")]
    pub stream: LogStream,
    /// The bytes as written.
    #[serde(with = "json::base64")]
    pub data: Bytes,
    /// The time of the output.
    #[serde(with = "json::time_or_epoch")]
    pub timestamp: Option<SystemTime>,
}

/// The output stream of a log; a number on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
#[non_exhaustive]
pub enum LogStream {
    /// 1.
    Stdout,
    /// 2.
    Stderr,
    /// Any other number.
    Other(i64),
    /// Not set (0).
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
    /// The digest of the step.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub vertex: String,
    /// The level; 1 is usual.
    #[serde(skip_serializing_if = "json::is_zero")]
    pub level: i64,
    /// The message, in one line.
    #[serde(with = "json::base64", skip_serializing_if = "Bytes::is_empty")]
    pub short: Bytes,
    /// More lines of explanation.
    #[serde(with = "json::base64_list", skip_serializing_if = "Vec::is_empty")]
    pub detail: Vec<Bytes>,
    /// The URL of the rule's documentation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The source file.
    #[serde(rename = "sourceInfo", skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceInfo>,
    /// The ranges in the source file.
    #[serde(rename = "range", skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<SourceRange>,
}

/// A source file that steps, warnings and errors point to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceInfo {
    /// The display name, e.g. `Dockerfile`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filename: String,
    /// The whole text.
    #[serde(with = "json::base64", skip_serializing_if = "Bytes::is_empty")]
    pub data: Bytes,
    /// The graph that the file was read through: an encoded `pb.Definition`, empty if unknown. JSON
    /// deserialization leaves it empty.
    #[serde(
        serialize_with = "definition::serialize",
        skip_serializing_if = "Bytes::is_empty",
        skip_deserializing
    )]
    pub definition: Bytes,
    /// The language, e.g. `Dockerfile`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub language: String,
}

/// A range of a source file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceRange {
    /// The first position.
    pub start: SourcePosition,
    /// The last position. A line of 0, or before the start, means the start's line only.
    pub end: SourcePosition,
}

impl SourceRange {
    /// Returns a range of whole lines, both included, counted from 1.
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

    /// Returns true if the line (counted from 1) is in the range.
    pub fn contains_line(&self, line: i32) -> bool {
        self.start.line <= line && line <= self.last_line()
    }

    /// Returns the last line of the range, never before its first.
    pub fn last_line(&self) -> i32 {
        self.end.line.max(self.start.line)
    }
}

/// A position in a source file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct SourcePosition {
    /// The line, counted from 1.
    #[serde(skip_serializing_if = "json::is_zero_i32")]
    pub line: i32,
    /// The column, counted from 0.
    #[serde(skip_serializing_if = "json::is_zero_i32")]
    pub character: i32,
}
