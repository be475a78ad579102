//! A build as a part of another one: some of its platforms, on one of several nodes.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::gate::Gate;
use super::retry::{self, Failed};
use crate::client::Client;
use crate::pipeline::inputs::ContextRead;
use crate::pipeline::{BuildOutcome, BuildRequest, Environment, Error, Prepared};

/// What a part has that a whole build has not.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// Where it waits for the other parts before it exports.
    pub(in crate::pipeline) gate: Option<Arc<Gate>>,
}

impl Prepared {
    /// What was asked for.
    pub fn request(&self) -> &BuildRequest {
        &self.request
    }

    /// What the context is, in words that tell it from others: a path, a URL.
    pub(crate) fn context_key(&self) -> String {
        match &self.inputs.context {
            ContextRead::Directory(folder) => folder.display().to_string(),
            ContextRead::Remote(url) => url.clone(),
            ContextRead::Empty(_) | ContextRead::Upload(_) => String::new(),
        }
    }

    /// The same inputs with another request for them.
    pub(crate) fn clone_with(&self, request: BuildRequest) -> Self {
        Self {
            request,
            inputs: self.inputs.clone(),
            job: self.job.clone(),
            part: self.part.clone(),
            spool: self.spool.clone(),
        }
    }

    /// The same inputs with a part of the request. Its result is an index even of one platform.
    ///
    /// # Errors
    /// When a context that came from a stream cannot be read again.
    pub(crate) fn part(
        &self,
        request: BuildRequest,
        gate: Option<Arc<Gate>>,
    ) -> Result<Self, Error> {
        let mut inputs = self.inputs.clone();
        inputs.context = self.part_of_context()?;
        Ok(Self {
            request,
            inputs,
            job: self.job.clone(),
            part: Some(Part { gate }),
            spool: self.spool.clone(),
        })
    }

    /// As [`Prepared::run`]; `handed_over` becomes true when the result may have reached the exporters.
    pub(crate) async fn run_watched(
        &self,
        client: &Client,
        environment: Environment,
        handed_over: &AtomicBool,
    ) -> Result<BuildOutcome, Failed> {
        retry::run(self, client, environment, handed_over).await
    }
}
