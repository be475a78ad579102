//! Reads the Dockerfile through the daemon.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::{Error, Source};
use super::contexts::Contexts;
use super::fetch::solve;
use crate::dockerfile::parse_ignore;
use crate::gateway::{Bridge, Ref};
use crate::llb::{self, Constraints, Local, State, path};

/// The session's folder with the Dockerfiles.
const FOLDER: &str = "dockerfile";
const USUAL_NAME: &str = "Dockerfile";

/// A Dockerfile that was read.
pub(crate) struct Entry {
    pub(crate) source: Source,
    /// The digest of the step that read it, to which warnings are attached.
    pub(crate) head: String,
    /// The patterns of its own ignore file.
    pub(crate) excludes: Option<Vec<String>>,
    /// The name of the policy file beside it, if any.
    pub(crate) policy: Option<String>,
}

impl Entry {
    pub(crate) async fn read(
        bridge: &Bridge,
        attributes: &BTreeMap<String, String>,
        session_id: &str,
        contexts: &Contexts,
    ) -> Result<Self, Error> {
        let filename = contexts.filename.as_str();
        let (definition, solved) = match &contexts.dockerfile {
            Some(place) => contexts.fetch(bridge, place).await?,
            None => solve(bridge, &folder(attributes, session_id, filename)).await?,
        };
        let text = read(bridge, &solved, filename).await?;
        let own_ignore_file = format!("{filename}.dockerignore");
        let excludes = bridge.read_file(&solved, &own_ignore_file, None).await.ok();
        let policy = format!("{filename}.rego");
        let has_policy = bridge.read_file(&solved, &policy, Some(0..1)).await.is_ok();
        let head = definition.head_str().unwrap_or_default().to_owned();
        Ok(Self {
            source: Source::inside(filename, text, Arc::new(definition)),
            head,
            excludes: excludes.map(|text| parse_ignore(&text)),
            policy: has_policy.then_some(policy),
        })
    }
}

/// The client's folder. Only files that can be the Dockerfile or its ignore file are sent.
fn folder(attributes: &BTreeMap<String, String>, session_id: &str, filename: &str) -> State {
    let name = attributes
        .get("dockerfilekey")
        .map_or(FOLDER, String::as_str);
    let session = attributes.get(&format!("local-sessionid:{name}"));
    let mut follow_paths = vec![filename.to_owned(), format!("{filename}.dockerignore")];
    follow_paths.extend(lower_case(filename));
    let transfer = Local {
        session: session.map_or(session_id, String::as_str).to_owned(),
        follow_paths,
        shared_key_hint: name.to_owned(),
        no_differ: true,
        ..Local::default()
    };
    let shown = format!("[internal] load build definition from {filename}");
    llb::local(name, &transfer, Constraints::new().named(shown))
}

/// Returns `dockerfile` if `Dockerfile` was requested.
fn lower_case(filename: &str) -> Option<String> {
    let (folder, base) = filename.rsplit_once('/').unwrap_or((".", filename));
    (base == USUAL_NAME).then(|| path::join(folder, &USUAL_NAME.to_lowercase()))
}

async fn read(bridge: &Bridge, solved: &Ref, filename: &str) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Dockerfile {
        filename: filename.to_owned(),
        source,
    };
    let error = match bridge.read_file(solved, filename, None).await {
        Ok(text) => return Ok(text.to_vec()),
        Err(error) => failed(error),
    };
    let Some(lower) = lower_case(filename) else {
        return Err(error);
    };
    let text = bridge.read_file(solved, &lower, None).await;
    text.map(|text| text.to_vec()).map_err(|_| error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_case_name_is_looked_for_beside_the_usual_one() {
        assert_eq!(lower_case("Dockerfile").as_deref(), Some("dockerfile"));
        assert_eq!(
            lower_case("a/b/Dockerfile").as_deref(),
            Some("a/b/dockerfile")
        );
        assert_eq!(lower_case("a/My.Dockerfile"), None);
    }
}
