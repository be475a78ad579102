//! What is kept of a build of one target. Records are read from files that anybody may have
//! changed, so all that is read is checked.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::pick::Pick;

/// The version of the records that this crate writes. Others are not read.
pub const VERSION: u32 = 1;
/// The largest record in bytes.
pub const MAX_RECORD: u64 = 8 << 20;
/// More steps than any build has.
const MAX_STEPS: usize = 20_000;

/// The last build of one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The version of the format.
    pub version: u32,
    /// The target's name for people: its context, and what of it was built.
    pub name: String,
    /// True if the build came to its end without an error.
    pub succeeded: bool,
    /// A graph for each platform.
    pub graphs: Vec<Graph>,
    /// The names of the tables of its folders ([`Table::name`](super::Table::name)), by the
    /// session's names of the folders.
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
    /// The digest of the vertex, which changes with the session. It is not kept.
    #[serde(skip)]
    pub digest: String,
    /// Its place and the text of its instruction: `[build 2/5] RUN make`.
    pub name: String,
    /// The text of its instruction in the Dockerfile.
    pub text: String,
    /// The Dockerfile.
    pub file: String,
    /// The first line there, from 1; 0 if it has none.
    pub line: u32,
    /// What the step does.
    pub kind: Kind,
    /// Its parts, sorted by key.
    pub facts: Vec<Fact>,
    /// The numbers of the steps whose results it uses, all before its own.
    pub inputs: Vec<usize>,
    /// The files of the client that it reads.
    pub reads: Vec<Read>,
    /// True if a cached result was not wanted.
    pub ignores_cache: bool,
    /// How it ended.
    pub ended: Ended,
    /// The [`hash`](super::description_hash) of what BuildKit describes the step's record in its
    /// cache with.
    pub described: String,
}

/// What a step does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It takes an image.
    Image,
    /// It takes a folder of the client.
    Folder,
    /// It takes something from another place: git, HTTP.
    Remote,
    /// It runs a command.
    Run,
    /// It copies, creates or removes files.
    Files,
    /// Something else.
    #[default]
    Other,
}

impl Kind {
    /// True for a step that takes something from outside the graph.
    pub fn is_source(self) -> bool {
        matches!(self, Self::Image | Self::Folder | Self::Remote)
    }
}

/// A part of a step that decides if its result can be taken from the cache.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Fact {
    /// Its name: `env NAME`, `mount /cache`, `user`.
    pub key: String,
    /// For images and other sources their reference, else the beginning of the value's SHA-256:
    /// values can be secret.
    pub value: String,
}

impl Step {
    /// What people take for the step: an instruction can have several vertices, and steps of the
    /// builder's platform are in the graphs of all platforms.
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

/// How a step ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// The daemon did not begin it.
    #[default]
    Unseen,
    /// Its result came from the cache.
    Cached,
    /// It ran to its end.
    Ran,
    /// It failed or was stopped.
    Failed,
}

/// A record cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It is not JSON of the right form.
    #[error("the record is not valid JSON")]
    Json(#[from] serde_json::Error),
    /// Another version of solvekit wrote it.
    #[error("the record has version {0}, which is unknown")]
    Version(u32),
    /// It is not what this crate writes.
    #[error("the record is damaged")]
    Damaged,
}

impl Record {
    /// Writes the record down.
    ///
    /// # Errors
    /// Never for a record that this crate made; serialization has an error type.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        Ok(serde_json::to_vec(self)?)
    }

    /// Reads a record that was written down.
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

    /// Returns how many instructions the daemon began, or had in its cache.
    pub fn steps_begun(&self) -> usize {
        let steps = self.graphs.iter().flat_map(|graph| {
            let steps = graph.steps.iter();
            let steps = steps.filter(|it| !it.kind.is_source() && it.ended != Ended::Unseen);
            steps.map(|step| step.place(&graph.platform))
        });
        steps.collect::<HashSet<_>>().len()
    }

    /// Inputs come before the steps that use them.
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
