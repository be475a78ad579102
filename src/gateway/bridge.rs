//! The bridge: solve, forward, return.

use std::collections::BTreeMap;

use tonic::{
    Request,
    metadata::{AsciiMetadataKey, AsciiMetadataValue},
};

use super::creations::Creations;
use super::{BuildResult, Capabilities, Error, Ref, Refs, caps};
use crate::client::AnswerProblem;
use crate::{
    client::{
        CacheEntry, Channel, Client, Failure, MESSAGE_LIMIT, SourcePolicy, Version, Worker, failed,
    },
    llb::Definition,
    proto::moby::buildkit::v1::frontend::{self as proto, llb_bridge_client::LlbBridgeClient},
    proto::pb,
};

/// The metadata key that tells the daemon which build a call belongs to.
const BUILD_ID: &str = "buildkit-controlapi-buildid";

/// A running build from its frontend's view. Clones share it, and calls can run concurrently.
#[derive(Debug, Clone)]
pub struct Bridge {
    pub(super) channel: Channel,
    /// `None` if the connection identifies the build.
    pub(super) build_id: Option<AsciiMetadataValue>,
    pub(super) capabilities: Capabilities,
    pub(super) workers: Vec<Worker>,
    /// `None` inside the daemon.
    pub(super) client: Option<Client>,
    pub(super) creations: Creations,
}

/// Options for solving a definition.
#[derive(Debug, Clone, Default)]
pub struct SolveOptions {
    /// True to compute the result now. Otherwise it is computed, and can fail, when it is first
    /// read or exported.
    pub evaluate: bool,
    /// The caches to import from.
    pub cache_imports: Vec<CacheEntry>,
    /// Source policies in addition to the build's.
    pub policies: Vec<SourcePolicy>,
}

/// A request to a frontend in the daemon.
#[derive(Debug, Clone, Default)]
pub struct Forward {
    /// The frontend, for example `gateway.v0`, whose option `source` names an image.
    pub frontend: String,
    /// The frontend's options.
    pub options: BTreeMap<String, String>,
    /// The frontend's named inputs.
    pub inputs: BTreeMap<String, Definition>,
}

impl Bridge {
    /// Returns the daemon's capabilities.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Returns the daemon's workers. The first platform of the first worker is the default target.
    pub fn workers(&self) -> &[Worker] {
        &self.workers
    }

    /// The connection that the build was started on; `None` inside the daemon.
    pub(crate) fn client(&self) -> Option<&Client> {
        self.client.as_ref()
    }

    /// Returns the daemon's name for messages.
    pub(super) async fn daemon(&self) -> String {
        let worker = self
            .workers
            .first()
            .and_then(|worker| worker.version.as_ref());
        match (worker.and_then(Version::known), &self.client) {
            (Some(version), _) => format!("BuildKit {version}"),
            (None, Some(client)) => client.name().await,
            (None, None) => "this BuildKit".to_owned(),
        }
    }

