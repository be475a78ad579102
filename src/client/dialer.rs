//! Dials a daemon: opens a stream, upgrades to HTTP/2 through an engine, and makes the first call.

mod diagnosis;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use tonic::{Code, Status, transport::Endpoint as Http2};

use super::{
    Address, Channel, Client, ConnectOptions, ConnectProblem, Endpoint, EngineHeaders, EngineInfo,
    Error, Stage, TimeLimits, TlsOptions, Version,
    child::{self, LastEnd},
    docker, engine,
    http2::{MESSAGE_LIMIT, with_limits},
    silence::Pulse,
    transport::{self, BoxIo, Deadline, Speech, Tls},
};
use crate::proto::moby::buildkit::v1::{
    InfoRequest, ListWorkersRequest, control_client::ControlClient,
};
use crate::task::Panicked;

/// The time for a program that connects to another machine, which takes longer than a plain
/// connection.
const PROGRAM_TIMEOUT: Duration = Duration::from_secs(20);

/// The way to switch a stream to BuildKit's HTTP/2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The daemon speaks HTTP/2 at once.
    PriorKnowledge,
    /// `POST /grpc`.
    Upgrade,
    /// `buildctl dial-stdio` in a container of the engine.
    Exec,
}

/// The settings for dialling again at any time.
#[derive(Clone)]
pub(super) struct Dialer {
    address: Address,
    tls: Option<Tls>,
    limits: TimeLimits,
    headers: EngineHeaders,
    last_end: LastEnd,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Dialer {
    pub(super) async fn new(options: &ConnectOptions) -> Result<Self, Error> {
        let address = options.address.clone();
        let tls = match options.tls.clone() {
            None => None,
            Some(tls) => Some(prepare(tls, &address).await?),
        };
        Ok(Self {
            address,
            tls,
            headers: options.engine_headers.clone(),
            last_end: LastEnd::default(),
            limits: TimeLimits {
                connect: match options.address.endpoint() {
                    Endpoint::Process(_) => options.limits.connect.max(PROGRAM_TIMEOUT),
                    _ => options.limits.connect,
                },
                ..options.limits
            },
        })
    }

    pub(super) async fn connect(&self) -> Result<Client, ConnectProblem> {
        let deadline = self.deadline();
        match self.address {
            Address::Buildkit(_) => return self.connect_by(Way::PriorKnowledge, deadline).await,
            Address::Container { .. } => return self.connect_by(Way::Exec, deadline).await,
            Address::Docker(_) => {}
        }
        // A program is slow to start, so the upgrade, which every engine supports, is tried first.
        if matches!(self.address.endpoint(), Endpoint::Process(_)) {
            return self.connect_by(Way::Upgrade, deadline).await;
        }
        // Newer engines speak gRPC on their socket without an upgrade, and will drop the upgrade
        // one day. Proxies and Podman also speak HTTP/2 but do not know BuildKit's services, so the
        // upgrade is tried with them too.
        let stream = transport::open(&self.address.endpoint(), self.tls.as_ref(), deadline).await?;
        match transport::listen(stream).await {
            Speech::Http2 => match self.connect_by(Way::PriorKnowledge, deadline).await {
                Err(ConnectProblem::NotBuildkit { answer }) => {
                    let upgraded = self.connect_by(Way::Upgrade, deadline).await;
                    upgraded.map_err(|_| ConnectProblem::NotBuildkit { answer })
                }
                other => other,
            },
            Speech::Tls => Err(ConnectProblem::TlsRequired),
            Speech::Other(answer) => Err(diagnosis::begins_with(&answer)),
            Speech::Http1(_) | Speech::Silence => self.connect_by(Way::Upgrade, deadline).await,
        }
    }

    async fn connect_by(&self, way: Way, deadline: Deadline) -> Result<Client, ConnectProblem> {
        use ConnectProblem::{Closed, TimedOut};
        match self.attempt(way, deadline).await {
            // Only these problems may hide a better explanation.
            Err(
                problem @ (Closed { .. }
                | TimedOut {
                    stage: Stage::Upgrade | Stage::FirstCall,
                    ..
                }),
            ) => Err(self.explained(way, problem).await),
            other => other,
        }
    }

    async fn attempt(&self, way: Way, deadline: Deadline) -> Result<Client, ConnectProblem> {
        let stream = self.dial(way, deadline).await?;
        let channel = self.channel(way, stream);
        let call = async {
            first_call(&channel)
                .await
                .map_err(|status| self.refusal(way, status))
        };
        let version = deadline.run(Stage::FirstCall, call).await?;
        #[cfg(feature = "otel")]
        crate::trace::connected(&self.address, &channel);
        Ok(Client {
            channel,
            address: self.address.clone(),
            version,
            dialer: self.clone(),
            way,
            companion: None,
            succession: None,
        })
    }

    /// Opens a stream that speaks BuildKit's HTTP/2.
    pub(super) async fn dial(&self, way: Way, deadline: Deadline) -> Result<BoxIo, ConnectProblem> {
        match (way, &self.address) {
            (Way::Exec, Address::Container { name, .. }) => {
                engine::dial_buildkit(self, name, deadline).await
            }
            (Way::Upgrade, _) => {
                docker::upgrade(self.open(deadline).await?, &self.headers, deadline).await
            }
            (Way::PriorKnowledge | Way::Exec, _) => self.open(deadline).await,
        }
    }

    /// Opens a stream to the address.
    pub(super) async fn open(&self, deadline: Deadline) -> Result<BoxIo, ConnectProblem> {
        match (self.address.endpoint(), &self.tls) {
            (Endpoint::Process(process), None) => child::open(&process, &self.last_end),
            (endpoint, tls) => transport::open(&endpoint, tls.as_ref(), deadline).await,
        }
    }

    pub(super) fn deadline(&self) -> Deadline {
        Deadline::new(self.limits.connect)
    }

    pub(super) fn silence(&self) -> Option<Duration> {
        self.limits.silence
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn engine_headers(&self) -> &EngineHeaders {
        &self.headers
    }

    /// Creates a channel that starts on an open stream and dials again when it ends.
    fn channel(&self, way: Way, first: BoxIo) -> Channel {
        let first = Arc::new(Mutex::new(Some(first)));
        let dialer = self.clone();
        let pulse = Arc::new(Pulse::new(self.address.clone(), self.limits.silence));
        let watching = Arc::clone(&pulse);
        let connector = tower::service_fn(move |_: http::Uri| {
            let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
            let (dialer, pulse) = (dialer.clone(), Arc::clone(&watching));
            async move {
                let stream = match first {
                    Some(stream) => stream,
                    None => dialer.dial(way, dialer.deadline()).await?,
                };
                Ok::<_, ConnectProblem>(TokioIo::new(pulse.watch(stream)))
            }
        });
        // After an upgrade the peer is BuildKit itself, which needs no engine headers.
        let headers = match (way, &self.address) {
            (Way::PriorKnowledge, Address::Docker(_)) => self.headers.clone(),
            _ => EngineHeaders::default(),
        };
        let inner = self.http2().connect_with_connector_lazy(connector);
        Channel::new(inner, headers).watched(pulse)
    }

    fn http2(&self) -> Http2 {
        let endpoint = self.address.endpoint();
        let name = self.tls.as_ref().map_or_else(
            || endpoint.server_name().to_owned(),
            |tls| tls.server_name.to_str().into_owned(),
        );
        let authority = if name.contains(':') {
            format!("http://[{name}]")
        } else {
            format!("http://{name}")
        };
        with_limits(
            Http2::from_shared(authority)
                .unwrap_or_else(|_| Http2::from_static("http://localhost")),
        )
    }

    /// Opens a separate connection for a session, which engines accept beside their BuildKit. It
    /// avoids wrapping the session in messages of the other connection, which halves the work.
    /// `None` without an engine, or if it refuses.
    pub(super) async fn session(&self, metadata: &[(&'static str, String)]) -> Option<BoxIo> {
        if !matches!(self.address, Address::Docker(_)) {
            return None;
        }
        let deadline = self.deadline();
        let stream = transport::open(&self.address.endpoint(), self.tls.as_ref(), deadline)
            .await
            .ok()?;
        docker::session(stream, &self.headers, metadata, deadline)
            .await
            .ok()
    }

    pub(super) async fn engine_info(&self) -> Result<EngineInfo, ConnectProblem> {
        let deadline = self.deadline();
        let stream = transport::open(&self.address.endpoint(), self.tls.as_ref(), deadline).await?;
        docker::info(stream, &self.headers, deadline).await
    }
}

/// Opens a stream to a server that is no daemon, over which HTTP/2 or HTTP/1.1 will be spoken.
///
/// # Errors
/// The outer error is about the TLS files.
#[cfg(feature = "otel")]
pub(crate) async fn open_stream(
    endpoint: Endpoint,
    tls: Option<TlsOptions>,
    is_http2: bool,
    timeout: Duration,
) -> Result<Result<BoxIo, ConnectProblem>, Error> {
    let address = match is_http2 {
        true => Address::Buildkit(endpoint),
        false => Address::Docker(Some(endpoint)),
    };
    let options = ConnectOptions {
        tls,
        limits: TimeLimits {
            connect: timeout,
            ..TimeLimits::default()
        },
        ..ConnectOptions::new(address)
    };
    let dialer = Dialer::new(&options).await?;
    Ok(dialer.open(dialer.deadline()).await)
}

/// Reads the TLS files on a blocking thread.
async fn prepare(options: TlsOptions, address: &Address) -> Result<Tls, Error> {
    let server_name = options.server_name(address.endpoint().server_name())?;
    let client_certificate = options.cert.is_some();
    let loaded = tokio::task::spawn_blocking(move || options.load()).await;
    let mut config = loaded.unwrap_or_else(|error| {
        Err(Error::TlsOptions {
            reason: Panicked::from(error).into(),
        })
    })?;
    if !matches!(address, Address::Buildkit(_)) {
        // An engine's API uses HTTP/1.1 until it is upgraded.
        Arc::make_mut(&mut config).alpn_protocols.clear();
    }
    Ok(Tls {
        config,
        server_name,
        client_certificate,
    })
}

/// Calls `Info` (BuildKit 0.11 and newer), else `ListWorkers`, which every BuildKit supports.
async fn first_call(channel: &Channel) -> Result<Option<Version>, Status> {
    let mut control = ControlClient::new(channel.clone())
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT);
    match control.info(InfoRequest {}).await {
        Ok(answer) => Ok(answer.into_inner().buildkit_version.map(Version::from)),
        Err(status) if status.code() == Code::Unimplemented => {
            control.list_workers(ListWorkersRequest::default()).await?;
            Ok(None)
        }
        Err(status) => Err(status),
    }
}
