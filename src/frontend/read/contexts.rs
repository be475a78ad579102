//! The contexts of a build: the client's folders, git, downloads, and graphs that were built
//! before.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde::Deserialize;

use super::super::{Asked, AttributeProblem, Error};
use super::archive::is_archive;
use super::fetch::{fetch, first_bytes, solve};
use crate::dockerfile::parse_ignore;
use crate::gateway::{Bridge, Ref};
use crate::llb::{self, Constraints, Definition, Local, State};
use crate::oci::Image;
use crate::translate::{Context, LocalContext, NamedContext, Options, scoped};

const IGNORE_FILE: &str = ".dockerignore";

/// The contexts and inputs of a build.
pub(crate) struct Contexts {
    pub(crate) main: Context,
    /// The source of the Dockerfile, unless it is in a folder of the client.
    pub(super) dockerfile: Option<State>,
    /// The Dockerfile's path in that source.
    pub(super) filename: String,
    pub(crate) named: BTreeMap<String, NamedContext>,
    /// The graphs that the client sent.
    pub(crate) inputs: BTreeMap<String, Definition>,
    /// The patterns that an ignore file excludes from the main context; the Dockerfile's own ignore
    /// file is not included.
    pub(crate) excludes: Option<Vec<String>>,
}

impl Contexts {
    /// Resolves the contexts in the attributes; `input:NAME` refers to `inputs`.
    pub(crate) async fn find(
        bridge: &Bridge,
        asked: &Asked,
        session_id: &str,
        inputs: BTreeMap<String, Definition>,
    ) -> Result<Self, Error> {
        let attributes = &asked.attributes;
        let mut options = asked.typed()?.options.clone();
        session_id.clone_into(&mut options.session_id);
        let filename = attributes
            .get("filename")
            .map_or("Dockerfile", String::as_str);
        let mut found = Self {
            main: Context::default(),
            dockerfile: None,
            filename: filename.to_owned(),
            named: BTreeMap::new(),
            inputs,
            excludes: None,
        };
        found.main = found.find_main(bridge, attributes, options.clone()).await?;
        for (name, context) in options.contexts {
            let context = found.named(attributes, &name, context)?;
            found.named.insert(name, context);
        }
        Ok(found)
    }

    async fn find_main(
        &mut self,
        bridge: &Bridge,
        attributes: &BTreeMap<String, String>,
        mut options: Options,
    ) -> Result<Context, Error> {
        let own_folder = attributes.contains_key("dockerfilekey");
        if let Context::Http { archive, url, .. } = &mut options.context {
            *archive = false;
            let url = url.clone();
            let file = remote(&options)?;
            if is_archive(&first_bytes(bridge, &file, &url).await?) {
                if let Context::Http { archive, .. } = &mut options.context {
                    *archive = true;
                }
            } else {
                "context".clone_into(&mut self.filename);
            }
        }
        match &options.context {
            Context::Git { .. } | Context::Http { .. } => {
                self.dockerfile = Some(remote(&options)?).filter(|_| !own_folder);
                return Ok(options.context);
            }
            Context::Local(_) | Context::State(_) => {}
        }
        if let Some(input) = self.inputs.get("dockerfile").filter(|_| !own_folder) {
            self.dockerfile = Some(state("dockerfile", input)?);
        }
        match self.inputs.get("context") {
            None => Ok(options.context),
            Some(input) => {
                let whole = state("context", input)?;
                let subdir = attributes.get("contextsubdir").map(String::as_str);
                Ok(Context::State(Box::new(scoped(whole, subdir))))
            }
        }
    }

    /// Resolves a named context; `input:NAME` is one of the graphs.
    fn named(
        &self,
        attributes: &BTreeMap<String, String>,
        name: &str,
        context: NamedContext,
    ) -> Result<NamedContext, Error> {
        let NamedContext::Remote(specifier) = &context else {
            return Ok(context);
        };
        let Some(input) = specifier.strip_prefix("input:") else {
            return Ok(context);
        };
        let Some(definition) = self.inputs.get(input) else {
            return Err(unusable(
                name,
                AttributeProblem::NoInput {
                    input: input.to_owned(),
                },
            ));
        };
        let state = state(input, definition)?;
        let image = match attributes.get(&format!("input-metadata:{input}")) {
            None => None,
            Some(json) => image(json).map_err(|reason| unusable(name, reason))?,
        };
        let state = match &image {
            None => state,
            Some(image) => state.with_environment_of(image),
        };
        Ok(NamedContext::Target {
            state: Box::new(state),
            image: image.map(Into::into),
        })
    }

