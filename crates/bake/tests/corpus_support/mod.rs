//! Cases of the corpus: computing an answer, and comparing it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use solvekit_bake::files::{DEFAULT_FILES, ReadError};
use solvekit_bake::print::{plan_json, targets_json, variables_json};
use solvekit_bake::target::Attest;
use solvekit_bake::{Environment, FileReader, Host, InputFile, Options, evaluate};

/// One case of the corpus.
pub(crate) struct Case {
    pub(crate) id: String,
    dir: String,
    files: Vec<String>,
    set: Vec<String>,
    variables: BTreeMap<String, String>,
    targets: Vec<String>,
    environment: BTreeMap<String, String>,
    list: Option<String>,
    stdin: Option<String>,
}

/// The folder of a case.
struct Folder {
    path: PathBuf,
    name: String,
}

impl FileReader for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        let path = self.path.join(path);
        if path.is_dir() {
            return Err(ReadError::IsDirectory);
        }
        std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ReadError::NotFound,
            _ => ReadError::Other(error.to_string()),
        })
    }

    fn working_directory(&self) -> &str {
        &self.name
    }
}

impl Host for Folder {
    fn now(&self) -> (i64, u32) {
        (1_600_000_000, 0)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }

    fn home_directory(&self) -> Option<String> {
        Some("/home/baker".to_owned())
    }
}

fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().into_iter().flatten();
    list.map(|text| text.as_str().unwrap().to_owned()).collect()
}

impl Case {
    /// Parses a case; `None` if it is about the command.
    pub(crate) fn read(case: &Value) -> Option<Self> {
        let mut set = texts(&case["set"]);
        let mut flags = texts(&case["flags"]);
        // The command applies them in this order, whatever order they are given in.
        const ORDER: [&str; 6] = ["push", "load", "no-cache", "pull", "sbom", "provenance"];
        flags.sort_by_key(|flag| {
            ORDER
                .iter()
                .position(|name| flag[2.min(flag.len())..].starts_with(name))
        });
        for flag in flags {
            set.push(match flag.split_once('=') {
                None if ["--push", "--load", "--pull", "--no-cache"].contains(&flag.as_str()) => {
                    format!("*.{}=true", &flag[2..])
                }
                Some((name @ ("--pull" | "--no-cache"), value)) => {
                    format!("*.{}={value}", &name[2..])
                }
                Some((name @ ("--sbom" | "--provenance"), value)) => {
                    format!("*.attest={}", Attest::shorthand(&name[2..], value)?)
                }
                _ => return None,
            });
        }
        let list = case["list"].as_str().map(str::to_owned);
        let known = ["type=targets,format=json", "type=variables,format=json"];
        if list.as_deref().is_some_and(|list| !known.contains(&list)) {
            return None;
        }
        let mut environment: BTreeMap<String, String> = [
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("HOME", "/home/baker"),
            ("BUILDX_CONFIG", "/nonexistent/buildx"),
            ("DOCKER_CONFIG", "/nonexistent/docker"),
            ("TZ", "UTC"),
            ("LC_ALL", "C.UTF-8"),
            ("NO_COLOR", "1"),
            ("SSH_AUTH_SOCK", "$AGENT"),
        ]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .into();
        for (name, text) in case["env"].as_object().into_iter().flatten() {
            // The command reads these and SOURCE_DATE_EPOCH.
            if name.starts_with("BUILDX_BAKE") || name == "SOURCE_DATE_EPOCH" {
                return None;
            }
            environment.insert(name.clone(), text.as_str().unwrap().to_owned());
        }
        let variables = texts(&case["var"]);
        let variables = variables.iter().map(|text| text.split_once('='));
        let variables: Option<Vec<_>> = variables.collect();
        let owned = |(key, text): (&str, &str)| (key.to_owned(), text.to_owned());
        let mut targets = texts(&case["targets"]);
        if targets.is_empty() {
            targets.push("default".to_owned());
        }
        let files = texts(&case["files"]);
        // Remote definitions, local files beside them, and the end of flags.
        if targets
            .iter()
            .chain(&files)
            .any(|name| name.contains("://") || name == "--")
        {
            return None;
        }
        Some(Self {
            id: case["id"].as_str().unwrap().to_owned(),
            dir: case["dir"].as_str().unwrap().to_owned(),
            files,
            set,
            variables: variables?.into_iter().map(owned).collect(),
            targets,
            environment,
            list,
            stdin: case["stdin"].as_str().map(str::to_owned),
        })
    }

