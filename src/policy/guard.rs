//! Decides about the sources of a running build: all policies have to allow a source.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::files::{FileError, PolicyFiles};
use super::log::Log;
use super::{
    Action, Answer, Capabilities, Decision, DenyMessage, Error, Evaluation, Files, LogLevel, Needs,
    Policy, Source,
};
use crate::causes;
use crate::oci::{Platform, Reference};
use crate::progress::Writer;
use crate::session::{CheckFailure, SourceCheck, Verdict};

/// The most rounds of questions of a policy about one source, before it must decide.
const TURNS: usize = 10;
/// The capability that forces the network of steps through the daemon's proxy.
const PROXY: &str = "exec.proxy";

/// A policy with its files.
pub(crate) struct Guarded {
    policy: Arc<Policy>,
    files: PolicyFiles,
    names: Vec<String>,
    level: LogLevel,
    /// The files that were read for it.
    read: Mutex<Files>,
    wants_proxy: bool,
}

/// The policies of a build.
pub(crate) struct Guard {
    policies: Vec<Guarded>,
    platform: OnceLock<Platform>,
    log: OnceLock<Log>,
    denied: Mutex<Option<Denial>>,
}

/// A source that was denied, or for which a policy failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denial {
    /// The source's identifier.
    pub(crate) source: String,
    /// The reasons, each with the file and line of its rule.
    pub(crate) reasons: Vec<String>,
    /// True if the policy failed.
    pub(crate) failed: bool,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum CheckError {
    #[error(transparent)]
    Policy(#[from] Error),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the evaluation of the policy was interrupted")]
    Interrupted,
    #[error("maximum attempts reached for resolving policy metadata")]
    TooManyTurns,
}

impl Guarded {
    pub(super) fn new(
        policy: Arc<Policy>,
        files: PolicyFiles,
        names: Vec<String>,
        level: LogLevel,
    ) -> Self {
        Self {
            policy,
            files,
            names,
            level,
            read: Mutex::default(),
            wants_proxy: false,
        }
    }

    /// Asks the policy for the capabilities that it needs; this also finds out if it works.
    pub(super) async fn ask_capabilities(&mut self) -> Result<(), super::LoadError> {
        for _ in 0..TURNS {
            let files = self.known_files();
            match self.policy.capabilities(&files)? {
                Capabilities::Known(found) => {
                    self.wants_proxy = found.get(PROXY) == Some(&true);
                    return Ok(());
                }
                Capabilities::Files(names) => self.read_files(names).await?,
            }
        }
        Ok(())
    }

    pub(super) fn known_files(&self) -> Files {
        self.read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) async fn read_files(&self, names: BTreeSet<String>) -> Result<(), FileError> {
        // A policy function is undefined if its file cannot be read: the policy has to handle that.
        let mut found = Vec::new();
        for name in names {
            match self.files.read(vec![name.clone()]).await {
                Ok(read) => found.extend(read),
                Err(error @ FileError::Remote { .. }) => return Err(error),
                Err(_) => found.push((name, None)),
            }
        }
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.extend(
            found
                .into_iter()
                .map(|(name, text)| (name, text.map(Arc::from))),
        );
        Ok(())
    }

    async fn evaluate(
        &self,
        source: &Source,
        platform: &Platform,
    ) -> Result<Evaluation, CheckError> {
        let (policy, files) = (Arc::clone(&self.policy), self.known_files());
        let (source, platform) = (source.clone(), platform.clone());
        let run = move || policy.decide(&source, Some(&platform), &files);
        let evaluated = tokio::task::spawn_blocking(run).await;
        Ok(evaluated.map_err(|_| CheckError::Interrupted)??)
    }

    /// Returns the policy's decision, or its request for facts that only the daemon has.
    pub(super) async fn decide(
        &self,
        source: &Source,
        platform: &Platform,
        say: &(dyn Fn(LogLevel, &str) + Sync),
    ) -> Result<Answer, CheckError> {
        for _ in 0..TURNS {
            let evaluation = self.evaluate(source, platform).await?;
            if self.level >= LogLevel::Debug {
                let input = serde_json::to_string_pretty(&evaluation.input).unwrap_or_default();
                say(LogLevel::Debug, &format!("policy input: {input}"));
                if !evaluation.unknown.is_empty() {
                    let unknown = evaluation.unknown.join(" ");
                    say(
                        LogLevel::Debug,
                        &format!("unknowns for policy evaluation: [{unknown}]"),
                    );
                }
            }
            evaluation
                .log
                .iter()
                .for_each(|line| say(LogLevel::Info, line));
            match evaluation.answer {
                Answer::Needs(Needs { request, files, .. })
                    if request.is_empty() && !files.is_empty() =>
                {
                    self.read_files(files).await?;
                }
                answer => return Ok(answer),
            }
        }
        Err(CheckError::TooManyTurns)
    }
}

impl Guard {
    pub(super) fn new(policies: Vec<Guarded>) -> Self {
        Self {
            policies,
            platform: OnceLock::new(),
            log: OnceLock::new(),
            denied: Mutex::default(),
        }
    }

    /// Sets the progress in which the decisions are shown.
    pub(crate) fn show(&self, progress: Option<&Writer>) {
        let files: Vec<&str> = self.files().collect();
        // Set only once: a build has one progress.
        let _ = self.log.set(Log::new(progress.cloned(), &files));
    }

    /// Sets the default platform of images, if the daemon reports none.
    pub(crate) fn set_platform(&self, platform: Option<&Platform>) {
        if let Some(platform) = platform {
            let _ = self.platform.set(platform.clone());
        }
    }

    /// The files of the policies.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.policies
            .iter()
            .flat_map(|policy| policy.names.iter().map(String::as_str))
    }

    /// True if a policy forces the network of steps through the daemon's proxy.
    pub(crate) fn wants_proxy(&self) -> bool {
        self.policies.iter().any(|policy| policy.wants_proxy)
    }

    /// Ends the log. Returns the denied source, if any.
    pub(crate) fn end(&self) -> Option<Denial> {
        let denied = self
            .denied
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(log) = self.log.get() {
            let error = denied.as_ref().map(|denial| denial.reasons.join("; "));
            log.end(error.as_deref());
        }
        denied
    }

    fn say(&self, wanted: LogLevel, level: LogLevel, line: &str) {
        if let Some(log) = self.log.get() {
            log.say(wanted, level, line);
        }
    }

    fn deny(&self, source: &Source, reasons: Vec<String>, failed: bool) {
        let mut denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        denied.get_or_insert_with(|| Denial {
            source: source.identifier.clone(),
            reasons,
            failed,
        });
    }

    async fn check_with(
        &self,
        guarded: &Guarded,
        source: &Source,
        platform: Option<&Platform>,
    ) -> Result<Verdict, CheckError> {
        let name = match platform {
            Some(platform) => format!("{} ({platform})", source.identifier),
            None => source.identifier.clone(),
        };
        let say = |level, line: &str| self.say(guarded.level, level, line);
        let info = |line: String| say(LogLevel::Info, &line);
        info(format!("checking policy for source {name}"));
        let platform = platform.or(self.platform.get());
        let platform = platform.map_or_else(Platform::host, Platform::normalized);
        let decision = match guarded.decide(source, &platform, &say).await? {
            Answer::Needs(needs) => {
                let fields: Vec<&str> = needs.fields.iter().map(String::as_str).collect();
                let fields = fields.join(" ");
                info(format!(
                    "policy decision for source {name}: resolve missing fields [{fields}]"
                ));
                return Ok(Verdict::Ask(needs.request));
            }
            Answer::Decision(decision) => decision,
        };
        say(LogLevel::Debug, &format!("policy response: {decision:?}"));
        let verdict = match decision.action() {
            Action::Allow => Verdict::Allow,
            Action::Pin(digest) => match pinned(source, &digest) {
                Some(pinned) => Verdict::Convert(Box::new(pinned)),
                None => Verdict::Deny(vec![format!("the image cannot be pinned to {digest}")]),
            },
            Action::Deny => {
                let reasons = reasons(&decision);
                self.deny(source, reasons.clone(), false);
                Verdict::Deny(reasons)
            }
        };
        match &verdict {
            Verdict::Convert(to) => info(format!(
                "policy decision for source {name}: convert to {}",
                to.identifier
            )),
            Verdict::Deny(reasons) => {
                info(format!("policy decision for source {name}: DENY"));
                reasons
                    .iter()
                    .for_each(|reason| info(format!(" - {reason}")));
            }
            _ => info(format!("policy decision for source {name}: ALLOW")),
        }
        Ok(verdict)
    }
}

