//! Completes a provenance with the request. The daemon records that of its own frontends, but does
//! not see the one of a client that is the frontend.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::frontend::{REQUEST_DOCUMENT, recorded_args};
use crate::pipeline::Inputs;
use crate::text::redact_url;
use crate::translate::git_with_fragment;

const METADATA: &str = "https://mobyproject.org/buildkit@v1#metadata";
const HERMETIC: &str = "https://mobyproject.org/buildkit@v1#hermetic";
/// The arguments with this prefix describe the repository of the context.
const REPOSITORY: &str = "vcs:";

/// The request of a build, in the form of BuildKit's Dockerfile frontend.
pub(in crate::pipeline::run) struct KnownRequest {
    context: Option<String>,
    filename: Option<String>,
    repository: Map<String, Value>,
    args: BTreeMap<String, String>,
    /// The folders of this machine that the frontend has read.
    locals: BTreeSet<&'static str>,
}

impl KnownRequest {
    /// The request with these attributes of a frontend.
    pub(in crate::pipeline::run) fn new(
        attributes: &BTreeMap<String, String>,
        inputs: &Inputs,
    ) -> Self {
        let mut args = recorded_args(attributes);
        Self {
            context: args.remove("context"),
            filename: args.remove("filename"),
            repository: take_repository(&mut args),
            args,
            locals: inputs.read_locals().collect(),
        }
    }

    /// Adds the request to a provenance of SLSA 0.2, unless it has that of another frontend.
    pub(super) fn complete(&self, provenance: &mut Value) {
        let is_recorded = !provenance["invocation"]["parameters"]["frontend"].is_null();
        let source = self.source(&provenance["materials"]);
        let Value::Object(provenance) = provenance else {
            return;
        };
        if is_recorded {
            return;
        }
        let invocation = object(provenance, "invocation");
        invocation.insert("configSource".to_owned(), source.into());
        let parameters = object(invocation, "parameters");
        parameters.insert("frontend".to_owned(), "dockerfile.v0".into());
        if !self.args.is_empty() {
            parameters.insert("args".to_owned(), json!(self.args));
        }
        let locals = self.locals(parameters);
        let has_locals = !locals.is_empty();
        if has_locals {
            parameters.insert("locals".to_owned(), locals.into());
        }
        if let Some(Value::Object(metadata)) = provenance.get_mut("metadata") {
            self.complete_metadata(metadata, has_locals);
        }
    }

    /// The context's URL, with its digest if the daemon has recorded it, and the Dockerfile's name.
    fn source(&self, materials: &Value) -> Map<String, Value> {
        let mut source = Map::new();
        if let Some(url) = &self.context {
            let fetched = git_with_fragment(url, false).unwrap_or_else(|| url.clone());
            let fetched = redact_url(&fetched);
            let mut materials = materials.as_array().into_iter().flatten();
            let material = materials
                .find(|material| material["uri"].as_str().map(redact_url) == Some(fetched.clone()));
            let mut shown = None;
            if let Some(material) = material {
                source.insert("digest".to_owned(), material["digest"].clone());
                shown = git_with_fragment(url, true);
            }
            let shown = redact_url(shown.as_ref().unwrap_or(url));
            source.insert("uri".to_owned(), shown.into());
        }
        if let Some(filename) = &self.filename {
            source.insert("entryPoint".to_owned(), filename.as_str().into());
        }
        source
    }

    /// The folders that the client has read, and those that the daemon has recorded.
    fn locals(&self, parameters: &Map<String, Value>) -> Vec<Value> {
        let recorded = parameters.get("locals").and_then(Value::as_array);
        let recorded = recorded.into_iter().flatten();
        let mut names: BTreeSet<&str> = recorded.filter_map(|it| it["name"].as_str()).collect();
        names.extend(&self.locals);
        names.iter().map(|name| json!({ "name": name })).collect()
    }

    fn complete_metadata(&self, metadata: &mut Map<String, Value>, has_locals: bool) {
        let completeness = object(metadata, "completeness");
        completeness.insert("parameters".to_owned(), true.into());
        if has_locals {
            completeness.insert("materials".to_owned(), false.into());
            metadata.remove(HERMETIC);
        }
        let more = object(metadata, METADATA);
        if !self.repository.is_empty() {
            more.insert("vcs".to_owned(), self.repository.clone().into());
        }
        // The request is in the parameters now.
        if let Some(Value::Array(files)) = more.get_mut("source").map(|it| &mut it["infos"]) {
            files.retain(|file| file["filename"] != REQUEST_DOCUMENT);
        }
    }
}

