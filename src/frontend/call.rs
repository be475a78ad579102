//! Questions about a Dockerfile that need no build: lint results, targets, arguments.

use super::choice::Choice;
use super::job::{Parsed, Plan};
use super::subrequest::{self, Answer};
use super::{Asked, Error, Job, Setting, Source, SyntaxFailure, images};
use crate::dockerfile::Wording;
use crate::gateway::{Bridge, Forward, SolveOptions};
use crate::translate::{
    Options, Outcome, ResolvedImages, check, outline_and_lint, translate_and_lint,
};

/// A question about a Dockerfile, by the names of `docker buildx build --call`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// `check`, also `lint`: the lint findings of all stages, or of those that the target needs.
    Check,
    /// `outline`: the arguments, secrets and SSH agents of the target.
    Outline,
    /// `targets`: the stages.
    Targets,
    /// `subrequests.describe`: these questions.
    Describe,
    /// `convertllb`: the build graph of the target.
    ConvertLlb,
}

/// The name is not a known question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no call {0:?}")]
pub struct Unknown(pub String);

impl Call {
    /// All questions.
    pub const ALL: &[Self] = &[
        Self::Check,
        Self::Outline,
        Self::Targets,
        Self::Describe,
        Self::ConvertLlb,
    ];

    /// Returns the value of the attribute `requestid` that asks a frontend this question.
    pub const fn request_id(self) -> &'static str {
        match self {
            Self::Check => "frontend.lint",
            Self::Outline => "frontend.outline",
            Self::Targets => "frontend.targets",
            Self::Describe => "frontend.subrequests.describe",
            Self::ConvertLlb => "frontend.convertllb",
        }
    }

    /// Returns the question of a value of the attribute `requestid`.
    pub fn from_request_id(id: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|call| call.request_id() == id)
    }
}

impl std::str::FromStr for Call {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Unknown> {
        let name = if name == "check" { "lint" } else { name };
        Self::from_request_id(&format!("frontend.{name}")).ok_or_else(|| Unknown(name.to_owned()))
    }
}

/// A question about a parsed Dockerfile.
#[derive(Debug)]
pub struct Question {
    call: Call,
    /// A syntax error is an answer to [`Call::Check`].
    job: Result<Job, (Source, Box<SyntaxFailure>)>,
    /// The wording of the answer to [`Call::Check`].
    wording: Wording,
}

impl Question {
    /// Reads the Dockerfile.
    ///
    /// # Errors
    /// [`Error::Syntax`], except for [`Call::Check`].
    pub fn read(call: Call, source: Source, asked: Asked, choice: &Choice) -> Result<Self, Error> {
        let wording = asked.wording;
        let job = match Job::read(source.clone(), asked, choice) {
            Ok(job) => Ok(job),
            Err(Error::Syntax(failure)) if call == Call::Check => Err((source, failure)),
            Err(error) => return Err(error),
        };
        Ok(Self { call, job, wording })
    }

    /// Returns true if another frontend answers the question.
    pub fn is_elsewhere(&self) -> bool {
        let elsewhere = |job: &Job| matches!(job.plan, Plan::Elsewhere(_));
        self.job.as_ref().is_ok_and(elsewhere)
    }

    /// Returns the answer, or `None` if it needs a daemon: to look up base images or to call
    /// another frontend.
    ///
    /// # Errors
    /// [`Error`] with the lines of the Dockerfile.
    pub fn answer_offline(&self, setting: &Setting) -> Result<Option<Answer>, Error> {
        let mut images = ResolvedImages::new();
        loop {
            match self.ask(setting, &images)? {
                Some(Outcome::Done(answer)) => return Ok(Some(*answer)),
                Some(Outcome::NeedsImages(requests)) => {
                    let requests = requests.into_iter().collect();
                    if !images::from_lock(setting, requests, &mut images).is_empty() {
                        return Ok(None);
                    }
                }
                _ => return Ok(None),
            }
        }
    }

