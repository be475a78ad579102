//! Contexts and Dockerfiles that the daemon has to fetch before the Dockerfile can be translated.

use std::collections::BTreeMap;

use super::attempt::Attempt;
use super::attended::Attended;
use super::environment::Environment;
use crate::client::{Client, SolveRequest};
use crate::frontend::{Asked, Choice, Contexts, Entry, Source, is_elsewhere};
use crate::gateway::{self, Bridge, BuildResult, SolveOptions};
use crate::llb::{self, Constraints, Definition, MarshalOptions};
use crate::pipeline::inputs::{ContextRead, DockerfileRead};
use crate::pipeline::{Error, Inputs, PolicyError};
use crate::session::Session;
use crate::text::redact_url;
use crate::translate::Context;

/// The name of a fetched Dockerfile in its download.
const NAME: &str = "Dockerfile";

/// Has the daemon download the Dockerfile if it is given as a URL. The download is a build of its
/// own, because a frontend in the daemon reads the Dockerfile through the session of the build that
/// follows.
pub(super) async fn dockerfile(
    inputs: Inputs,
    client: &Client,
    environment: &Environment,
) -> Result<Inputs, Error> {
    let url = match &inputs.dockerfile {
        DockerfileRead::Url(url) => url.clone(),
        DockerfileRead::Text { .. } | DockerfileRead::InContext(_) => return Ok(inputs),
    };
    let session = Session::builder().auth(environment.auth()).build()?;
    let solve = SolveRequest {
        internal: true,
        ..SolveRequest::default()
    };
    let attended = Attended::new(client, environment, session, solve)?;
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
    Ok(inputs.with_dockerfile(&url, text))
}

/// The inputs that were read through the daemon; empty if all are on this machine.
#[derive(Default)]
pub(super) struct Loaded {
    /// The Dockerfile of a fetched context, with the request for the frontend.
    pub(super) dockerfile: Option<(Source, Asked)>,
    /// The main context, now that its kind is known.
    pub(super) context: Option<Context>,
    /// Graphs that replace contexts, for a frontend in the daemon.
    pub(super) inputs: BTreeMap<String, Definition>,
    /// The digest of the step that warnings are attached to.
    pub(super) warn_at: String,
}

/// Reads through the daemon what is not on this machine: the kind of a fetched context, and its
/// Dockerfile. Another frontend reads both itself, unless the Dockerfile selects that frontend.
pub(super) async fn load(
    attempt: &Attempt<'_>,
    bridge: &Bridge,
    session_id: &str,
) -> Result<Loaded, Error> {
    let mut loaded = Loaded::default();
    let (inputs, choice) = (&attempt.inputs, &attempt.request.frontend);
    let mut asked = attempt.asked.clone();
    let in_context = matches!(inputs.dockerfile, DockerfileRead::InContext(_));
    let is_chosen = matches!(choice, Choice::BuiltIn | Choice::Image(_));
    if in_context && is_chosen {
        loaded.dockerfile = Some((Source::new(NAME, Vec::new()), asked));
        return Ok(loaded);
    }
    if !inputs.is_fetched() || attempt.forwarded {
        return Ok(loaded);
    }
    let contexts = Contexts::find(bridge, &asked, session_id, BTreeMap::new()).await?;
    if in_context {
        let entry = Entry::read(bridge, asked.attributes(), session_id, &contexts).await?;
        // For other contexts the policy was read earlier.
        if let (true, Some(file)) = (attempt.request.policy.uses_own(), entry.policy)
            && matches!(inputs.context, ContextRead::Upload(_))
        {
            return Err(PolicyError::InStream { file }.into());
        }
        let source = entry.source;
        if matches!(inputs.context, ContextRead::Upload(_))
            && is_elsewhere(choice, asked.attributes(), source.text())
            && let Some(read) = source.definition()
        {
            // The stream cannot be read twice, but the daemon has its content.
            asked = asked.without_context();
            let given = ["context", "dockerfile"].map(|name| (name.to_owned(), read.clone()));
            loaded.inputs = BTreeMap::from(given);
        }
        loaded.warn_at = entry.head;
        loaded.dockerfile = Some((source, asked));
    }
    loaded.context = Some(contexts.main);
    Ok(loaded)
}

async fn download(bridge: &Bridge, url: &str) -> Result<Vec<u8>, gateway::Error> {
    let shown = format!("[internal] load {}", redact_url(url));
    let file = llb::Http::named(NAME);
    let file = llb::http(url, &file, Constraints::new().named(shown));
    let options = MarshalOptions {
        caps: bridge.capabilities().llb,
        ..MarshalOptions::default()
    };
    // A graph with only a download always marshals.
    let definition = file.marshal(&options).unwrap_or_default();
    let solved = bridge.solve(&definition, &SolveOptions::default()).await?;
    let text = bridge.read_file(&solved, NAME, None).await?;
    Ok(text.to_vec())
}
