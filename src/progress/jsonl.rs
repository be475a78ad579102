//! `jsonl`: one flat object per line for programs, with the platform. docs/progress.md describes
//! it.

use std::collections::HashMap;
use std::time::SystemTime;

use serde::Serialize;

use super::event::{LogStream, StatusUpdate, Vertex, VertexLog, VertexStatus, Warning};
use super::json::format_time;
use super::name::StepName;

/// More steps than any build has: a hostile daemon must not fill the memory.
const STEPS: usize = 200_000;

/// The known state of a build's steps.
#[derive(Debug, Default)]
pub(super) struct JsonLines {
    /// The platform of a single-platform build, for steps without one in their name.
    platform: Option<String>,
    steps: HashMap<String, Step>,
    /// The incomplete UTF-8 character at the end of each stream, by step and stream.
    halves: HashMap<(String, i64), Vec<u8>>,
}

#[derive(Debug, Default)]
struct Step {
    platform: Option<String>,
    state: Option<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Pending,
    Started,
    Cached,
    Done,
    Failed,
    Canceled,
}

#[derive(Serialize)]
struct Line<'a, T> {
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    step: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'a str>,
    #[serde(flatten)]
    rest: T,
}

#[derive(Serialize)]
struct StepFields<'a> {
    name: &'a str,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    error: &'a str,
}

#[derive(Serialize)]
struct TransferFields<'a> {
    id: &'a str,
    current: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    done: bool,
}

#[derive(Serialize)]
struct LogFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<&'static str>,
    text: String,
}

#[derive(Serialize)]
struct WarningFields<'a> {
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    detail: Vec<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<[i32; 2]>,
}

impl JsonLines {
    pub(super) fn new(platform: Option<String>) -> Self {
        Self {
            platform,
            ..Self::default()
        }
    }

    /// Renders the lines of an update.
    pub(super) fn render(&mut self, update: &StatusUpdate, now: SystemTime) -> Vec<u8> {
        let mut out = Vec::new();
        for vertex in &update.vertexes {
            self.step(&mut out, vertex, now);
        }
        for transfer in &update.statuses {
            self.transfer(&mut out, transfer, now);
        }
        for log in &update.logs {
            self.log(&mut out, log, now);
        }
        for warning in &update.warnings {
            self.warning(&mut out, warning, now);
        }
        out
    }

    fn step(&mut self, out: &mut Vec<u8>, vertex: &Vertex, now: SystemTime) {
        let name = StepName::new(&vertex.name);
        // A step outside of any stage, like the export, belongs to all platforms.
        let of_a_stage = vertex.name.starts_with('[') && !name.is_internal();
        let platform = match name.platform() {
            Some(platform) => Some(platform.to_owned()),
            None if of_a_stage => self.platform.clone(),
            None => None,
        };
        let state = State::of(vertex);
        if self.steps.len() >= STEPS && !self.steps.contains_key(&vertex.digest) {
            return;
        }
        let known = self.steps.entry(vertex.digest.clone()).or_default();
        // A cached step is reported again when its layers are fetched: it stays cached.
        let again = known.state == Some(State::Cached) && state != State::Failed;
        if known.state == Some(state) || again {
            return;
        }
        known.state = Some(state);
        known.platform.clone_from(&platform);
        let seconds = match (vertex.started, vertex.completed) {
            (Some(started), Some(completed)) => completed.duration_since(started).ok(),
            _ => None,
        };
        let line = Line {
            event: "step",
            time: format_time(vertex.completed.or(vertex.started).unwrap_or(now)),
            step: &vertex.digest,
            platform: platform.as_deref(),
            rest: StepFields {
                name: &vertex.name,
                state,
                seconds: seconds.map(|time| time.as_secs_f64()),
                error: &vertex.error,
            },
        };
        push(out, &line);
    }