#[tonic::async_trait]
impl SourceCheck for Guard {
    async fn check(
        &self,
        source: Source,
        platform: Option<Platform>,
    ) -> Result<Verdict, CheckFailure> {
        for guarded in &self.policies {
            match self.check_with(guarded, &source, platform.as_ref()).await {
                Ok(Verdict::Allow) => {}
                Ok(verdict) => return Ok(verdict),
                Err(error) => {
                    self.deny(&source, vec![causes::in_one_line(&error)], true);
                    return Err(error.into());
                }
            }
        }
        Ok(Verdict::Allow)
    }
}

/// The reasons of a denial, each with the file and line of its rule.
fn reasons(decision: &Decision) -> Vec<String> {
    let reason = |message: &DenyMessage| match &message.place {
        Some(place) => format!("{place}: {}", message.text),
        None => message.text.clone(),
    };
    match (decision.deny_messages.as_slice(), &decision.place) {
        ([], Some(place)) => vec![format!("{place}: no rule allows it")],
        ([], None) => vec!["no rule allows it".to_owned()],
        (messages, _) => messages.iter().map(reason).collect(),
    }
}

/// Adds the digest to an image source.
fn pinned(source: &Source, digest: &str) -> Option<Source> {
    const IMAGE: &str = "docker-image://";
    let reference = Reference::parse(source.identifier.strip_prefix(IMAGE)?).ok()?;
    let parsed = crate::oci::Digest::parse(digest).ok()?;
    let mut pinned = Source::new(format!("{IMAGE}{}", reference.with_digest(parsed)));
    pinned.attrs.clone_from(&source.attrs);
    pinned
        .attrs
        .insert("image.checksum".to_owned(), digest.to_owned());
    Some(pinned)
}
