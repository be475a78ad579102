//! Evaluates policies without a build: the decision about a source, the input document, the tests
//! of a policy.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::files::{FileError, PolicyFiles, Root};
use super::guard::Guarded;
use super::{
    Answer, Decision, Env, Error, Input, LogLevel, Policy, Request, Source, SourceError, TestCase,
    TestResult,
};
use crate::gateway::Bridge;
use crate::oci::Platform;

/// The most rounds of questions to a daemon about one source.
const TURNS: usize = 5;

/// Why a policy cannot be evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// The policy is invalid.
    #[error(transparent)]
    Policy(#[from] Error),
    /// The source is invalid.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The daemon cannot resolve the source.
    #[error(transparent)]
    Gateway(#[from] crate::gateway::Error),
    /// The policy failed.
    #[error("cannot decide about {origin}")]
    Decision {
        /// The source.
        origin: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The policy requests more facts in every round.
    #[error("maximum attempts reached for resolving policy metadata")]
    TooManyTurns,
}

/// A policy with the location of its files.
pub struct Evaluator {
    guarded: Guarded,
}

/// The decision of a policy about a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluated {
    /// The decision.
    pub decision: Decision,
    /// The policy's log lines.
    pub log: Vec<String>,
}

/// The input document for a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// The document.
    pub input: Input,
    /// Requested fields that do not exist.
    pub invalid: Vec<String>,
    /// Requested fields that are still unknown.
    pub unresolved: Vec<String>,
}

impl Evaluator {
    /// A policy whose files are in a folder.
    pub fn new(policy: Policy, folder: PathBuf) -> Self {
        let files = PolicyFiles {
            context: Root::Folder(folder.clone()),
            working_folder: Some(folder),
        };
        let guarded = Guarded::new(Arc::new(policy), files, Vec::new(), LogLevel::Info);
        Self { guarded }
    }

    /// Returns the policy's decision. The daemon is asked for the facts that the policy reads.
    ///
    /// # Errors
    /// [`EvalError`] if the policy fails or the daemon cannot resolve the source.
    pub async fn decide(
        &self,
        bridge: &Bridge,
        source: Source,
        platform: &Platform,
    ) -> Result<Evaluated, EvalError> {
        let log = std::sync::Mutex::new(Vec::new());
        let (_, decision) = self.settle(bridge, source, platform, &log).await?;
        let log = log.into_inner().unwrap_or_default();
        Ok(Evaluated { decision, log })
    }

    async fn settle(
        &self,
        bridge: &Bridge,
        mut source: Source,
        platform: &Platform,
        log: &std::sync::Mutex<Vec<String>>,
    ) -> Result<(Source, Decision), EvalError> {
        let say = |level: LogLevel, line: &str| {
            if level <= LogLevel::Info
                && let Ok(mut log) = log.lock()
            {
                log.push(line.to_owned());
            }
        };
        for _ in 0..TURNS {
            let answer = self.guarded.decide(&source, platform, &say).await;
            let answer = answer.map_err(|error| EvalError::Decision {
                origin: source.identifier.clone(),
                source: Box::new(error),
            })?;
            match answer {
                Answer::Decision(decision) => return Ok((source, decision)),
                Answer::Needs(needs) => {
                    let facts = bridge.source_facts(&source, Some(platform), &needs.request);
                    source = facts.await?;
                }
            }
        }
        Err(EvalError::TooManyTurns)
    }

    /// Runs a test. If its input has an image, the daemon is asked for the facts that the policy
    /// reads.
    ///
    /// # Errors
    /// As [`Evaluator::decide`].
    pub async fn test(
        &self,
        case: &TestCase,
        bridge: Option<&Bridge>,
        policy: &Policy,
    ) -> Result<(TestResult, Option<Input>), EvalError> {
        let input = match (bridge, image_source(case.input.as_ref())) {
            (Some(bridge), Some(source)) => Some(self.resolve(case, bridge, source, policy).await?),
            _ => case.input.clone(),
        };
        for _ in 0..TURNS {
            let result = policy.test(case, input.as_ref(), &self.guarded.known_files())?;
            if result.missing_files.is_empty() {
                return Ok((result, input));
            }
            self.guarded.read_files(result.missing_files).await?;
        }
        Err(EvalError::TooManyTurns)
    }

    /// True if a test needs a daemon.
    pub fn needs_daemon(case: &TestCase) -> bool {
        image_source(case.input.as_ref()).is_some()
    }