    fn transfer(&self, out: &mut Vec<u8>, transfer: &VertexStatus, now: SystemTime) {
        let line = Line {
            event: "transfer",
            time: format_time(transfer.timestamp.unwrap_or(now)),
            step: &transfer.vertex,
            platform: self.platform_of(&transfer.vertex),
            rest: TransferFields {
                id: &transfer.id,
                current: transfer.current,
                total: Some(transfer.total).filter(|total| *total != 0),
                done: transfer.completed.is_some(),
            },
        };
        push(out, &line);
    }

    fn log(&mut self, out: &mut Vec<u8>, log: &VertexLog, now: SystemTime) {
        let key = (log.vertex.clone(), i64::from(log.stream));
        let mut data = self.halves.remove(&key).unwrap_or_default();
        data.extend_from_slice(&log.data);
        let half = data.split_off(whole_characters(&data));
        if !half.is_empty() && self.halves.len() < STEPS {
            self.halves.insert(key, half);
        }
        if data.is_empty() {
            return;
        }
        let line = Line {
            event: "log",
            time: format_time(log.timestamp.unwrap_or(now)),
            step: &log.vertex,
            platform: self.platform_of(&log.vertex),
            rest: LogFields {
                stream: match log.stream {
                    LogStream::Stdout => Some("stdout"),
                    LogStream::Stderr => Some("stderr"),
                    _ => None,
                },
                text: String::from_utf8_lossy(&data).into_owned(),
            },
        };
        push(out, &line);
    }

    fn warning(&self, out: &mut Vec<u8>, warning: &Warning, now: SystemTime) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let source = warning.source.as_ref();
        let line = Line {
            event: "warning",
            time: format_time(now),
            step: &warning.vertex,
            platform: self.platform_of(&warning.vertex),
            rest: WarningFields {
                message: text(&warning.short),
                detail: warning.detail.iter().map(|line| text(line)).collect(),
                url: &warning.url,
                file: source.map(|source| source.filename.as_str()),
                lines: warning
                    .ranges
                    .first()
                    .map(|range| [range.start.line, range.last_line()]),
            },
        };
        push(out, &line);
    }

    fn platform_of(&self, step: &str) -> Option<&str> {
        self.steps.get(step)?.platform.as_deref()
    }
}

impl State {
    fn of(vertex: &Vertex) -> Self {
        match vertex {
            _ if vertex.error.ends_with("context canceled") => Self::Canceled,
            _ if !vertex.error.is_empty() => Self::Failed,
            _ if vertex.cached => Self::Cached,
            Vertex {
                completed: Some(_), ..
            } => Self::Done,
            Vertex {
                started: Some(_), ..
            } => Self::Started,
            _ => Self::Pending,
        }
    }
}

/// The end of a build: the last line of `jsonl`, created by the caller.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct BuildEnd {
    /// The command's exit code: 0 is success, 130 interrupted.
    pub exit_code: u8,
    /// The daemon's id of the build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_ref: Option<String>,
    /// The digest of the index, or of the only manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The image's names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The error message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// A suggestion for the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl BuildEnd {
    /// Returns the line with its line end.
    pub fn to_line(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let line = Line {
            event: "end",
            time: format_time(SystemTime::now()),
            step: "",
            platform: None,
            rest: self,
        };
        push(&mut out, &line);
        out
    }
}

fn push<T: Serialize>(out: &mut Vec<u8>, line: &Line<'_, T>) {
    // Writing to memory does not fail, and all keys are strings.
    let _ = serde_json::to_writer(&mut *out, line);
    out.push(b'\n');
}

/// Returns the length of the complete characters; an invalid byte is not an incomplete character.
fn whole_characters(data: &[u8]) -> usize {
    let tail = data.len().saturating_sub(3);
    let begins = (tail..data.len()).rev().find(|&at| data[at] & 0xc0 != 0x80);
    match begins {
        Some(at) => match std::str::from_utf8(&data[at..]) {
            Err(error) if error.error_len().is_none() => at,
            _ => data.len(),
        },
        None => data.len(),
    }
}

#[cfg(test)]
mod tests;
