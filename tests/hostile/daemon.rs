//! A hostile daemon: once the client has opened its session, it makes arbitrary calls in it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use hyper_util::rt::TokioIo;
use solvekit::session::Tunnel;
use tokio::sync::watch;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};

use super::proto::moby::buildkit::v1 as control;
use super::proto::moby::buildkit::v1::types;
use super::support::{Finished, solvekit};
use control::control_server::{Control, ControlServer};
use solvekit_core::proto::pb;

type Answer<T> = Result<Response<T>, Status>;
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;
type Attack = Box<dyn FnOnce(Channel) -> BoxFuture<'static, ()> + Send>;
type Updates = Box<dyn FnOnce() -> Answers<control::StatusResponse> + Send>;

/// The client's only login: `tester` and `hunter3`.
const LOGIN: &str = r#"{"auths": {"registry.test": {"auth": "dGVzdGVyOmh1bnRlcjM="}}}"#;

/// Runs `solvekit build` with these arguments, or `bake` if they begin with it, against a daemon
/// that attacks the session. Returns the findings of the attack, and the result of the command: the
/// daemon lets no build succeed.
pub(super) fn attack<T, F>(
    arguments: &[&str],
    attack: impl FnOnce(Channel) -> F + Send + 'static,
) -> (T, Finished)
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (found, result) = mpsc::channel();
    let attack = Box::new(|session: Channel| {
        async move {
            let _ = found.send(attack(session).await);
        }
        .boxed()
    });
    let finished = run(arguments, attack, Box::new(|| stream::pending().boxed()));
    let found = result.try_recv();
    (
        found.unwrap_or_else(|_| panic!("no attack:\n{}", finished.stderr)),
        finished,
    )
}

/// The same with a daemon that attacks through the progress.
pub(super) fn flood(
    arguments: &[&str],
    updates: impl FnOnce() -> Answers<control::StatusResponse> + Send + 'static,
) -> Finished {
    let wait = |_| tokio::time::sleep(std::time::Duration::from_secs(2)).boxed();
    run(arguments, Box::new(wait), Box::new(updates))
}

fn run(arguments: &[&str], attack: Attack, updates: Updates) -> Finished {
    let (over, _) = watch::channel(false);
    let hostile = Hostile {
        attack: Mutex::new(Some(attack)),
        updates: Mutex::new(Some(updates)),
        over,
    };
    let address = start(Arc::new(hostile));
    let (command, arguments) = match arguments {
        ["bake", rest @ ..] => ("bake", rest),
        arguments => ("build", arguments),
    };
    Finished::of(
        solvekit([command, "--progress=plain"])
            .args(arguments)
            .env("DOCKER_AUTH_CONFIG", LOGIN)
            .env("BUILDKIT_HOST", address),
    )
}

fn start(hostile: Arc<Hostile>) -> String {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            sender.send(incoming.local_addr().unwrap()).unwrap();
            let bridge = Bridge(hostile.over.subscribe());
            Server::builder()
                .add_service(ControlServer::from_arc(hostile))
                .add_service(bridge)
                .serve_with_incoming(incoming)
                .await
                .unwrap();
        });
    });
    format!("tcp://{}", receiver.recv().unwrap())
}

struct Hostile {
    attack: Mutex<Option<Attack>>,
    updates: Mutex<Option<Updates>>,
    /// Set to true at the end of the attack.
    over: watch::Sender<bool>,
}

impl Hostile {
    async fn refuse_later<T>(&self) -> Answer<T> {
        let _ = self.over.subscribe().wait_for(|over| *over).await;
        Err(Status::failed_precondition("the attack is over"))
    }
}

/// The gateway, which answers nothing until the attack is over.
#[derive(Clone)]
struct Bridge(watch::Receiver<bool>);

impl NamedService for Bridge {
    const NAME: &'static str = "moby.buildkit.v1.frontend.LLBBridge";
}

impl tower::Service<http::Request<Body>> for Bridge {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        let mut over = self.0.clone();
        async move {
            let _ = over.wait_for(|over| *over).await;
            Ok(Status::failed_precondition("the attack is over").into_http())
        }
        .boxed()
    }
}

