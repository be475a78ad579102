//! The corpus: what BuildKit's own frontend makes of thousands of Dockerfiles, and what this crate makes of them.
//!
//! `$SOLVEKIT_CORPUS` or `../shared/corpus` beside the checkout holds cases, base images and expected answers. All answers are
//! written to `target/corpus/answers.jsonl`, in the format that the corpus' `compare.py` reads.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};
use solvekit::dockerfile::{self, Dockerfile, LintConfig, LintConfigError, Linter};
use solvekit::oci::{Digest, Platform, PlatformMatcher, Reference};
use solvekit::translate::{
    Attributes, Context, Error, ImageKind, ImageRequest, NamedContext, Options, Outcome,
    ResolvedImage, ResolvedImages, SourceRequest, SourceTime, check, outline, translate_and_lint,
};

/// Fields that have to agree in every case.
const FIELDS: &[&str] = &[
    "error",
    "errorRanges",
    "head",
    "terminal",
    "vertices",
    "image",
    "baseImage",
    "epoch",
    "ignoreCache",
    "sbomExtras",
    "results",
    "requestedImages",
    "warnings",
    "lint",
    "syntax",
    "outline",
    "targets",
];

#[test]
fn every_case_is_translated_as_the_reference_does() {
    let Some(corpus) = find() else { return };
    let cases = read_lines(&std::fs::read_to_string(corpus.join("cases.jsonl")).unwrap());
    let mut locks = BTreeMap::new();
    let mut answers = BTreeMap::new();
    for case in &cases {
        let lock = text(case, "lock");
        let lock = locks
            .entry(lock.to_owned())
            .or_insert_with(|| Lock::read(&corpus.join(lock)));
        answers.insert(text(case, "id").to_owned(), answer(&corpus, case, lock));
    }
    write_answers(answers.values());
    let mut differing = Vec::new();
    for want in expected(&corpus) {
        let id = text(&want, "id");
        let bad: Vec<&str> = FIELDS
            .iter()
            .copied()
            .filter(|field| !agrees(field, &want, &answers[id]))
            .collect();
        if !bad.is_empty() {
            differing.push(format!("{id}: {}", bad.join(", ")));
        }
    }
    let shown = differing
        .iter()
        .take(40)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        differing.is_empty(),
        "{} of {} cases differ:\n{shown}",
        differing.len(),
        cases.len()
    );
}

/// None, with the reason printed, where the corpus is not part of the checkout.
fn find() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let path = std::env::var_os("SOLVEKIT_CORPUS").map_or(beside, PathBuf::from);
    if path.join("cases.jsonl").is_file() {
        return Some(path);
    }
    let wanted = std::env::var_os("SOLVEKIT_CORPUS").is_some()
        || std::env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(!wanted, "the corpus is not at {}", path.display());
    eprintln!(
        "skipped: no corpus at {}; set SOLVEKIT_CORPUS to its folder",
        path.display()
    );
    None
}

fn read_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn expected(corpus: &Path) -> Vec<Value> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(corpus.join("expected")).unwrap() {
        let output = Command::new("gzip")
            .arg("-dc")
            .arg(entry.unwrap().path())
            .output()
            .unwrap();
        assert!(output.status.success());
        all.extend(read_lines(&String::from_utf8(output.stdout).unwrap()));
    }
    all
}

fn write_answers<'a>(answers: impl Iterator<Item = &'a Value>) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .unwrap()
        .join("corpus");
    std::fs::create_dir_all(&folder).unwrap();
    let mut file =
        std::io::BufWriter::new(std::fs::File::create(folder.join("answers.jsonl")).unwrap());
    for answer in answers {
        writeln!(file, "{answer}").unwrap();
    }
}

/// Facts agree, wording may differ. Where the reference itself varies, all that it was seen to say is right.
fn agrees(field: &str, want: &Value, got: &Value) -> bool {
    let others = want["alt"]
        .get(field)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if field == "errorRanges" && want["alt"].get("error").is_some() {
        return true;
    }
    let got = plain(field, &got[field]);
    plain(field, &want[field]) == got || others.iter().any(|other| plain(field, other) == got)
}

