//! The variables of a paused thread: the step's settings and its files.

use serde_json::{Value, json};
use solvekit::debug::Pause;
use solvekit::gateway::{FileInfo, FileKind, Ref};

/// The most bytes of a file that are shown.
const SHOWN: u64 = 64 << 10;
/// The most entries of a folder that are shown.
const ENTRIES: usize = 10_000;

/// The variables of a paused thread, by their references.
pub(super) struct Variables<'a> {
    thread: i64,
    pause: &'a Pause<'a>,
    /// The groups by reference; the first has the reference 1.
    known: Vec<Group>,
}

/// The meaning of a reference.
#[derive(Clone)]
enum Group {
    Arguments,
    Platform,
    Process,
    Words,
    Environment,
    Mounts,
    Folder {
        files: Ref,
        path: String,
    },
    Entry {
        files: Ref,
        path: String,
        info: FileInfo,
    },
}

impl<'a> Variables<'a> {
    pub(super) fn new(thread: i64, pause: &'a Pause<'a>) -> Self {
        Self {
            thread,
            pause,
            known: Vec::new(),
        }
    }

    /// The groups of a frame; only the innermost frame has a known step.
    pub(super) fn scopes(&mut self, is_first: bool) -> Value {
        if !is_first {
            return json!({"scopes": []});
        }
        let mut scopes = vec![json!({
            "name": "Arguments",
            "presentationHint": "arguments",
            "variablesReference": self.add(Group::Arguments),
            "expensive": false,
        })];
        if !self.pause.files.is_empty() {
            scopes.push(json!({
                "name": "File Explorer",
                "presentationHint": "locals",
                "variablesReference": self.add(Group::Mounts),
                "expensive": true,
            }));
        }
        json!({"scopes": scopes})
    }

    /// The variables of a reference.
    pub(super) async fn get(&mut self, reference: i64) -> Value {
        let index = usize::try_from((reference & 0xff_ffff) - 1).ok();
        let group = index.and_then(|index| self.known.get(index)).cloned();
        let variables = match group {
            None => Vec::new(),
            Some(Group::Arguments) => self.arguments(),
            Some(Group::Platform) => self.platform(),
            Some(Group::Process) => self.process(),
            Some(Group::Words) => {
                let words = self.pause.details.args.iter().enumerate();
                words
                    .map(|(index, word)| leaf(&index.to_string(), word))
                    .collect()
            }
            Some(Group::Environment) => {
                let pairs = self.pause.details.env.iter();
                pairs
                    .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                    .map(|(name, value)| leaf(name, value))
                    .collect()
            }
            Some(Group::Mounts) => self.mounts(),
            Some(Group::Folder { files, path }) => self.folder(&files, &path).await,
            Some(Group::Entry { files, path, info }) => self.entry(&files, &path, &info).await,
        };
        json!({"variables": variables})
    }

    fn add(&mut self, group: Group) -> i64 {
        self.known.push(group);
        self.thread << 24 | i64::try_from(self.known.len()).unwrap_or_default()
    }

    fn group(&mut self, name: &str, value: &str, group: Group) -> Value {
        let reference = self.add(group);
        json!({"name": name, "value": value, "variablesReference": reference})
    }

    fn arguments(&mut self) -> Vec<Value> {
        let details = &self.pause.details;
        let mut variables = Vec::new();
        if let Some(platform) = &details.platform {
            let text = format!("{}/{}", platform.os, platform.architecture);
            variables.push(self.group("platform", &text, Group::Platform));
        }
        if !details.args.is_empty() {
            let text = details.args.join(" ");
            variables.push(self.group("exec", &text, Group::Process));
        }
        variables
    }

    fn platform(&self) -> Vec<Value> {
        let platform = self.pause.details.platform.clone().unwrap_or_default();
        let all = [
            ("architecture", platform.architecture),
            ("os", platform.os),
            ("variant", platform.variant),
            ("osversion", platform.os_version),
        ];
        let set = all.iter().filter(|(_, value)| !value.is_empty());
        set.map(|(name, value)| leaf(name, value)).collect()
    }

    fn process(&mut self) -> Vec<Value> {
        let details = &self.pause.details;
        let (args, env) = (
            brief(&details.args.join(" ")),
            brief(&details.env.join(" ")),
        );
        let mut variables = vec![
            self.group("args", &args, Group::Words),
            self.group("env", &env, Group::Environment),
        ];
        for (name, value) in [("workdir", &details.cwd), ("user", &details.user)] {
            if !value.is_empty() {
                variables.push(leaf(name, value));
            }
        }
        variables
    }

    fn mounts(&mut self) -> Vec<Value> {
        let files = self.pause.files.iter();
        let mounts = files.map(|files| {
            let path = "/".to_owned();
            let folder = Group::Folder {
                files: files.result.clone(),
                path,
            };
            self.group(&files.name, "", folder)
        });
        mounts.collect()
    }

    async fn folder(&mut self, files: &Ref, path: &str) -> Vec<Value> {
        if files.is_scratch() {
            return Vec::new();
        }
        let entries = match self.pause.bridge().read_dir(files, path, "").await {
            Ok(entries) => entries,
            Err(error) => return vec![leaf("error", &error.to_string())],
        };
        let entries = entries.into_iter().take(ENTRIES).map(|info| {
            let inner = format!("{}/{}", path.trim_end_matches('/'), info.path);
            let files = files.clone();
            match info.kind {
                FileKind::Directory => {
                    let name = format!("{}/", info.path);
                    self.group(&name, "", Group::Folder { files, path: inner })
                }
                _ => {
                    let (name, value) = (info.path.clone(), summary(&info));
                    self.group(
                        &name,
                        &value,
                        Group::Entry {
                            files,
                            path: inner,
                            info,
                        },
                    )
                }
            }
        });
        entries.collect()
    }

    async fn entry(&self, files: &Ref, path: &str, info: &FileInfo) -> Vec<Value> {
        let mut variables = Vec::new();
        if info.kind == FileKind::File {
            let read = self
                .pause
                .bridge()
                .read_file(files, path, Some(0..SHOWN))
                .await;
            let data = match read {
                Err(error) => error.to_string(),
                Ok(bytes) if bytes.contains(&0) => "binary data".to_owned(),
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            };
            variables.push(leaf("data", &data));
        }
        if !info.link_target.is_empty() {
            variables.push(leaf("linkname", &info.link_target));
        }
        variables.push(leaf("mode", &format!("{:04o}", info.mode)));
        variables.push(leaf("uid", &info.uid.to_string()));
        variables.push(leaf("gid", &info.gid.to_string()));
        variables.push(leaf("size", &info.size.to_string()));
        variables
    }
}

fn leaf(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value, "variablesReference": 0})
}

fn summary(info: &FileInfo) -> String {
    format!("{:04o} {}:{} {}", info.mode, info.uid, info.gid, info.size)
}

/// The first characters of a long text.
fn brief(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text.to_owned(),
    }
}