fn refused<T>() -> Answer<T> {
    Err(Status::unimplemented("not this daemon"))
}

#[tonic::async_trait]
impl Control for Hostile {
    async fn disk_usage(
        &self,
        _: Request<control::DiskUsageRequest>,
    ) -> Answer<control::DiskUsageResponse> {
        refused()
    }

    type PruneStream = Answers<control::UsageRecord>;
    async fn prune(&self, _: Request<control::PruneRequest>) -> Answer<Self::PruneStream> {
        refused()
    }

    async fn solve(&self, _: Request<control::SolveRequest>) -> Answer<control::SolveResponse> {
        self.refuse_later().await
    }

    type StatusStream = Answers<control::StatusResponse>;
    async fn status(&self, _: Request<control::StatusRequest>) -> Answer<Self::StatusStream> {
        let updates = self.updates.lock().unwrap().take();
        Ok(Response::new(match updates {
            Some(updates) => updates(),
            None => stream::pending().boxed(),
        }))
    }

    type SessionStream = Answers<control::BytesMessage>;
    async fn session(
        &self,
        request: Request<Streaming<control::BytesMessage>>,
    ) -> Answer<Self::SessionStream> {
        // A bake has a separate session for each folder; exports go to the build's own session.
        let methods = request
            .metadata()
            .get_all("x-docker-expose-session-grpc-method");
        let takes_exports = methods
            .iter()
            .any(|method| method == "/moby.filesync.v1.FileSend/DiffCopy");
        let inbound = request
            .into_inner()
            .map(|message| message.map(|it| it.data))
            .boxed();
        let (outbound, sent) = tokio::sync::mpsc::channel(16);
        let mut tunnel = Some(TokioIo::new(Tunnel::new(inbound, outbound)));
        let attack = takes_exports
            .then(|| self.attack.lock().unwrap().take())
            .flatten();
        let over = self.over.clone();
        tokio::spawn(async move {
            let connector = tower::service_fn(move |_| {
                let tunnel = tunnel
                    .take()
                    .ok_or_else(|| std::io::Error::other("one connection"));
                async move { tunnel }
            });
            let session = Endpoint::from_static("http://session")
                .connect_with_connector(connector)
                .await;
            match (session, attack) {
                (Ok(session), Some(attack)) => attack(session).await,
                // The session of the folders stays open until the attack is over.
                (Ok(_session), None) if !takes_exports => {
                    let _ = over.subscribe().wait_for(|is_over| *is_over).await;
                }
                _ => {}
            }
            over.send_replace(true);
        });
        let answers = ReceiverStream::new(sent).map(|data| Ok(control::BytesMessage { data }));
        Ok(Response::new(answers.boxed()))
    }

    async fn list_workers(
        &self,
        _: Request<control::ListWorkersRequest>,
    ) -> Answer<control::ListWorkersResponse> {
        Ok(Response::new(control::ListWorkersResponse {
            record: vec![types::WorkerRecord {
                platforms: vec![pb::Platform {
                    os: "linux".to_owned(),
                    architecture: "amd64".to_owned(),
                    ..Default::default()
                }],
                ..Default::default()
            }],
        }))
    }

    async fn info(&self, _: Request<control::InfoRequest>) -> Answer<control::InfoResponse> {
        Ok(Response::new(control::InfoResponse {
            buildkit_version: Some(types::BuildkitVersion {
                version: "v0.32.0".to_owned(),
                ..Default::default()
            }),
        }))
    }

    type ListenBuildHistoryStream = Answers<control::BuildHistoryEvent>;
    async fn listen_build_history(
        &self,
        _: Request<control::BuildHistoryRequest>,
    ) -> Answer<Self::ListenBuildHistoryStream> {
        refused()
    }

    async fn update_build_history(
        &self,
        _: Request<control::UpdateBuildHistoryRequest>,
    ) -> Answer<control::UpdateBuildHistoryResponse> {
        refused()
    }
}
