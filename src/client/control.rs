//! The Control calls of a connection.

use std::{any::Any, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Status,
    metadata::{AsciiMetadataKey, AsciiMetadataValue},
};

use super::{
    Address, AnswerProblem, CacheRecord, Channel, ConnectOptions, Endpoint, Error, Failure,
    MESSAGE_LIMIT, PruneOptions, SolveRequest, SolveResponse, Succession, Version, Worker,
    dialer::{Dialer, Way},
    error::root,
    silence::silent_line,
    usage::nanoseconds,
};
use crate::{
    progress::StatusUpdate,
    proto::moby::buildkit::v1::{
        self as control, BytesMessage, ListWorkersRequest, StatusRequest,
        control_client::ControlClient,
    },
    session::{Session, Tunnel},
};

/// The name of the session's call in errors.
const SESSION: &str = "the session";
/// The most messages of a session in flight; then its writers wait.
const TUNNEL_MESSAGES: usize = 16;

/// A connection to one BuildKit, which has answered at least once. Clones share it.
///
/// When the connection ends, calls in progress fail with [`Error::ConnectionLost`], and the next
/// call dials again.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) channel: Channel,
    pub(super) address: Address,
    pub(super) version: Option<Version>,
    pub(super) dialer: Dialer,
    pub(super) way: Way,
    /// A value that must live as long as the connection.
    pub(super) companion: Option<Arc<dyn Any + Send + Sync>>,
    /// Finds the daemon that takes over when this one shuts down.
    pub(super) succession: Option<Arc<dyn Succession>>,
}

impl Client {
    /// Returns the daemon's address.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Returns the daemon's version, as sent when the connection was opened; `None` for BuildKit
    /// before 0.11.
    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// Keeps a value, such as the daemon's process, until the last clone is dropped.
    pub(crate) fn with_companion(mut self, companion: Arc<dyn Any + Send + Sync>) -> Self {
        self.companion = Some(companion);
        self
    }

    /// Returns the options for the Docker Engine at an endpoint, with the headers of this
    /// connection.
    pub(crate) fn engine_options(&self, engine: Endpoint) -> ConnectOptions {
        ConnectOptions {
            engine_headers: self.dialer.engine_headers().clone(),
            ..ConnectOptions::new(Address::Docker(Some(engine)))
        }
    }

    /// Lets builds move to another daemon when this one shuts down.
    pub(crate) fn with_succession(mut self, succession: Arc<dyn Succession>) -> Self {
        self.succession = Some(succession);
        self
    }

    pub(crate) fn succession(&self) -> Option<Arc<dyn Succession>> {
        self.succession.clone()
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Waits until the daemon has sent nothing for half a minute although it was asked, and returns
    /// a line about it. Of several who wait, one gets the line.
    pub(crate) async fn silent(&self) -> String {
        self.channel.silent().await;
        silent_line(&self.address, self.dialer.silence())
    }

    pub(super) fn control(&self) -> ControlClient<Channel> {
        ControlClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT)
    }

    /// Returns the daemon's name for messages, with its version if known: an engine's BuildKit
    /// often has none of its own.
    pub async fn name(&self) -> String {
        let version = self.version.as_ref().and_then(Version::known);
        match version {
            Some(version) => format!("BuildKit {version}"),
            None => match self.dialer.engine_info().await {
                Ok(engine) if matches!(self.address, Address::Docker(_)) => {
                    format!("the BuildKit of Docker Engine {}", engine.version)
                }
                _ => "this BuildKit".to_owned(),
            },
        }
    }

    /// Asks for the daemon's version.
    ///
    /// # Errors
    /// [`Error::Call`]; with `Unimplemented` from BuildKit before 0.11.
    pub async fn info(&self) -> Result<Version, Error> {
        let call = "asking for the version";
        let answer = self
            .control()
            .info(control::InfoRequest {})
            .await
            .map_err(failed(call))?;
        let missing = || Error::InvalidAnswer {
            call,
            reason: Box::new(AnswerProblem::Missing { part: "version" }),
        };
        answer
            .into_inner()
            .buildkit_version
            .map(Version::from)
            .ok_or_else(missing)
    }

