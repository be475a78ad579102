//! The stored description of one build of one target. Anybody may have changed the files, so
//! everything that is read is checked.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::pick::Pick;

/// The format version that this crate writes and reads. Other versions are rejected.
pub const VERSION: u32 = 1;
/// The largest record in bytes.
pub const MAX_RECORD: u64 = 8 << 20;
/// More steps than any real build has.
const MAX_STEPS: usize = 20_000;

/// The last build of one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The version of the format.
    pub version: u32,
    /// The target's name for people: its context and target stage.
    pub name: String,
    /// True if the build finished without an error.
    pub succeeded: bool,
    /// A graph for each platform.
    pub graphs: Vec<Graph>,
    /// The names of the folders' tables ([`Table::name`](super::Table::name)), by the session's
    /// names of the folders.
    pub folders: BTreeMap<String, String>,
}

/// The graph of one platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Graph {
    /// The platform.
    pub platform: String,
    /// The id of the daemon's worker.
    pub daemon: String,
    /// The daemon's address, for people.
    pub address: String,
    /// Its steps; inputs come first.
    pub steps: Vec<Step>,
}

/// A step: a vertex of the graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    /// The digest of the vertex. It changes with the session and is not stored.
    #[serde(skip)]
    pub digest: String,
    /// Its position and instruction: `[build 2/5] RUN make`.
    pub name: String,
    /// The text of its instruction in the Dockerfile.
    pub text: String,
    /// The path of the Dockerfile.
    pub file: String,
    /// The first line in the Dockerfile, from 1; 0 if it has none.
    pub line: u32,
    /// The kind of work.
    pub kind: Kind,
    /// Its parts, sorted by key.
    pub facts: Vec<Fact>,
    /// The numbers of the steps whose results it uses, all before its own.
    pub inputs: Vec<usize>,
    /// The files of the client that it reads.
    pub reads: Vec<Read>,
    /// True if the step ignores the cache.
    pub ignores_cache: bool,
    /// The outcome.
    pub ended: Ended,
    /// The [`hash`](super::description_hash) of BuildKit's description of the step in cache
    /// records.
    pub described: String,
}

/// The kind of work that a step does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Pulls an image.
    Image,
    /// Reads a folder of the client.
    Folder,
    /// Fetches another source: git, HTTP.
    Remote,
    /// Runs a command.
    Run,
    /// Copies, creates or removes files.
    Files,
    /// Anything else.
    #[default]
    Other,
}

impl Kind {
    /// True for a step that fetches something from outside the graph.
    pub fn is_source(self) -> bool {
        matches!(self, Self::Image | Self::Folder | Self::Remote)
    }
}

/// A part of a step that decides if its result comes from the cache.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Fact {
    /// Its name: `env NAME`, `mount /cache`, `user`.
    pub key: String,
    /// The reference of an image or another source, else the beginning of the value's SHA-256,
    /// because values can be secret.
    pub value: String,
}

impl Step {
    /// Returns the key under which people see one step: an instruction can have several vertices,
    /// and steps of the builder's platform are in the graphs of all platforms.
    pub(super) fn place(&self, platform: &str) -> String {
        let names_platform = self.name.contains(&format!("[{platform} "));
        let platform = if names_platform { platform } else { "" };
        match self.line {
            0 => format!("{platform} {}", self.name),
            line => format!("{platform} {}:{line}", self.file),
        }
    }
}

/// Files of a folder that a step reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Read {
    /// The session's name of the folder.
    pub folder: String,
    /// The files.
    pub pick: Pick,
}

/// The outcome of a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// The daemon did not start it.
    #[default]
    Unseen,
    /// Its result came from the cache.
    Cached,
    /// It finished.
    Ran,
    /// It failed or was stopped.
    Failed,
}

/// The reason a record cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The JSON is malformed or has the wrong form.
    #[error("the record is not valid JSON")]
    Json(#[from] serde_json::Error),
    /// Another version of solvekit wrote it.
    #[error("the record has version {0}, which is unknown")]
    Version(u32),
    /// The content is not what this crate writes.
    #[error("the record is damaged")]
    Damaged,
}

impl Record {
    /// Serializes the record.
    ///
    /// # Errors
    /// None for a record that this crate made; the serializer's type has an error.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        Ok(serde_json::to_vec(self)?)
    }

    /// Parses a serialized record.
    ///
    /// # Errors
    /// If it is damaged or of another version.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let record: Self = serde_json::from_slice(bytes)?;
        if record.version != VERSION {
            return Err(RecordError::Version(record.version));
        }
        let is_name = |name: &String| {
            name.len() == 32
                && name
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        match record.is_sound() && record.folders.values().all(is_name) {
            true => Ok(record),
            false => Err(RecordError::Damaged),
        }
    }

    /// Returns the number of instructions that the daemon started or found in its cache.
    pub fn steps_begun(&self) -> usize {
        let steps = self.graphs.iter().flat_map(|graph| {
            let steps = graph.steps.iter();
            let steps = steps.filter(|it| !it.kind.is_source() && it.ended != Ended::Unseen);
            steps.map(|step| step.place(&graph.platform))
        });
        steps.collect::<HashSet<_>>().len()
    }

    /// True if inputs come before the steps that use them, and there are at most [`MAX_STEPS`]
    /// steps.
    fn is_sound(&self) -> bool {
        let steps: usize = self.graphs.iter().map(|graph| graph.steps.len()).sum();
        steps <= MAX_STEPS
            && self.graphs.iter().all(|graph| {
                let mut steps = graph.steps.iter().enumerate();
                steps.all(|(at, step)| step.inputs.iter().all(|input| *input < at))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Record, RecordError> {
        Record::parse(text.as_bytes())
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let mut record = Record {
            version: VERSION,
            ..Record::default()
        };
        record.graphs.push(Graph {
            platform: "linux/amd64".into(),
            steps: vec![Step {
                name: "[1/2] RUN x".into(),
                ended: Ended::Ran,
                kind: Kind::Run,
                ..Step::default()
            }],
            ..Graph::default()
        });
        let bytes = record.to_bytes().unwrap();
        assert_eq!(Record::parse(&bytes).unwrap(), record);
    }

    #[test]
    fn damaged_records_are_refused() {
        assert!(matches!(parsed("{"), Err(RecordError::Json(_))));
        assert!(matches!(parsed("{}"), Err(RecordError::Version(0))));
        let cases = [
            r#"{"version":1,"graphs":[{"steps":[{"inputs":[0]}]}]}"#,
            r#"{"version":1,"folders":{"context":"../../etc/passwd"}}"#,
        ];
        for text in cases {
            assert!(matches!(parsed(text), Err(RecordError::Damaged)), "{text}");
        }
    }
}
