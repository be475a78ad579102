//! The frontend as BuildKit runs it: an image inside the daemon. It reads the client's files
//! through the daemon; everything else is the same.

use super::choice::{Choice, elsewhere};
use super::read::{Contexts, Entry};
use super::{Asked, Call, Error, Job, Question, Setting};
use crate::client::CacheEntry;
use crate::gateway::{self, Bridge, BuildResult, FrontendEnvironment};
use crate::oci::Platform;
use crate::translate::UnsupportedCapability;

/// The attribute that asks a question instead of a build.
const REQUEST: &str = "requestid";

/// Handles the build or question for which the daemon started this frontend. A failure is an answer
/// too: the daemon gets it with the Dockerfile lines.
///
/// # Errors
/// [`gateway::Error`] if the daemon does not accept the answer.
pub async fn serve(
    bridge: &Bridge,
    environment: &FrontendEnvironment,
) -> Result<(), gateway::Error> {
    match answer(bridge, environment).await {
        Ok(result) => bridge.return_result(&result).await,
        Err(error) => bridge.return_error(&error.to_failure()).await,
    }
}

async fn answer(bridge: &Bridge, environment: &FrontendEnvironment) -> Result<BuildResult, Error> {
    let asked = Asked::from(environment.options.clone());
    let attributes = &environment.options;
    let missing = UnsupportedCapability::find(attributes);
    if let Some(missing) = missing.as_ref().filter(|missing| !missing.can_be_forwarded) {
        return Err(unsupported(missing));
    }
    let session_id = environment.session_id.as_str();
    let inputs = bridge.inputs().await?;
    let mut contexts = Contexts::find(bridge, &asked, session_id, inputs).await?;
    let entry = Entry::read(bridge, attributes, session_id, &contexts).await?;

    if elsewhere(&Choice::Auto, attributes, entry.source.text()).is_some() {
        let job = Job::read(entry.source.clone(), asked.clone(), &Choice::Auto)?;
        let setting = setting(bridge, environment, &asked, &entry, contexts)?;
        return Ok(job.run(bridge, &setting).await?.result);
    }
    if let Some(missing) = &missing {
        return Err(unsupported(missing));
    }
    contexts.excludes.clone_from(&entry.excludes);
    contexts.read_ignore_files(bridge, session_id).await?;
    let question = attributes.get(REQUEST).map(|id| call(id)).transpose()?;
    let setting = setting(bridge, environment, &asked, &entry, contexts)?;
    let source = entry.source;
    match question {
        Some(call) => {
            let question = Question::read(call, source, asked, &Choice::Here)?;
            let answer = question.answer(bridge, &setting).await?;
            Ok(BuildResult {
                metadata: answer.to_metadata(call),
                ..BuildResult::default()
            })
        }
        None => {
            let (choice, head) = (Choice::Here, setting.warn_at.as_str());
            let job = Job::read_through(bridge, source, asked, &choice, head).await?;
            Ok(job.run(bridge, &setting).await?.result)
        }
    }
}

fn unsupported(missing: &UnsupportedCapability) -> Error {
    Error::FrontendCapability {
        name: missing.name.clone(),
    }
}

fn call(id: &str) -> Result<Call, Error> {
    let unknown = || Error::UnknownRequest { id: id.to_owned() };
    Call::from_request_id(id).ok_or_else(unknown)
}

fn setting(
    bridge: &Bridge,
    environment: &FrontendEnvironment,
    asked: &Asked,
    entry: &Entry,
    contexts: Contexts,
) -> Result<Setting, Error> {
    Ok(Setting {
        session_id: environment.session_id.clone(),
        build_platforms: build_platforms(bridge, environment),
        excludes: contexts.excludes.unwrap_or_default(),
        cache_imports: cache_imports(asked)?,
        inputs: contexts.inputs,
        warn_at: entry.head.clone(),
        context: Some(contexts.main),
        contexts: contexts.named,
        ..Setting::default()
    })
}

/// Returns the platforms of the first worker, its own first.
fn build_platforms(bridge: &Bridge, environment: &FrontendEnvironment) -> Vec<Platform> {
    let workers = [environment.workers.first(), bridge.workers().first()];
    let platforms = workers
        .into_iter()
        .flatten()
        .map(|worker| &worker.platforms);
    let first = platforms
        .into_iter()
        .find(|platforms| !platforms.is_empty());
    first
        .into_iter()
        .flatten()
        .map(Platform::normalized)
        .collect()
}

fn cache_imports(asked: &Asked) -> Result<Vec<CacheEntry>, Error> {
    let imports = asked.typed()?.cache_imports.iter();
    Ok(imports
        .map(|import| CacheEntry {
            kind: import.kind.clone(),
            attrs: import.attrs.clone(),
        })
        .collect())
}