    /// Returns the files of the case, as the command would read them.
    fn input(&self, folder: &Path) -> Option<Vec<InputFile>> {
        let default = self.files.is_empty();
        let names: Vec<String> = match default {
            true => DEFAULT_FILES.map(str::to_owned).into(),
            false => self.files.clone(),
        };
        let mut files = Vec::new();
        for name in names {
            let path = match (name.as_str(), &self.stdin) {
                ("-", Some(stdin)) => folder.join(stdin),
                _ => folder.join(&name),
            };
            match std::fs::read(path) {
                Ok(bytes) if bytes.is_empty() && name != "-" => {}
                Ok(bytes) => files.push(InputFile { name, bytes }),
                Err(_) if default => {}
                Err(_) => return None,
            }
        }
        (!files.is_empty()).then_some(files)
    }

    /// Returns the answer of this crate, in the format of the corpus.
    pub(crate) fn answer(&self, root: &Path) -> Value {
        let refused = json!({"id": self.id, "exit": 1, "error": true});
        let path = root.join(&self.dir).canonicalize().unwrap();
        let name = path.to_str().unwrap().to_owned();
        let Some(files) = self.input(&path) else {
            return refused;
        };
        let folder = Folder { path, name };
        let environment = Environment {
            variables: self.environment.clone(),
            overrides: self.variables.clone(),
            command_context: "cwd://".to_owned(),
            local_platform: "linux/amd64".to_owned(),
            ..Environment::default()
        };
        let evaluated = evaluate(&files, &environment, &folder, &folder, Options::default());
        let text = evaluated.and_then(|evaluation| match self.list.as_deref() {
            Some(list) if list.starts_with("type=targets") => {
                Ok(targets_json(&evaluation.definition))
            }
            Some(_) => Ok(variables_json(evaluation.variables().as_deref())),
            None => {
                let mut plan = evaluation.plan(&self.targets, &self.set, &environment)?;
                for target in plan.targets.values_mut() {
                    target.context = target.context.take().map(|context| clean(&context));
                }
                Ok(plan_json(&plan.groups, &plan.targets))
            }
        });
        match text {
            Ok(text) => {
                let text = text.replace(&folder.name, "$DIR");
                let text = text.replace("2020-09-13T12:26:40Z", "$NOW");
                let out: Value = serde_json::from_str(&text).unwrap();
                json!({"id": self.id, "exit": 0, "out": out})
            }
            Err(error) => match &error.span {
                Some(span) => {
                    json!({"exit": 1, "file": &*span.file, "line": span.start.line})
                }
                None => refused,
            },
        }
    }
}

/// Returns a context as the command prints it.
fn clean(context: &str) -> String {
    match context.strip_prefix("cwd://") {
        Some(local) => solvekit_bake::filepath::clean(local),
        None if solvekit_bake::remote::is_remote(context) => context.to_owned(),
        None => solvekit_bake::filepath::clean(context),
    }
}

/// True if `got` equals the expected answer, or one of its alternatives.
pub(crate) fn agrees(want: &Value, got: &Value) -> bool {
    let unordered: BTreeSet<&str> = want["unordered"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let others = want["alt"].as_array().into_iter().flatten();
    let mut choices = vec![want.clone()];
    for other in others {
        let mut choice: Map<String, Value> = want.as_object().unwrap().clone();
        choice.extend(other.as_object().unwrap().clone());
        choices.push(Value::Object(choice));
    }
    choices.iter().any(|choice| {
        if choice["crash"] == true {
            return got["exit"] != 0;
        }
        if choice["exit"] != got["exit"] {
            return false;
        }
        if choice["exit"] != 0 {
            let place = |answer: &Value| (answer["file"].clone(), answer["line"].clone());
            return choice["line"].is_null() || place(choice) == place(got);
        }
        plain(&choice["out"], "", &unordered) == plain(&got["out"], "", &unordered)
    })
}

/// Sorts lists whose order is free, and removes times.
fn plain(value: &Value, path: &str, unordered: &BTreeSet<&str>) -> Value {
    match value {
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                let inner = match path {
                    "" => key.clone(),
                    _ => format!("{path}.{key}"),
                };
                (key.clone(), plain(value, &inner, unordered))
            });
            Value::Object(entries.collect())
        }
        Value::Array(items) => {
            let inner = format!("{path}[]");
            let mut items: Vec<Value> = items
                .iter()
                .map(|item| plain(item, &inner, unordered))
                .collect();
            if unordered.contains(path) {
                items.sort_by_key(Value::to_string);
            }
            Value::Array(items)
        }
        other => other.clone(),
    }
}
