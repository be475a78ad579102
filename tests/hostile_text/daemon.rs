//! A daemon that answers every call, with hostile text in all strings.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt as _, stream};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use solvekit_core::proto::pb;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

use super::HOSTILE;
use super::proto::containerd::services::content::v1 as content;
use super::proto::google::rpc;
use super::proto::moby::buildkit::v1 as control;
use super::proto::moby::buildkit::v1::types;
use content::content_server::{Content, ContentServer};
use control::control_server::{Control, ControlServer};

type Answer<T> = Result<Response<T>, Status>;
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Serves until the process ends; returns the address.
pub(super) fn start() -> String {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            sender.send(incoming.local_addr().unwrap()).unwrap();
            Server::builder()
                .add_service(ControlServer::new(Hostile))
                .add_service(ContentServer::new(Hostile))
                .add_service(Bridge)
                .serve_with_incoming(incoming)
                .await
                .unwrap();
        });
    });
    format!("tcp://{}", receiver.recv().unwrap())
}

struct Hostile;

/// The gateway, which rejects everything.
#[derive(Clone)]
struct Bridge;

impl NamedService for Bridge {
    const NAME: &'static str = "moby.buildkit.v1.frontend.LLBBridge";
}

impl tower::Service<http::Request<Body>> for Bridge {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        ready(Ok(Status::failed_precondition(HOSTILE).into_http()))
    }
}

fn text() -> String {
    HOSTILE.to_owned()
}

fn texts(keys: &[&str]) -> BTreeMap<String, String> {
    keys.iter().map(|key| ((*key).to_owned(), text())).collect()
}

fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

fn list<T: Send + 'static>(items: Vec<T>) -> Answer<Answers<T>> {
    Ok(Response::new(
        stream::iter(items.into_iter().map(Ok)).boxed(),
    ))
}

fn refused<T>() -> Answer<T> {
    Err(Status::failed_precondition(HOSTILE))
}

fn record() -> control::UsageRecord {
    control::UsageRecord {
        id: text(),
        mutable: true,
        size: 1,
        parents: vec![text()],
        created_at: at(1),
        last_used_at: at(2),
        description: text(),
        record_type: text(),
        ..Default::default()
    }
}

fn version() -> types::BuildkitVersion {
    types::BuildkitVersion {
        package: text(),
        version: text(),
        revision: text(),
        dockerfile_version: text(),
    }
}

/// A trace of one span; the content of every blob.
fn blob() -> Vec<u8> {
    let span = json!({
        "Name": HOSTILE,
        "SpanContext": {"TraceID": "1", "SpanID": "2"},
        "StartTime": "2024-01-01T00:00:00Z",
        "EndTime": "2024-01-01T00:00:01Z",
    });
    span.to_string().into_bytes()
}

fn descriptor() -> Option<control::Descriptor> {
    let blob = blob();
    Some(control::Descriptor {
        media_type: text(),
        digest: format!("sha256:{:x}", Sha256::digest(&blob)),
        size: blob.len() as i64,
        annotations: texts(&["in-toto.io/predicate-type"]),
    })
}

fn build() -> control::BuildHistoryEvent {
    let attributes = [
        "context",
        "filename",
        "target",
        "platform",
        "vcs:source",
        "vcs:revision",
    ];
    let pairs = [
        format!("build-arg:{HOSTILE}"),
        format!("label:{HOSTILE}"),
        format!("context:{HOSTILE}"),
    ];
    let mut frontend_attrs = texts(&attributes);
    frontend_attrs.extend(pairs.map(|key| (key, text())));
    let result = control::BuildResultInfo {
        attestations: descriptor().into_iter().collect(),
        ..Default::default()
    };
    control::BuildHistoryEvent {
        r#type: 1,
        record: Some(control::BuildHistoryRecord {
            r#ref: "evilref".to_owned(),
            frontend: text(),
            frontend_attrs,
            error: Some(rpc::Status {
                code: 2,
                message: text(),
                ..Default::default()
            }),
            created_at: at(1),
            completed_at: at(2),
            logs: descriptor(),
            exporter_response: texts(&["containerimage.digest", HOSTILE]),
            result: Some(result),
            trace: descriptor(),
            num_total_steps: 1,
            ..Default::default()
        }),
    }
}