    pub(super) fn calls(&self) -> LlbBridgeClient<Channel> {
        LlbBridgeClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT)
    }

    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(id) = &self.build_id {
            request
                .metadata_mut()
                .insert(AsciiMetadataKey::from_static(BUILD_ID), id.clone());
        }
        request
    }

    /// Solves a definition.
    ///
    /// # Errors
    /// [`Error::MissingCapability`] if the definition needs an unsupported capability;
    /// [`Error::Client`] if the daemon refuses it or, with `evaluate`, a step fails.
    pub async fn solve(
        &self,
        definition: &Definition,
        options: &SolveOptions,
    ) -> Result<Ref, Error> {
        self.need_all(definition).await?;
        let request = proto::SolveRequest {
            definition: Some(definition.to_proto()),
            ..Default::default()
        };
        match self.solve_request(request, options).await?.refs {
            Refs::One(one) => Ok(one),
            Refs::Platforms(_) => Err(Error::invalid("solving", AnswerProblem::SeveralPlatforms)),
        }
    }

    /// Solves a request with a frontend in the daemon.
    ///
    /// # Errors
    /// [`Error::Client`] if the frontend fails.
    pub async fn forward(
        &self,
        forward: &Forward,
        options: &SolveOptions,
    ) -> Result<BuildResult, Error> {
        let inputs = forward
            .inputs
            .iter()
            .map(|(name, definition)| (name.clone(), definition.to_proto()));
        let request = proto::SolveRequest {
            frontend: forward.frontend.clone(),
            frontend_opt: forward.options.clone(),
            frontend_inputs: inputs.map(Into::into).collect(),
            ..Default::default()
        };
        self.solve_request(request, options).await
    }

    async fn solve_request(
        &self,
        request: proto::SolveRequest,
        options: &SolveOptions,
    ) -> Result<BuildResult, Error> {
        let call = "solving";
        let cache_imports = options
            .cache_imports
            .iter()
            .map(|entry| proto::CacheOptionsEntry {
                r#type: entry.kind.clone(),
                attrs: entry.attrs.clone(),
            });
        let in_solve = self.capabilities.has(caps::SOLVE_EVALUATE);
        let request = proto::SolveRequest {
            allow_result_return: true,
            allow_result_array_ref: true,
            cache_imports: cache_imports.collect(),
            evaluate: options.evaluate && in_solve,
            source_policies: options
                .policies
                .iter()
                .cloned()
                .map(SourcePolicy::into_proto)
                .collect(),
            ..request
        };
        let answer = self
            .calls()
            .solve(self.request(request))
            .await
            .map_err(failed(call))?
            .into_inner();
        let result = answer
            .result
            .ok_or_else(|| Error::invalid(call, AnswerProblem::Missing { part: "result" }))?;
        let result = BuildResult::from_proto(result);
        if options.evaluate && !in_solve {
            for reference in result.refs() {
                self.evaluate(reference).await?;
            }
        }
        Ok(result)
    }

    /// Returns the build's input graphs by name, for example contexts that were built before. Empty
    /// if the daemon does not support inputs.
    ///
    /// # Errors
    /// [`Error::Client`] if the call fails or an input is malformed.
    pub async fn inputs(&self) -> Result<BTreeMap<String, Definition>, Error> {
        let call = "reading the build's inputs";
        if !self.capabilities.has(caps::FRONTEND_INPUTS) {
            return Ok(BTreeMap::new());
        }
        let answer = self
            .calls()
            .inputs(self.request(proto::InputsRequest {}))
            .await
            .map_err(failed(call))?;
        let entries = answer.into_inner().definitions.into_iter();
        entries
            .map(|entry| input(call, entry.key, entry.value.unwrap_or_default()))
            .collect()
    }

    /// Computes a result now.
    ///
    /// # Errors
    /// [`Error::Client`] if a step fails.
    pub async fn evaluate(&self, reference: &Ref) -> Result<(), Error> {
        if reference.is_scratch() {
            return Ok(());
        }
        if !self.capabilities.has(caps::EVALUATE) {
            // Older daemons compute a result when it is read.
            return self.stat_file(reference, ".").await.map(drop);
        }
        let request = proto::EvaluateRequest {
            r#ref: reference.id().to_owned(),
        };
        self.calls()
            .evaluate(self.request(request))
            .await
            .map_err(failed("computing a result"))?;
        Ok(())
    }

    /// Ends the build with a result: the daemon exports it, and Solve returns. Call either this or
    /// [`Bridge::return_error`], once.
    ///
    /// # Errors
    /// [`Error::MissingCapability`] if the daemon does not support the result; [`Error::Client`] if
    /// the call fails.
    pub async fn return_result(&self, result: &BuildResult) -> Result<(), Error> {
        if matches!(result.refs, Refs::Platforms(_)) {
            self.need(caps::RETURN_MAP).await?;
        }
        if !result.attestations.is_empty() {
            self.need(caps::ATTESTATIONS).await?;
        }
        let arrays = self.capabilities.has(caps::REF_ARRAY);
        self.end(proto::ReturnRequest {
            result: Some(result.to_proto(arrays)),
            error: None,
        })
        .await
    }

    /// Ends the build with an error, which Solve then returns: the daemon's own from an earlier
    /// call, with all its details, or one of the frontend.
    ///
    /// # Errors
    /// [`Error::Client`] if the call fails.
    pub async fn return_error(&self, failure: &Failure) -> Result<(), Error> {
        self.end(proto::ReturnRequest {
            result: None,
            error: Some(failure.to_proto()),
        })
        .await
    }

    async fn end(&self, request: proto::ReturnRequest) -> Result<(), Error> {
        self.calls()
            .r#return(self.request(request))
            .await
            .map_err(failed("returning the result"))?;
        Ok(())
    }
}

/// Decodes a named input. An empty graph is rejected, as in the reference.
fn input(
    call: &'static str,
    name: String,
    definition: pb::Definition,
) -> Result<(String, Definition), Error> {
    match Definition::from_proto(definition) {
        Ok(definition) if definition.is_empty() => {
            Err(Error::invalid(call, AnswerProblem::EmptyInput { name }))
        }
        Ok(definition) => Ok((name, definition)),
        Err(source) => Err(Error::invalid(call, AnswerProblem::Input { name, source })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_that_is_empty_is_refused_by_its_name() {
        let empty = pb::Definition::default();
        let error = input("reading", "base".to_owned(), empty).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("base") && text.contains("is an empty graph"),
            "{text}"
        );
    }
}
