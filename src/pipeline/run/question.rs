//! Questions about the Dockerfile of a request, which are answered without building it.

use std::collections::BTreeMap;

use super::attended::Attended;
use super::fetch::Reading;
use super::served::{Served, build_platforms, setting};
use super::{Environment, read_inputs};
use crate::client::{Address, Client, SolveRequest};
use crate::frontend::{Answer, Call, Question, Setting, Source};
use crate::gateway::BuildResult;
use crate::oci::Platform;
use crate::pipeline::export::layouts;
use crate::pipeline::inputs::{named, policy};
use crate::pipeline::request::options;
use crate::pipeline::{BuildRequest, Error, Inputs, Member};
use crate::session::{self, ContentStores};

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
    policy::check(&request, &inputs)?;
    Ok(Inquiry {
        request,
        inputs,
        call,
    })
}

impl Inquiry {
    /// The answer, when no daemon is needed for it: base images are looked up by one, other frontends run there, and git
    /// repositories and downloads are read there.
    ///
    /// # Errors
    /// [`Error::Frontend`] with the lines of the Dockerfile.
    pub fn answer_offline(&self) -> Result<Option<Answer>, Error> {
        let Some(source) = self.inputs.source() else {
            return Ok(None);
        };
        // Linked builds are translated with a daemon: it knows their base images.
        if named::builds(&self.inputs.named).next().is_some() {
            return Ok(None);
        }
        let setting = Setting {
            build_platforms: vec![Platform::host()],
            excludes: self.inputs.excludes.clone(),
            contexts: named::locals(&self.inputs.named),
            lock: self.request.lock.clone(),
            ..Setting::default()
        };
        let attributes = options::frontend_attributes(&self.request, &self.inputs, false);
        let question = self.question(source, attributes)?;
        Ok(question.answer_offline(&setting)?)
    }

    /// The answer.
    ///
    /// # Errors
    /// [`Error::Frontend`] with the lines of the Dockerfile; other errors when the daemon cannot be asked.
    pub async fn answer(&self, client: &Client, environment: Environment) -> Result<Answer, Error> {
        let inputs = self.inputs.clone().fetched(client, &environment).await?;
        let docker_engine = matches!(client.address(), Address::Docker(_));
        let attributes = options::frontend_attributes(&self.request, &inputs, docker_engine);
        let question = match inputs.source() {
            Some(source) => Some(self.question(source, attributes.clone())?),
            None => None,
        };
        let forwarded = question.as_ref().is_some_and(Question::is_elsewhere);
        let stores = layouts::contexts(&inputs, ContentStores::new());
        let auth = environment.auth();
        let member = Member::alone(&self.request, &inputs, environment.sent.clone());
        let member = member.filter(|_| !forwarded);
        let served = Served::of(
            &self.request,
            &inputs,
            forwarded,
            auth,
            stores,
            member.is_none().then(|| environment.sent.clone()),
        )?;
        let (session, _folder) = served.session();
        let session = session.build()?;
        let sources = match &member {
            Some(member) => member.sources(client, &inputs).await?,
            None => session.id().to_owned(),
        };
        let mut setting = setting(&self.request, &inputs, &sources);
        let attended = Attended {
            client,
            solve: SolveRequest {
                build_ref: session::new_id()?,
                session_id: session.id().to_owned(),
                ..SolveRequest::default()
            },
            session,
            progress: environment.progress.clone(),
            cancelled: &environment.cancelled,
            sent: &environment.sent,
        };
        let answered = attended.run(async |bridge| {
            setting.build_platforms = build_platforms(bridge.workers());
            let plan = Reading {
                frontend: &self.request.frontend,
                forwarded,
                attributes: &attributes,
                policy: self.request.policy,
            };
            let question = match (question, inputs.load(bridge, &plan, &mut setting).await?) {
                (_, Some(loaded)) => self.question(loaded.source, loaded.attributes)?,
                (Some(question), None) => question,
                (None, None) => return Err(Error::Interrupted),
            };
            if let Some(member) = &member {
                let links = member.links(client, bridge, &inputs, &environment);
                setting.links = links.await?;
            }
            let answer = question.answer(bridge, &setting).await?;
            bridge.return_result(&BuildResult::default()).await?;
            Ok(answer)
        });
        Ok(answered.await?.0)
    }

    fn question(
        &self,
        source: Source,
        attributes: BTreeMap<String, String>,
    ) -> Result<Question, Error> {
        let choice = &self.request.frontend;
        Ok(Question::read(self.call, source, attributes, choice)?)
    }
}