/// A step that wrote a log, warned and failed.
fn status() -> control::StatusResponse {
    let digest = "sha256:aa".to_owned();
    let info = pb::SourceInfo {
        filename: text(),
        data: HOSTILE.as_bytes().to_vec(),
        ..Default::default()
    };
    let line = Some(pb::Position {
        line: 1,
        character: 0,
    });
    control::StatusResponse {
        vertexes: vec![control::Vertex {
            digest: digest.clone(),
            name: text(),
            started: at(1),
            completed: at(2),
            error: text(),
            ..Default::default()
        }],
        statuses: vec![control::VertexStatus {
            id: text(),
            vertex: digest.clone(),
            name: text(),
            started: at(1),
            completed: at(2),
            ..Default::default()
        }],
        logs: vec![control::VertexLog {
            vertex: digest.clone(),
            timestamp: at(1),
            stream: 1,
            msg: format!("{HOSTILE}\x1b[31mred\x1b[0m\n").into_bytes().into(),
        }],
        warnings: vec![control::VertexWarning {
            vertex: digest,
            short: text().into_bytes(),
            detail: vec![text().into_bytes()],
            url: text(),
            info: Some(info),
            ranges: vec![pb::Range {
                start: line,
                end: line,
            }],
            ..Default::default()
        }],
    }
}

#[tonic::async_trait]
impl Control for Hostile {
    async fn disk_usage(
        &self,
        _: Request<control::DiskUsageRequest>,
    ) -> Answer<control::DiskUsageResponse> {
        Ok(Response::new(control::DiskUsageResponse {
            record: vec![record()],
        }))
    }

    type PruneStream = Answers<control::UsageRecord>;
    async fn prune(&self, _: Request<control::PruneRequest>) -> Answer<Self::PruneStream> {
        list(vec![record()])
    }

    async fn solve(&self, _: Request<control::SolveRequest>) -> Answer<control::SolveResponse> {
        // Give the client time to read the progress before the build ends.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        refused()
    }

    type StatusStream = Answers<control::StatusResponse>;
    async fn status(&self, _: Request<control::StatusRequest>) -> Answer<Self::StatusStream> {
        list(vec![status()])
    }

    type SessionStream = Answers<control::BytesMessage>;
    async fn session(
        &self,
        _: Request<Streaming<control::BytesMessage>>,
    ) -> Answer<Self::SessionStream> {
        Ok(Response::new(stream::pending().boxed()))
    }

    async fn list_workers(
        &self,
        _: Request<control::ListWorkersRequest>,
    ) -> Answer<control::ListWorkersResponse> {
        let platform = |os: &str, architecture: &str| pb::Platform {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            ..Default::default()
        };
        Ok(Response::new(control::ListWorkersResponse {
            record: vec![types::WorkerRecord {
                id: text(),
                labels: texts(&[HOSTILE, "org.mobyproject.buildkit.worker.executor"]),
                platforms: vec![platform("linux", "amd64"), platform(HOSTILE, HOSTILE)],
                buildkit_version: Some(version()),
                ..Default::default()
            }],
        }))
    }

    async fn info(&self, _: Request<control::InfoRequest>) -> Answer<control::InfoResponse> {
        Ok(Response::new(control::InfoResponse {
            buildkit_version: Some(version()),
        }))
    }

    type ListenBuildHistoryStream = Answers<control::BuildHistoryEvent>;
    async fn listen_build_history(
        &self,
        _: Request<control::BuildHistoryRequest>,
    ) -> Answer<Self::ListenBuildHistoryStream> {
        list(vec![build()])
    }

    async fn update_build_history(
        &self,
        _: Request<control::UpdateBuildHistoryRequest>,
    ) -> Answer<control::UpdateBuildHistoryResponse> {
        refused()
    }
}

#[tonic::async_trait]
impl Content for Hostile {
    async fn info(&self, _: Request<content::InfoRequest>) -> Answer<content::InfoResponse> {
        refused()
    }
    async fn update(&self, _: Request<content::UpdateRequest>) -> Answer<content::UpdateResponse> {
        refused()
    }
    type ListStream = Answers<content::ListContentResponse>;
    async fn list(&self, _: Request<content::ListContentRequest>) -> Answer<Self::ListStream> {
        refused()
    }
    async fn delete(&self, _: Request<content::DeleteContentRequest>) -> Answer<()> {
        refused()
    }
    type ReadStream = Answers<content::ReadContentResponse>;
    async fn read(&self, _: Request<content::ReadContentRequest>) -> Answer<Self::ReadStream> {
        list(vec![content::ReadContentResponse {
            offset: 0,
            data: blob().into(),
        }])
    }
    async fn status(&self, _: Request<content::StatusRequest>) -> Answer<content::StatusResponse> {
        refused()
    }
    async fn list_statuses(
        &self,
        _: Request<content::ListStatusesRequest>,
    ) -> Answer<content::ListStatusesResponse> {
        refused()
    }
    type WriteStream = Answers<content::WriteContentResponse>;
    async fn write(
        &self,
        _: Request<Streaming<content::WriteContentRequest>>,
    ) -> Answer<Self::WriteStream> {
        refused()
    }
    async fn abort(&self, _: Request<content::AbortRequest>) -> Answer<()> {
        refused()
    }
}