    /// Fetches the Dockerfile's source, so that a server's refusal is not mistaken for a missing
    /// file.
    pub(super) async fn fetch(
        &self,
        bridge: &Bridge,
        place: &State,
    ) -> Result<(Definition, Ref), Error> {
        let url = match &self.main {
            Context::Git { url, .. } | Context::Http { url, .. } => url,
            Context::Local(_) | Context::State(_) => return solve(bridge, place).await,
        };
        fetch(bridge, place, url).await
    }

    /// Reads the ignore files of the client's folders concurrently.
    pub(crate) async fn read_ignore_files(
        &mut self,
        bridge: &Bridge,
        session_id: &str,
    ) -> Result<(), Error> {
        let main = match &self.main {
            Context::Local(local) if self.excludes.is_none() => Some(local.clone()),
            _ => None,
        };
        let main = async {
            match main {
                None => Ok(None),
                Some(local) => {
                    let key = format!("{}-{IGNORE_FILE}", local.name);
                    let shown = format!("[internal] load {IGNORE_FILE}");
                    let read = read_ignore_file(bridge, session_id, &local, key, shown);
                    read.await.map(Some)
                }
            }
        };
        let named = self.named.iter_mut().map(|(name, context)| async move {
            if let NamedContext::Local(local) = context {
                // An unreadable folder fails the step that uses it, if any.
                let read = read_ignore_file_of(bridge, session_id, name, local).await;
                local.exclude_patterns = read.unwrap_or_default();
            }
        });
        let (main, _) = tokio::join!(main, join_all(named));
        self.excludes = self.excludes.take().or(main?);
        Ok(())
    }
}

fn unusable(name: &str, reason: AttributeProblem) -> Error {
    Error::InvalidAttribute {
        name: format!("context:{name}"),
        reason,
    }
}

fn state(name: &str, definition: &Definition) -> Result<State, Error> {
    State::from_definition(definition).map_err(|error| unusable(name, error.into()))
}

fn remote(options: &Options) -> Result<State, Error> {
    match options.remote_context() {
        Ok(state) => Ok(state.unwrap_or_default()),
        Err(error) => Err(Error::InvalidAttribute {
            name: "context".to_owned(),
            reason: error.into(),
        }),
    }
}

/// Returns the image config in an input's metadata.
fn image(json: &str) -> Result<Option<Image>, AttributeProblem> {
    #[derive(Deserialize)]
    struct Metadata {
        #[serde(rename = "containerimage.config")]
        config: Option<String>,
    }
    use base64::Engine as _;
    let metadata: Metadata = serde_json::from_str(json)?;
    let Some(config) = metadata.config else {
        return Ok(None);
    };
    let decoded = base64::engine::general_purpose::STANDARD.decode(config)?;
    Ok(Some(serde_json::from_slice(&decoded)?))
}

/// Returns the patterns of a named folder's ignore file.
pub(crate) async fn read_ignore_file_of(
    bridge: &Bridge,
    session_id: &str,
    name: &str,
    local: &LocalContext,
) -> Result<Vec<String>, Error> {
    let key = format!("context:{name}-{IGNORE_FILE}");
    let shown = format!("[context {name}] load {IGNORE_FILE}");
    read_ignore_file(bridge, session_id, local, key, shown).await
}

/// Reads an ignore file; a missing one excludes nothing.
async fn read_ignore_file(
    bridge: &Bridge,
    session_id: &str,
    local: &LocalContext,
    shared_key_hint: String,
    shown: String,
) -> Result<Vec<String>, Error> {
    let session = local.session_id.as_deref().unwrap_or(session_id);
    let transfer = Local {
        session: session.to_owned(),
        follow_paths: vec![IGNORE_FILE.to_owned()],
        shared_key_hint,
        no_differ: true,
        ..Local::default()
    };
    let source = llb::local(&local.name, &transfer, Constraints::new().named(shown));
    let (_, solved) = solve(bridge, &source).await?;
    let text = bridge.read_file(&solved, IGNORE_FILE, None).await;
    Ok(text.map(|text| parse_ignore(&text)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_of_an_input_is_read() {
        // {"architecture":"arm64","os":"linux"}
        let json = r#"{"containerimage.config":"eyJhcmNoaXRlY3R1cmUiOiJhcm02NCIsIm9zIjoibGludXgifQ==","refs.platforms":"e30="}"#;
        assert_eq!(
            image(json).unwrap().unwrap().platform.to_string(),
            "linux/arm64"
        );
        assert!(image("{}").unwrap().is_none());
        assert!(image("x").is_err());
    }
}
