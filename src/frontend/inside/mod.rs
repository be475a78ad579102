//! The frontend as BuildKit runs it: an image inside the daemon. What a client-side build reads from its disk is read
//! through the daemon here; all else is the same.

mod capabilities;

use std::collections::BTreeMap;

use super::choice::{Choice, elsewhere};
use super::read::{Contexts, Entry};
use super::{Call, Error, Job, Question, Setting};
use crate::client::CacheEntry;
use crate::gateway::{self, Bridge, BuildResult, FrontendEnvironment};
use crate::oci::Platform;

/// The attribute that asks a question instead of a build.
const REQUEST: &str = "requestid";

/// Answers the build, or the question, for which the daemon has started this frontend. A failure is an answer too: the
/// daemon gets it with the lines of the Dockerfile.
///
/// # Errors
/// [`gateway::Error`] when the daemon does not take the answer.
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
    let attributes = &environment.options;
    let missing = capabilities::missing(attributes)?;
    let session_id = environment.session_id.as_str();
    let inputs = bridge.inputs().await?;
    let mut contexts = Contexts::find(bridge, attributes, session_id, inputs).await?;
    let entry = Entry::read(bridge, attributes, session_id, &contexts).await?;

    if elsewhere(&Choice::Auto, attributes, entry.source.text()).is_some() {
        let job = Job::read(entry.source.clone(), attributes.clone(), &Choice::Auto)?;
        let setting = setting(bridge, environment, &entry, contexts)?;
        return Ok(job.run(bridge, &setting).await?.result);
    }
    missing.map_or(Ok(()), Err)?;
    contexts.excludes.clone_from(&entry.excludes);
    contexts.read_ignore_files(bridge, session_id).await?;
    let question = attributes.get(REQUEST).map(|id| call(id)).transpose()?;
    let setting = setting(bridge, environment, &entry, contexts)?;
    let (source, attributes) = (entry.source, attributes.clone());
    match question {
        Some(call) => {
            let question = Question::read(call, source, attributes, &Choice::Here)?;
            let answer = question.answer(bridge, &setting).await?;
            Ok(BuildResult {
                metadata: answer.to_metadata(call),
                ..BuildResult::default()
            })
        }
        None => {
            let job = Job::read(source, attributes, &Choice::Here)?;
            Ok(job.run(bridge, &setting).await?.result)
        }
    }
}

fn call(id: &str) -> Result<Call, Error> {
    let unknown = || Error::UnknownRequest { id: id.to_owned() };
    Call::from_request_id(id).ok_or_else(unknown)
}

fn setting(
    bridge: &Bridge,
    environment: &FrontendEnvironment,
    entry: &Entry,
    contexts: Contexts,
) -> Result<Setting, Error> {
    Ok(Setting {
        session_id: environment.session_id.clone(),
        build_platforms: build_platforms(bridge, environment),
        excludes: contexts.excludes.unwrap_or_default(),
        cache_imports: cache_imports(&environment.options)?,
        inputs: contexts.inputs,
        warn_at: entry.head.clone(),
        context: Some(contexts.main),
        contexts: contexts.named,
        ..Setting::default()
    })
}

/// The platforms of the first worker, its own first.
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

/// `cache-imports`, a JSON list, and the older `cache-from`, references with commas between.
fn cache_imports(attributes: &BTreeMap<String, String>) -> Result<Vec<CacheEntry>, Error> {
    let get = |name: &str| attributes.get(name).filter(|text| !text.is_empty());
    let mut imports = match get("cache-imports") {
        None => Vec::new(),
        Some(text) => CacheEntry::list_from_json(text).ok_or_else(|| Error::InvalidAttribute {
            name: "cache-imports".to_owned(),
            reason: "it is not a JSON list of caches".to_owned(),
        })?,
    };
    let older = get("cache-from")
        .into_iter()
        .flat_map(|list| list.split(','));
    imports.extend(older.map(|reference| CacheEntry {
        kind: "registry".to_owned(),
        attrs: BTreeMap::from([("ref".to_owned(), reference.to_owned())]),
    }));
    Ok(imports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_are_read_from_both_attributes() {
        let read = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            cache_imports(&pairs.collect())
        };
        let both = read(&[
            ("cache-imports", r#"[{"Type":"gha","Attrs":{"scope":"a"}}]"#),
            ("cache-from", "x/y,z"),
        ]);
        let both = both.unwrap();
        assert_eq!(both[0].attrs["scope"], "a");
        assert_eq!(
            (both[1].kind.as_str(), both[2].attrs["ref"].as_str()),
            ("registry", "z")
        );
        assert!(read(&[("cache-imports", "x")]).is_err());
        assert!(read(&[]).unwrap().is_empty());
    }
}