fn plain(field: &str, value: &Value) -> Value {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let sorted = |mut items: Vec<String>| -> Value {
        items.sort();
        items.into()
    };
    match field {
        "error" => (!value.is_null()).into(),
        "warnings" | "lint" => {
            let findings = if value.is_object() {
                list(&value["warnings"])
            } else {
                list(value)
            };
            sorted(
                findings
                    .iter()
                    .map(|finding| format!("{} {}", finding["rule"], finding["line"]))
                    .collect(),
            )
        }
        // The reference panics in targets where a comment has check options; this crate answers.
        "outline" | "targets" if !value["error"].is_null() => "error".into(),
        "requestedImages" => {
            let images = list(value)
                .into_iter()
                .filter(|image| image["kind"] == "docker-image" || image["kind"] == "oci-layout");
            sorted(
                images
                    .map(|image| format!("{} {}", image["ref"], image["platform"]))
                    .collect(),
            )
        }
        _ => value.clone(),
    }
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

/// Base images and times of sources, as the corpus has them.
struct Lock(Value);

impl Lock {
    fn read(path: &Path) -> Self {
        Self(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    }

    /// The entry of the reference, or that of its tag when the digest is the entry's.
    fn entry(&self, reference: &Reference) -> Option<&Value> {
        let images = &self.0["images"];
        images.get(reference.to_string()).or_else(|| {
            let digest = reference.digest()?;
            let entry = images.get(format!("{}:{}", reference.name(), reference.tag()?))?;
            (text(entry, "digest") == digest.as_str()).then_some(entry)
        })
    }

    fn resolve(&self, request: &ImageRequest) -> Result<ResolvedImage, String> {
        let entry = self.entry(&request.reference).ok_or("no such image")?;
        let platforms = entry["platforms"].as_object().ok_or("no platforms")?;
        let wanted = request.platform.clone().unwrap_or_else(build_platform);
        let exact = platforms.get(&wanted.normalized().format_all());
        let config = exact.or_else(|| {
            let offered: Vec<Platform> = platforms
                .keys()
                .map(|key| Platform::parse(key).unwrap())
                .collect();
            let best = PlatformMatcher::only(&wanted).best(&offered)?;
            platforms.values().nth(best)
        });
        let config = config.ok_or("no match for platform in manifest")?;
        let digest = Digest::parse(text(entry, "digest")).map_err(|error| error.to_string())?;
        ResolvedImage::parse(Some(digest), config.to_string().as_bytes())
            .map_err(|error| error.to_string())
    }

    fn time(&self, request: &SourceRequest) -> SourceTime {
        let source = &self.0["sources"][&request.identifier];
        if let Some(object) = source["git_commit_object"].as_str() {
            return SourceTime::GitCommit(object.as_bytes().to_vec());
        }
        match source["http_last_modified"].as_str() {
            // The one in the corpus.
            Some("2023-05-06T07:08:09Z") => SourceTime::Seconds(1_683_356_889),
            other => panic!("{other:?}"),
        }
    }
}

fn build_platform() -> Platform {
    Platform::parse("linux/amd64").unwrap()
}

/// The crate's answer to one case, in the corpus' format.
fn answer(corpus: &Path, case: &Value, lock: &Lock) -> Value {
    let source = std::fs::read(corpus.join(text(case, "dockerfile"))).unwrap();
    let mut answer = Answer {
        fields: Map::new(),
        requested: BTreeSet::new(),
    };
    answer.fields.insert("id".into(), case["id"].clone());
    if let Some(syntax) = dockerfile::detect_syntax(&source) {
        let shown = json!({"ref": syntax.image, "cmdline": syntax.command_line});
        answer.fields.insert("syntax".into(), shown);
    }
    if let Err(error) = answer.run(case, lock, &source) {
        answer.fields.extend(error.as_object().unwrap().clone());
    }
    if !answer.requested.is_empty() {
        let requested = answer
            .requested
            .iter()
            .map(|(name, platform, kind)| json!({"ref": name, "platform": platform, "kind": kind}));
        answer
            .fields
            .insert("requestedImages".into(), requested.collect());
    }
    Value::Object(answer.fields)
}

struct Answer {
    fields: Map<String, Value>,
    requested: BTreeSet<(String, String, &'static str)>,
}

impl Answer {
    fn run(&mut self, case: &Value, lock: &Lock, source: &[u8]) -> Result<(), Value> {
        let mut given: BTreeMap<String, String> = case
            .get("opts")
            .map(|opts| serde_json::from_value(opts.clone()).unwrap())
            .unwrap_or_default();
        if let Some(platform) = case["platform"].as_str() {
            given.insert("platform".into(), platform.into());
        }
        let session = case["session_id"].as_str();
        let session = session.unwrap_or("oraclesession000000000000");
        let attributes = Attributes::read(&given, session).map_err(message)?;
        let config = match given.get("build-arg:BUILDKIT_DOCKERFILE_CHECK") {
            Some(text) => LintConfig::parse(text),
            None => LintConfig::of_dockerfile(source),
        };
        let mut options = attributes.options;
        let build = case["build_platform"].as_str().unwrap_or("linux/amd64");
        options.build_platforms = vec![Platform::parse(build).unwrap()];
        ignore(case, &mut options);
        let modes = case["modes"].as_array().unwrap();
        if modes.contains(&json!("lint")) {
            self.calls(&options, lock, source, config.clone());
        }
        self.build(
            &options,
            &attributes.platforms,
            lock,
            source,
            config.map_err(message)?,
        )
    }

    /// What `--call=check`, `outline` and `targets` show.
    fn calls(
        &mut self,
        options: &Options,
        lock: &Lock,
        source: &[u8],
        config: Result<LintConfig, LintConfigError>,
    ) {
        let dockerfile = parse(source, &mut Linter::default());
        let targets = dockerfile
            .as_ref()
            .map_or_else(Value::clone, Dockerfile::targets_json);
        let mut linted = json!({"warnings": []});
        let outlined = match config {
            Err(error) => {
                linted["error"] = message(&error);
                message(error)
            }
            Ok(config) => {
                let mut linter = Linter::new(config);
                let made = parse(source, &mut linter).and_then(|dockerfile| {
                    self.resolved(lock, |images| {
                        check(&dockerfile, options, images, &mut linter)
                    })
                });
                if let Err(error) = made {
                    linted["error"] = error;
                }
                linted["warnings"] = findings(&linter).into();
                let outlined = dockerfile.and_then(|dockerfile| {
                    self.resolved(lock, |images| outline(&dockerfile, options, images))
                });
                outlined.map_or_else(|error| error, |outline| outline.to_json())
            }
        };
        for (field, value) in [
            ("lint", linted),
            ("outline", outlined),
            ("targets", targets),
        ] {
            self.fields.insert(field.into(), value);
        }
    }

    fn build(
        &mut self,
        options: &Options,
        platforms: &[Platform],
        lock: &Lock,
        source: &[u8],
        config: LintConfig,
    ) -> Result<(), Value> {
        let mut results = Vec::new();
        for position in 0..platforms.len().max(1) {
            let platform = platforms.get(position).cloned();
            let shown = platform.clone().unwrap_or_else(build_platform);
            let options = Options {
                platform,
                ..options.clone()
            };
            let mut linter = Linter::new(config.clone());
            let made = parse(source, &mut linter).and_then(|dockerfile| {
                self.resolved(lock, |images| {
                    translate_and_lint(&dockerfile, &options, images, &mut linter)
                })
            });
            let findings = findings(&linter);
            if position == 0 && !findings.is_empty() {
                self.fields.insert("warnings".into(), findings.into());
            }
            let mut result = made?.to_json();
            if options.multi_platform {
                result["platform"] = shown.normalized().format_all().into();
            }
            results.push(result);
        }
        match options.multi_platform {
            true => drop(self.fields.insert("results".into(), results.into())),
            false => self.fields.extend(results[0].as_object().unwrap().clone()),
        }
        Ok(())
    }

    /// Asks until nothing is missing.
    fn resolved<T: std::fmt::Debug>(
        &mut self,
        lock: &Lock,
        mut ask: impl FnMut(&ResolvedImages) -> Result<Outcome<T>, Error>,
    ) -> Result<Box<T>, Value> {
        let mut images = ResolvedImages::new();
        loop {
            match ask(&images) {
                Err(error) => {
                    error
                        .missing
                        .iter()
                        .for_each(|request| self.requested(request));
                    return Err(error.to_json());
                }
                Ok(Outcome::Done(done)) => return Ok(done),
                Ok(Outcome::NeedsTime(request)) => {
                    images.insert_time(request.identifier.clone(), lock.time(&request));
                }
                Ok(Outcome::NeedsImages(requests)) => {
                    for request in requests {
                        self.requested(&request);
                        match lock.resolve(&request) {
                            Ok(image) => images.insert(request, image),
                            Err(reason) => {
                                let failure: Box<dyn std::error::Error + Send + Sync> =
                                    reason.into();
                                images.insert_failure(request, failure.into());
                            }
                        }
                    }
                }
                Ok(other) => panic!("{other:?}"),
            }
        }
    }

    fn requested(&mut self, request: &ImageRequest) {
        let platform = request.platform.clone().unwrap_or_else(build_platform);
        let kind = match request.kind {
            ImageKind::Registry => "docker-image",
            ImageKind::OciLayout { .. } => "oci-layout",
        };
        self.requested
            .insert((request.reference.to_string(), platform.format_all(), kind));
    }
}

fn parse(source: &[u8], linter: &mut Linter) -> Result<Dockerfile, Value> {
    dockerfile::parse_and_lint(source, linter).map_err(|error| {
        let mut shown = message(&error);
        if let Some(span) = error.span {
            let ranges = span.ranges().map(|range| {
                json!([
                    range.start.line,
                    range.start.column,
                    range.end.line,
                    range.end.column
                ])
            });
            shown["errorRanges"] = json!([ranges.collect::<Value>()]);
        }
        shown
    })
}

fn message(error: impl std::fmt::Display) -> Value {
    json!({"error": error.to_string()})
}

fn findings(linter: &Linter) -> Vec<Value> {
    let finding = |finding: &dockerfile::Finding| {
        json!({"rule": finding.rule.name(), "line": finding.span.first, "detail": finding.message,
               "description": finding.detail(), "url": finding.url()})
    };
    linter.findings().iter().map(finding).collect()
}

/// The ignore files of the main and of named contexts.
fn ignore(case: &Value, options: &mut Options) {
    let patterns = |text: &str| dockerfile::parse_ignore(text.as_bytes());
    let main = case["dockerfile_dockerignore"]
        .as_str()
        .or(case["dockerignore"].as_str());
    if let (Context::Local(local), Some(text)) = (&mut options.context, main) {
        local.exclude_patterns = patterns(text);
    }
    for context in options.contexts.values_mut() {
        if let NamedContext::Local(local) = context
            && let Some(text) = case["local_ignores"][&local.name].as_str()
        {
            local.exclude_patterns = patterns(text);
        }
    }
}
