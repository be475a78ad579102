//! Watches objects of the cluster with one `kubectl get --watch`, which is cheaper than repeated
//! queries and reports changes at once.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout};

use super::kubectl::Kubectl;

/// The size limit of an object in bytes; a cluster's own limit is 1.5 MiB.
const LIMIT: usize = 4 << 20;

/// A change of an object: `{"type": "ADDED", "object": {…}}`. Existing objects come first, as added
/// ones.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Change<T> {
    #[serde(rename = "type")]
    kind: String,
    pub(super) object: T,
}

impl<T> Change<T> {
    /// True if the object is gone.
    pub(super) fn is_deletion(&self) -> bool {
        self.kind == "DELETED"
    }
}

/// A running `kubectl get --watch`, which is stopped when this is dropped.
#[derive(Debug)]
pub(super) struct Watch {
    stdout: ChildStdout,
    documents: Documents,
    _child: Child,
}

impl Watch {
    /// Starts to watch objects for some time; `None` if the program cannot be started. The time
    /// also ends a `kubectl` whose solvekit was killed.
    pub(super) fn start(kubectl: &Kubectl, within: Duration, arguments: &[&str]) -> Option<Self> {
        let timeout = format!("--request-timeout={}s", within.as_secs().max(1));
        let get = [
            "get",
            "--watch",
            "--output-watch-events",
            "--output=json",
            &timeout,
        ];
        let mut child = kubectl.spawn(&get, arguments).ok()?;
        Some(Self {
            stdout: child.stdout.take()?,
            documents: Documents::default(),
            _child: child,
        })
    }

    /// Returns the next change; `None` at the end: the user may not watch, or the cluster has ended
    /// the call. Cancel-safe.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> Option<Change<T>> {
        let mut buffer = [0; 16 << 10];
        loop {
            if let Some(document) = self.documents.next() {
                return serde_json::from_slice(&document).ok();
            }
            let count = self.stdout.read(&mut buffer).await.ok()?;
            if count == 0 || self.documents.bytes.len() + count > LIMIT {
                return None;
            }
            self.documents.bytes.extend_from_slice(&buffer[..count]);
        }
    }
}

/// Splits a stream of JSON objects at their ends, however they are broken into lines.
#[derive(Debug, Default)]
struct Documents {
    bytes: Vec<u8>,
    /// The number of bytes that were scanned already.
    seen: usize,
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Documents {
    fn next(&mut self) -> Option<Vec<u8>> {
        while let Some(byte) = self.bytes.get(self.seen).copied() {
            self.seen += 1;
            if self.ends_with(byte) {
                let rest = self.bytes.split_off(self.seen);
                self.seen = 0;
                return Some(std::mem::replace(&mut self.bytes, rest));
            }
        }
        None
    }

    /// True if the byte is the last one of an object.
    fn ends_with(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_text => self.escaped = true,
            b'"' => self.in_text = !self.in_text,
            _ if self.in_text => {}
            b'{' => self.depth += 1,
            b'}' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn objects_are_cut_from_the_stream_however_they_arrive() {
        // kubectl 1.32 prints each on a line; without watch events they are indented.
        let printed = concat!(
            "{\n    \"type\": \"ADDED\",\n",
            "    \"object\": {\n        \"a\": \"} \\\" {\"\n    }\n}\n",
            "{\"type\":\"DELETED\",\"object\":{\"a\":\"b\"}}\n",
        );
        for size in [1, 7, printed.len()] {
            let mut documents = Documents::default();
            let mut found: Vec<Change<Value>> = Vec::new();
            for bytes in printed.as_bytes().chunks(size) {
                documents.bytes.extend_from_slice(bytes);
                while let Some(document) = documents.next() {
                    found.push(serde_json::from_slice(&document).unwrap());
                }
            }
            assert_eq!(found.len(), 2);
            assert_eq!(found[0].object["a"], "} \" {");
            assert!(!found[0].is_deletion() && found[1].is_deletion());
            assert_eq!(documents.bytes, b"\n");
        }
    }
}