/// Removes the arguments that describe the repository.
fn take_repository(args: &mut BTreeMap<String, String>) -> Map<String, Value> {
    let mut repository = Map::new();
    args.retain(|name, value| {
        let Some(name) = name.strip_prefix(REPOSITORY) else {
            return true;
        };
        let value = match name {
            "source" => redact_url(value),
            _ => value.clone(),
        };
        if !value.is_empty() {
            repository.insert(name.to_owned(), value.into());
        }
        false
    });
    repository
}

/// The object in the field, which is created if there is none.
fn object<'a>(fields: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let value = fields.entry(name).or_insert(Value::Null);
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("it has been made an object")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(attributes: &[(&str, &str)], locals: &[&'static str]) -> KnownRequest {
        let attributes = attributes.iter();
        let attributes = attributes.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut args = recorded_args(&attributes.collect());
        KnownRequest {
            context: args.remove("context"),
            filename: args.remove("filename"),
            repository: take_repository(&mut args),
            args,
            locals: locals.iter().copied().collect(),
        }
    }

    /// The provenance of a client's graph, as Docker 26.1 writes it.
    fn written(materials: &Value) -> Value {
        json!({
            "invocation": {
                "configSource": {},
                "parameters": {"secrets": [{"id": "s"}]},
                "environment": {"platform": "linux/amd64"},
            },
            "materials": materials,
            "metadata": {
                "completeness": {"parameters": false, "environment": true, "materials": true},
                METADATA: {"source": {"infos": [
                    {"filename": "Dockerfile"}, {"filename": REQUEST_DOCUMENT},
                ]}},
                HERMETIC: true,
            },
        })
    }

    #[test]
    fn a_local_build_has_the_request_and_the_repository() {
        let attributes = [
            ("filename", "a.Dockerfile"),
            ("build-arg:A", "1"),
            ("platform", "linux/amd64"),
            ("attest:provenance", "mode=max"),
            ("vcs:localdir:context", "sub"),
            ("vcs:revision", "abc"),
            ("vcs:source", "https://me:secret@host/a.git"),
        ];
        let mut provenance = written(&json!([]));
        request(&attributes, &["context", "dockerfile"]).complete(&mut provenance);
        assert_eq!(
            provenance["invocation"],
            json!({
                "configSource": {"entryPoint": "a.Dockerfile"},
                "parameters": {
                    "frontend": "dockerfile.v0",
                    "args": {"build-arg:A": "1"},
                    "secrets": [{"id": "s"}],
                    "locals": [{"name": "context"}, {"name": "dockerfile"}],
                },
                "environment": {"platform": "linux/amd64"},
            })
        );
        assert_eq!(
            provenance["metadata"],
            json!({
                "completeness": {"parameters": true, "environment": true, "materials": false},
                METADATA: {
                    "source": {"infos": [{"filename": "Dockerfile"}]},
                    "vcs": {
                        "localdir:context": "sub",
                        "revision": "abc",
                        "source": "https://xxxxx@host/a.git",
                    },
                },
            })
        );
    }

    #[test]
    fn a_git_context_has_the_commit_that_the_daemon_recorded() {
        let digest = json!({"sha1": "aa"});
        let materials = json!([{"uri": "https://host/a.git#main", "digest": digest}]);
        for context in [
            "https://host/a.git#main:sub",
            "https://host/a.git?ref=main&subdir=sub",
        ] {
            let mut provenance = written(&materials);
            request(&[("context", context)], &[]).complete(&mut provenance);
            let source = &provenance["invocation"]["configSource"];
            let expected = json!({"uri": "https://host/a.git#main:sub", "digest": digest});
            assert_eq!(source, &expected, "{context}");
            assert_eq!(provenance["metadata"]["completeness"]["materials"], true);
            assert_eq!(provenance["metadata"][HERMETIC], true);
        }
        let mut provenance = written(&json!([]));
        request(&[("context", "https://host/a.tar")], &[]).complete(&mut provenance);
        let source = &provenance["invocation"]["configSource"];
        assert_eq!(source, &json!({"uri": "https://host/a.tar"}));
    }

    #[test]
    fn the_request_of_another_frontend_stays() {
        let mut provenance = written(&json!([]));
        provenance["invocation"]["parameters"]["frontend"] = "gateway.v0".into();
        let before = provenance.clone();
        request(&[("filename", "Dockerfile")], &["context"]).complete(&mut provenance);
        assert_eq!(provenance, before);
    }
}
