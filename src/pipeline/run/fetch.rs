//! What a build needs of the daemon before the Dockerfile can be translated: contexts and Dockerfiles that it fetches.

use std::collections::BTreeMap;

use super::attended::Attended;
use crate::client::{Client, SolveRequest};
use crate::frontend::{Choice, Contexts, Entry, Setting, Source, is_elsewhere};
use crate::gateway::{self, Bridge, BuildResult, SolveOptions};
use crate::llb::{self, Constraints, MarshalOptions};
use crate::pipeline::inputs::{ContextRead, DockerfileRead, Inputs};
use crate::pipeline::{Environment, Error, PolicyUse};
use crate::session::{self, Session};
use crate::text::redact_url;

/// The name of a fetched Dockerfile in its download.
const NAME: &str = "Dockerfile";

impl Inputs {
    /// The same with the Dockerfile, if that is behind a URL: the daemon downloads it in a build of its own, since a
    /// frontend in the daemon gets it through the session of the build that follows.
    pub(in crate::pipeline) async fn fetched(
        self,
        client: &Client,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let url = match &self.dockerfile {
            DockerfileRead::Url(url) => url.clone(),
            DockerfileRead::Text { .. } | DockerfileRead::InContext(_) => return Ok(self),
        };
        let session = Session::builder().auth(environment.auth()).build()?;
        let attended = Attended {
            client,
            solve: SolveRequest {
                build_ref: session::new_id()?,
                session_id: session.id().to_owned(),
                internal: true,
                ..SolveRequest::default()
            },
            session,
            progress: environment.progress.clone(),
            cancelled: &environment.cancelled,
            sent: &environment.sent,
        };
        let downloaded = attended.run(async |bridge| {
            let text = download(bridge, &url).await;
            let text = text.map_err(|source| Error::DockerfileUrl {
                url: redact_url(&url),
                source,
            })?;
            bridge.return_result(&BuildResult::default()).await?;
            Ok(text)
        });
        let (text, _) = downloaded.await?;
        Ok(self.with_dockerfile(&url, text))
    }

    /// Reads through the daemon what is not here: of which kind a fetched context is, and the Dockerfile in it. Another
    /// frontend reads all that itself, unless it is the Dockerfile that asks for it.
    pub(super) async fn load(
        &self,
        bridge: &Bridge,
        plan: &Reading<'_>,
        setting: &mut Setting,
    ) -> Result<Option<Loaded>, Error> {
        let mut attributes = plan.attributes.clone();
        let in_context = matches!(self.dockerfile, DockerfileRead::InContext(_));
        let asked_for = matches!(plan.frontend, Choice::BuiltIn | Choice::Image(_));
        if in_context && asked_for {
            let source = Source::new(NAME, Vec::new());
            return Ok(Some(Loaded { source, attributes }));
        }
        if !self.is_fetched() || plan.forwarded {
            return Ok(None);
        }
        let session_id = setting.session_id.clone();
        let contexts = Contexts::find(bridge, &attributes, &session_id, BTreeMap::new()).await?;
        let mut loaded = None;
        if in_context {
            let entry = Entry::read(bridge, &attributes, &session_id, &contexts).await?;
            if let (PolicyUse::Refuse, Some(file)) = (plan.policy, entry.policy) {
                return Err(Error::Policy { file });
            }
            let source = entry.source;
            setting.warn_at = entry.head;
            if matches!(self.context, ContextRead::Upload(_))
                && is_elsewhere(plan.frontend, &attributes, source.text())
                && let Some(read) = source.definition()
            {
                // The stream cannot be read again; what the daemon has of it can.
                attributes.remove("context");
                let inputs = ["context", "dockerfile"].map(|name| (name.to_owned(), read.clone()));
                setting.inputs = BTreeMap::from(inputs);
            }
            loaded = Some(Loaded { source, attributes });
        }
        setting.context = Some(contexts.main);
        Ok(loaded)
    }
}

/// What decides what is read.
pub(in crate::pipeline) struct Reading<'a> {
    /// Who translates the Dockerfile, as far as that was said.
    pub(in crate::pipeline) frontend: &'a Choice,
    /// It is known to be another frontend.
    pub(in crate::pipeline) forwarded: bool,
    /// Where the contexts and the Dockerfile are.
    pub(in crate::pipeline) attributes: &'a BTreeMap<String, String>,
    /// What is done about a policy beside the Dockerfile.
    pub(in crate::pipeline) policy: PolicyUse,
}

/// A Dockerfile out of a fetched context.
pub(super) struct Loaded {
    pub(in crate::pipeline) source: Source,
    /// The attributes for it.
    pub(in crate::pipeline) attributes: BTreeMap<String, String>,
}

async fn download(bridge: &Bridge, url: &str) -> Result<Vec<u8>, gateway::Error> {
    let shown = format!("[internal] load {}", redact_url(url));
    let file = llb::Http::named(NAME);
    let file = llb::http(url, &file, Constraints::new().named(shown));
    let options = MarshalOptions {
        caps: bridge.capabilities().llb,
        ..MarshalOptions::default()
    };
    // A download alone has nothing that could not be marshalled.
    let definition = file.marshal(&options).unwrap_or_default();
    let solved = bridge.solve(&definition, &SolveOptions::default()).await?;
    let text = bridge.read_file(&solved, NAME, None).await?;
    Ok(text.to_vec())
}