    /// Returns the answer.
    ///
    /// # Errors
    /// [`Error`] with the lines of the Dockerfile, or the daemon's error.
    pub async fn answer(&self, bridge: &Bridge, setting: &Setting) -> Result<Answer, Error> {
        let mut images = ResolvedImages::new();
        let mut linked = setting.clone();
        for link in &setting.links {
            linked.contexts.extend(link.contexts(bridge, &[]).await?);
        }
        let setting = &linked;
        loop {
            match self.ask(setting, &images)? {
                Some(Outcome::Done(answer)) => return Ok(*answer),
                Some(Outcome::NeedsImages(requests)) => {
                    let requests = requests.into_iter().collect();
                    images::resolve(bridge, setting, requests, &mut images).await;
                }
                Some(Outcome::NeedsTime(source)) => {
                    images::resolve_time(bridge, source, &mut images).await?;
                }
                None => return self.ask_elsewhere(bridge, setting).await,
            }
        }
    }

    /// Answers as far as possible with these images; `None` if another frontend must answer.
    fn ask(
        &self,
        setting: &Setting,
        images: &ResolvedImages,
    ) -> Result<Option<Outcome<Answer>>, Error> {
        let done = |answer| Ok(Some(Outcome::Done(Box::new(answer))));
        let job = match &self.job {
            Ok(job) => job,
            Err((source, failure)) => {
                return done(subrequest::check_syntax(source, failure, self.wording));
            }
        };
        let Plan::Here(parsed) = &job.plan else {
            return Ok(None);
        };
        match self.call {
            Call::Describe => done(subrequest::describe()),
            Call::Targets => done(subrequest::targets(&job.source, &parsed.dockerfile)),
            Call::Outline => {
                let options = self.options(job, setting)?;
                let mut linter = parsed.linter.clone();
                let made = outline_and_lint(&parsed.dockerfile, &options, images, &mut linter);
                let made = made.map_err(|error| Error::translate(&job.source, None, &error))?;
                Ok(Some(
                    made.map(|outline| subrequest::outline(&job.source, &outline)),
                ))
            }
            Call::ConvertLlb => {
                let options = self.options(job, setting)?;
                let mut linter = parsed.linter.clone();
                let made = translate_and_lint(&parsed.dockerfile, &options, images, &mut linter);
                let made = made.map_err(|error| Error::translate(&job.source, None, &error))?;
                Ok(Some(made.map(|translation| {
                    subrequest::convert(&translation.definition)
                })))
            }
            Call::Check => {
                let options = self.options(job, setting)?;
                Ok(Some(checked(job, parsed, &options, images)))
            }
        }
    }

    /// Returns the options for the first platform, as in the reference.
    fn options(&self, job: &Job, setting: &Setting) -> Result<Options, Error> {
        let read = job.asked_with(setting)?;
        Ok(Options {
            platform: read.platforms.into_iter().next(),
            ..read.options
        })
    }

    async fn ask_elsewhere(&self, bridge: &Bridge, setting: &Setting) -> Result<Answer, Error> {
        let (source, span, forward) = match &self.job {
            Ok(Job {
                source,
                asked,
                plan: Plan::Elsewhere(other),
            }) => {
                let mut options = asked.attributes.clone();
                options.extend(other.attributes.clone());
                options.insert("requestid".to_owned(), self.call.request_id().to_owned());
                options.insert(
                    "frontend.caps".to_owned(),
                    "moby.buildkit.frontend.subrequests".to_owned(),
                );
                let forward = Forward {
                    frontend: other.frontend.to_owned(),
                    options,
                    inputs: setting.inputs.clone(),
                };
                (source, other.span, forward)
            }
            // All other questions were answered above.
            _ => return Ok(subrequest::describe()),
        };
        let asked = bridge.forward(&forward, &SolveOptions::default()).await;
        let result = asked.map_err(|error| Error::forward(source, span, error))?;
        Ok(Answer::from_metadata(self.call, &result.metadata))
    }
}

fn checked(
    job: &Job,
    parsed: &Parsed,
    options: &Options,
    images: &ResolvedImages,
) -> Outcome<Answer> {
    let mut linter = parsed.linter.clone();
    match check(&parsed.dockerfile, options, images, &mut linter) {
        Ok(outcome) => outcome.map(|()| subrequest::check(&job.source, linter.findings(), None)),
        Err(error) => {
            let mistake = Some((&error, job.asked.wording));
            let answer = subrequest::check(&job.source, linter.findings(), mistake);
            Outcome::Done(Box::new(answer))
        }
    }
}
