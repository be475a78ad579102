//! Questions about the Dockerfile of a request, which are answered without building it.

use super::attended::Attended;
use super::context::Inputs;
use super::pipeline::{Environment, build_platforms, read_inputs, session_of, setting};
use super::{BuildRequest, Error, layouts, options};
use crate::client::{Address, Client, SolveRequest};
use crate::frontend::{Answer, Call, Question, Setting};
use crate::gateway::BuildResult;
use crate::oci::Platform;
use crate::session;

/// A question whose inputs are read.
#[derive(Debug)]
pub struct Inquiry {
    request: BuildRequest,
    inputs: Inputs,
    call: Call,
}

/// Reads the Dockerfile and the ignore file of a request, for a question about it.
///
/// # Errors
/// What is missing, with its path.
pub async fn inquire(request: BuildRequest, call: Call) -> Result<Inquiry, Error> {
    let inputs = read_inputs(&request).await?;
    Ok(Inquiry {
        request,
        inputs,
        call,
    })
}

impl Inquiry {
    /// The answer, when no daemon is needed for it: base images are looked up by one, and other frontends run there.
    ///
    /// # Errors
    /// [`Error::Frontend`] with the lines of the Dockerfile.
    pub fn answer_offline(&self) -> Result<Option<Answer>, Error> {
        let setting = Setting {
            build_platforms: vec![Platform::host()],
            excludes: self.inputs.excludes.clone(),
            lock: self.request.lock.clone(),
            ..Setting::default()
        };
        Ok(self.question(false)?.answer_offline(&setting)?)
    }

    /// The answer.
    ///
    /// # Errors
    /// [`Error::Frontend`] with the lines of the Dockerfile; other errors when the daemon cannot be asked.
    pub async fn answer(&self, client: &Client, environment: Environment) -> Result<Answer, Error> {
        let docker_engine = matches!(client.address(), Address::Docker(_));
        let question = self.question(docker_engine)?;
        let forwarded = question.is_elsewhere();
        let session = session_of(
            &self.request,
            &self.inputs,
            forwarded,
            environment.credentials,
            layouts::contexts(&self.request),
        )?
        .build()?;
        let mut setting = setting(&self.request, &self.inputs, &session);
        let attended = Attended {
            client,
            solve: SolveRequest {
                build_ref: session::new_id()?,
                session_id: session.id().to_owned(),
                ..SolveRequest::default()
            },
            session,
            progress: environment.progress,
            cancelled: &environment.cancelled,
        };
        let answered = attended.run(async |bridge| {
            setting.build_platforms = build_platforms(bridge.workers());
            let answer = question.answer(bridge, &setting).await?;
            bridge.return_result(&BuildResult::default()).await?;
            Ok(answer)
        });
        Ok(answered.await?.0)
    }

    fn question(&self, docker_engine: bool) -> Result<Question, Error> {
        let mut attributes = options::frontend_attributes(&self.request, docker_engine);
        attributes.insert("filename".to_owned(), self.inputs.dockerfile_folder().1);
        let choice = &self.request.frontend;
        Ok(Question::read(
            self.call,
            self.inputs.source(),
            attributes,
            choice,
        )?)
    }
}