    /// Returns the daemon's workers, the default one first.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn workers(&self) -> Result<Vec<Worker>, Error> {
        self.workers_matching(&[]).await
    }

    /// Returns the workers that match all filters (containerd's syntax), for example `id==ID` or
    /// `labels."KEY"==VALUE`.
    ///
    /// # Errors
    /// If the call fails, for example because of a malformed filter.
    pub async fn workers_matching(&self, filters: &[String]) -> Result<Vec<Worker>, Error> {
        let request = ListWorkersRequest {
            filter: filters.to_vec(),
        };
        let answer = self
            .control()
            .list_workers(request)
            .await
            .map_err(failed("listing the workers"))?;
        Ok(answer
            .into_inner()
            .record
            .into_iter()
            .map(Worker::from)
            .collect())
    }

    /// Runs a build and waits for its end. Dropping the future cancels the build.
    ///
    /// # Errors
    /// [`Error::Call`] with the daemon's [`Failure`].
    pub async fn solve(&self, request: SolveRequest) -> Result<SolveResponse, Error> {
        let request = request.into_proto();
        let answer = self
            .control()
            .solve(request)
            .await
            .map_err(failed("the build"))?;
        Ok(SolveResponse {
            exporter: answer.into_inner().exporter_response,
        })
    }

    /// Streams the progress of a build from its beginning to its end. The daemon waits a few
    /// seconds for the build to start.
    ///
    /// # Errors
    /// If the call fails; an item of the stream is an error if the call breaks off.
    pub async fn status(
        &self,
        build_ref: &str,
    ) -> Result<impl Stream<Item = Result<StatusUpdate, Error>> + Send + Unpin + use<>, Error> {
        let call = "watching the build";
        let request = StatusRequest {
            r#ref: build_ref.to_owned(),
        };
        let updates = self
            .control()
            .status(request)
            .await
            .map_err(failed(call))?
            .into_inner();
        Ok(updates.map(move |update| update.map(StatusUpdate::from).map_err(failed(call))))
    }

    /// Registers a session with the daemon and serves it, until the daemon ends it or the token is
    /// cancelled. A build that names the session can start at the same time: the daemon waits a few
    /// seconds for it.
    ///
    /// # Errors
    /// If the daemon rejects the session, or the connection breaks.
    pub async fn attach(
        &self,
        session: Session,
        cancelled: CancellationToken,
    ) -> Result<(), Error> {
        let metadata = session.metadata();
        let direct = tokio::select! {
            biased;
            () = cancelled.cancelled() => return Ok(()),
            direct = self.dialer.session(&metadata) => direct,
        };
        let served = match direct {
            Some(stream) => session.serve(stream, cancelled).await,
            None => match self.open_tunnel(&metadata, &cancelled).await? {
                Some(tunnel) => session.serve(tunnel, cancelled).await,
                None => return Ok(()),
            },
        };
        served.map_err(|source| Error::ConnectionLost {
            call: SESSION,
            source: Box::new(source),
        })
    }

    /// Opens Control.Session as a byte stream; `None` if cancelled.
    async fn open_tunnel(
        &self,
        metadata: &[(&'static str, String)],
        cancelled: &CancellationToken,
    ) -> Result<Option<impl AsyncRead + AsyncWrite + Unpin + Send + use<>>, Error> {
        let (outbound, messages) = tokio::sync::mpsc::channel::<Bytes>(TUNNEL_MESSAGES);
        let messages = ReceiverStream::new(messages).map(|data| BytesMessage { data });
        let mut request = Request::new(messages);
        for (name, value) in metadata {
            let value = metadata_value(name, value)?;
            request
                .metadata_mut()
                .append(AsciiMetadataKey::from_static(name), value);
        }
        let mut control = self.control();
        let opened = tokio::select! {
            biased;
            () = cancelled.cancelled() => return Ok(None),
            opened = control.session(request) => opened.map_err(failed(SESSION))?,
        };
        let inbound = opened.into_inner().map(|message| match message {
            Ok(message) => Ok(message.data),
            Err(status) => Err(root(&status)),
        });
        Ok(Some(Tunnel::new(inbound, outbound)))
    }

    /// Returns the daemon's cache records, smallest first. With an age above zero, records used
    /// more recently are omitted.
    ///
    /// # Errors
    /// If the call fails, for example because of a malformed filter.
    pub async fn disk_usage(
        &self,
        filters: &[String],
        age: Duration,
    ) -> Result<Vec<CacheRecord>, Error> {
        let request = control::DiskUsageRequest {
            filter: filters.to_vec(),
            age_limit: nanoseconds(age),
        };
        let answer = self
            .control()
            .disk_usage(request)
            .await
            .map_err(failed("listing the cache"))?;
        let mut records: Vec<_> = answer
            .into_inner()
            .record
            .into_iter()
            .map(CacheRecord::from)
            .collect();
        records.sort_by(|a, b| a.size.cmp(&b.size).then_with(|| a.id.cmp(&b.id)));
        Ok(records)
    }

    /// Removes cache records; the stream yields each removed record.
    ///
    /// # Errors
    /// If the call fails; an item of the stream is an error if the call breaks off.
    pub async fn prune(
        &self,
        options: &PruneOptions,
    ) -> Result<impl Stream<Item = Result<CacheRecord, Error>> + Send + Unpin + use<>, Error> {
        let call = "pruning the cache";
        let removed = self
            .control()
            .prune(options.to_proto())
            .await
            .map_err(failed(call))?
            .into_inner();
        Ok(removed.map(move |record| record.map(CacheRecord::from).map_err(failed(call))))
    }
}

/// Converts a value for gRPC metadata.
pub(crate) fn metadata_value(name: &'static str, value: &str) -> Result<AsciiMetadataValue, Error> {
    AsciiMetadataValue::try_from(value).map_err(|_| Error::InvalidMetadata {
        name,
        value: value.to_owned(),
    })
}

/// Turns a failed call's status into an error: the daemon's failure, or a lost connection.
pub(crate) fn failed(call: &'static str) -> impl Fn(Status) -> Error {
    move |status| match std::error::Error::source(&status) {
        Some(_) => Error::ConnectionLost {
            call,
            source: root(&status),
        },
        None => Error::Call {
            call,
            source: Box::new(Failure::from_status(status)),
        },
    }
}