    async fn resolve(
        &self,
        case: &TestCase,
        bridge: &Bridge,
        source: Source,
        policy: &Policy,
    ) -> Result<Input, EvalError> {
        let given = case.input.clone().unwrap_or_default();
        let first = bridge
            .workers()
            .first()
            .and_then(|worker| worker.platforms.first());
        let platform = match &given.image {
            Some(image) if !image.platform.is_empty() => Platform::parse(&image.platform).ok(),
            Some(image) if !image.os.is_empty() || !image.arch.is_empty() => Some(Platform {
                os: image.os.clone(),
                architecture: image.arch.clone(),
                variant: image.variant.clone(),
                ..Platform::default()
            }),
            _ => first.cloned(),
        };
        let platform = platform.unwrap_or_else(Platform::host);
        let log = std::sync::Mutex::default();
        let (mut source, _) = self.settle(bridge, source, &platform, &log).await?;
        let described = source.describe(Some(&platform))?;
        let unknown: BTreeSet<String> = policy
            .missing(&case.package, Some(&described.input))
            .into_iter()
            .filter(|field| described.unknown.contains(field))
            .collect();
        if !unknown.is_empty() {
            let request = Request::new(&unknown, &source);
            source = bridge
                .source_facts(&source, Some(&platform), &request)
                .await?;
        }
        let mut input = source.describe(Some(&platform))?.input;
        input.env = given.env;
        Ok(input)
    }
}

/// The image in a test's input.
fn image_source(input: Option<&Input>) -> Option<Source> {
    let image = input?.image.as_ref()?;
    let names = [&image.reference, &image.full_repo, &image.repo];
    let mut name = names.into_iter().find(|name| !name.is_empty())?.clone();
    if !image.tag.is_empty() && !name.contains(':') {
        name = format!("{name}:{}", image.tag);
    }
    Some(Source::new(format!("docker-image://{name}")))
}

/// The input document for a source, with the requested fields.
///
/// # Errors
/// [`EvalError`] if the source is invalid or the daemon cannot resolve it.
pub async fn print(
    bridge: &Bridge,
    mut source: Source,
    platform: &Platform,
    fields: &[String],
) -> Result<Printed, EvalError> {
    let mut described = source.describe(Some(platform))?;
    let (mut reloaded, mut invalid) = (BTreeSet::new(), Vec::new());
    for _ in 0..TURNS {
        let (wanted, wrong) = select(fields, &described.unknown);
        invalid = wrong;
        let request = Request::new(&wanted, &source);
        if request.is_empty() {
            break;
        }
        reloaded.extend(wanted);
        source = bridge
            .source_facts(&source, Some(platform), &request)
            .await?;
        let before = std::mem::replace(&mut described, source.describe(Some(platform))?);
        if before.unknown == described.unknown {
            break;
        }
    }
    invalid.retain(|field| !reloaded.contains(field));
    let unresolved = unresolved(&described.unknown, fields);
    let mut input = described.input;
    input.clear_depth();
    Ok(Printed {
        input,
        invalid,
        unresolved,
    })
}

/// Splits the requested fields into unknown ones to ask for, and invalid ones.
fn select(fields: &[String], unknown: &[String]) -> (BTreeSet<String>, Vec<String>) {
    let (mut wanted, mut invalid) = (BTreeSet::new(), Vec::new());
    for field in fields {
        let is_material = field.starts_with("image.provenance.materials[");
        if is_material && unknown.iter().any(|known| known == "image.provenance") {
            wanted.insert("image.provenance".to_owned());
        } else if unknown.contains(field) && !is_material {
            wanted.insert(field.clone());
        } else {
            invalid.push(field.clone());
        }
    }
    (wanted, invalid)
}

/// The requested fields that are still unknown.
fn unresolved(unknown: &[String], fields: &[String]) -> Vec<String> {
    let mut found = BTreeSet::new();
    if fields.is_empty() {
        for field in unknown {
            let words: Vec<&str> = match field.split_once(".materials[") {
                Some((base, _)) => vec![base, "materials"],
                None => field.split('.').take(2).collect(),
            };
            found.insert(words.join("."));
        }
    }
    for field in fields {
        let above = |known: &&String| {
            field.strip_prefix(known.as_str()).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with('.') || rest.starts_with('[')
            })
        };
        let ancestor = unknown.iter().filter(above).max_by_key(|known| known.len());
        found.extend(ancestor.cloned());
    }
    found.into_iter().collect()
}

impl Evaluator {
    /// The build description for a policy of this Dockerfile.
    pub fn env(filename: &str) -> Env {
        Env {
            filename: filename.to_owned(),
            ..Env::default()
        }
    }
}
