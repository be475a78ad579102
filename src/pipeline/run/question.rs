//! Questions about the Dockerfile of a request that are answered without a build.

use super::attempt::Attempt;
use super::environment::Environment;
use super::prepared::read_inputs;
use super::setting;
use super::shared::Member;
use super::shown_inputs;
use crate::client::{Client, DaemonKind, SolveRequest};
use crate::dockerfile::Wording;
use crate::frontend::{Answer, Asked, Call, Question, Source};
use crate::gateway::BuildResult;
use crate::pipeline::inputs::named;
use crate::pipeline::request::translation;
use crate::pipeline::{BuildRequest, Error, Inputs};
use crate::progress::Writer;
use crate::session::ContentStores;

/// A question whose inputs have been read.
#[derive(Debug)]
pub struct Inquiry {
    request: BuildRequest,
    inputs: Inputs,
    call: Call,
}

/// Reads the Dockerfile and the ignore file of a request, to answer a question about it.
///
/// # Errors
/// An input that is missing, with its path.
pub async fn inquire(request: BuildRequest, call: Call) -> Result<Inquiry, Error> {
    let inputs = read_inputs(&request).await?;
    Ok(Inquiry {
        request,
        inputs,
        call,
    })
}

impl Inquiry {
    /// The answer, if it needs no daemon. A daemon is needed to look up base images, to run other
    /// frontends, and to read git repositories and downloads.
    ///
    /// # Errors
    /// [`Error::Frontend`] with the lines of the Dockerfile.
    pub fn answer_offline(&self) -> Result<Option<Answer>, Error> {
        let Some(source) = self.source(&self.inputs) else {
            return Ok(None);
        };
        // The translation of linked builds needs a daemon to look up their base images.
        if named::builds(&self.inputs.named).next().is_some() {
            return Ok(None);
        }
        let (request, inputs) = (&self.request, &self.inputs);
        let asked = translation::asked(request, inputs, DaemonKind::Buildkitd, false);
        let question = self.question(source, asked)?;
        let setting = setting::offline(request, inputs);
        Ok(question.answer_offline(&setting)?)
    }

    /// Shows the Dockerfile as a finished step, if it was read on this machine.
    pub fn show_dockerfile(&self, progress: &Writer) {
        if !self.is_elsewhere() {
            shown_inputs::show_dockerfile(&self.inputs, progress);
        }
    }

    /// Shows the ignore files as finished steps, if the question is about the whole translation: a
    /// frontend in the daemon reads them at its end.
    pub fn show_ignore_files(&self, progress: &Writer) {
        let is_about_all = match self.call {
            Call::Check | Call::Outline | Call::ConvertLlb => true,
            Call::Targets | Call::Describe => false,
        };
        if is_about_all && !self.is_elsewhere() {
            shown_inputs::show_ignore_files(&self.inputs, progress);
        }
    }

    /// True if another frontend reads the Dockerfile.
    fn is_elsewhere(&self) -> bool {
        let (request, inputs) = (&self.request, &self.inputs);
        let Some(source) = inputs.source_in(request.wording) else {
            return false;
        };
        let asked = translation::asked(request, inputs, DaemonKind::Buildkitd, false);
        let question = self.question(source, asked);
        question.is_ok_and(|question| question.is_elsewhere())
    }

    /// Answers the question.
    ///
    /// # Errors
    /// [`Error::Frontend`] with the lines of the Dockerfile; other errors if the daemon cannot be
    /// asked.
    pub async fn answer(&self, client: &Client, environment: Environment) -> Result<Answer, Error> {
        let request = &self.request;
        let attempt = Attempt::new(request, &self.inputs, client, &environment, false).await?;
        let question = match self.source(&attempt.inputs) {
            Some(source) => Some(self.question(source, attempt.asked.clone())?),
            None => None,
        };
        let forwarded = question.as_ref().is_some_and(Question::is_elsewhere);
        let member = Member::alone(request, &attempt.inputs, environment.sent.clone());
        let attempt = attempt.with_frontend(forwarded, member);
        let attempt = attempt.with_policies().await?;
        let (session, _folder) = attempt.session(ContentStores::new())?;
        let session = session.build()?;
        let sources = attempt.sources(&session).await?;
        let attended = attempt.attended(session, SolveRequest::default())?;
        let answered = attended.run(async |bridge| {
            let mut loaded = attempt.load(bridge, &sources).await?;
            let question = match (loaded.dockerfile.take(), question) {
                (Some((source, asked)), _) => self.question(source, asked)?,
                (None, Some(question)) => question,
                (None, None) => return Err(Error::NoDockerfile),
            };
            let setting = attempt.setting(bridge, sources, loaded).await?;
            let answer = question.answer(bridge, &setting).await?;
            bridge.return_result(&BuildResult::default()).await?;
            Ok(answer)
        });
        let answered = attempt.explained(answered.await);
        attempt.end().await;
        Ok(answered?.0)
    }

    /// The Dockerfile, if it is on this machine. A check shows its path, also in BuildKit's
    /// wording: buildx replaces the name.
    fn source(&self, inputs: &Inputs) -> Option<Source> {
        let wording = match self.call {
            Call::Check => Wording::Own,
            _ => self.request.wording,
        };
        inputs.source_in(wording)
    }

    fn question(&self, source: Source, asked: Asked) -> Result<Question, Error> {
        let choice = &self.request.frontend;
        Ok(Question::read(self.call, source, asked, choice)?)
    }
}
