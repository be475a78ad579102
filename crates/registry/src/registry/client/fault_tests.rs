//! Transient failures: retries, their number, and resumed transfers.

use std::sync::{Arc, Mutex};

use futures_util::TryStreamExt as _;

use super::*;
use crate::registry::test_server::{Server, reply};
use crate::registry::{BlobSource, Credential, Notifier, Proxies, Pushed, Secret};

const INDEX: (&str, &str) = ("content-type", media_type::OCI_INDEX);

fn hello() -> Descriptor {
    Descriptor::of("a/b", b"hello")
}

fn source() -> BlobSource {
    BlobSource::Bytes(Bytes::from_static(b"hello"))
}

/// Options that collect the notifications.
fn notified_options(server: &Server) -> (ClientOptions, Arc<Mutex<Vec<String>>>) {
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&lines);
    let notifier = Notifier::new(move |line| seen.lock().unwrap().push(line.to_owned()));
    let options = ClientOptions {
        notifier: Some(notifier),
        ..server.options()
    };
    (options, lines)
}

#[tokio::test]
async fn every_kind_of_request_is_tried_again() {
    for status in [408, 429, 500, 502, 503, 504] {
        let server = Server::of(move |request, count| match (count % 3, request.method()) {
            (0 | 1, _) => reply(status, &[], ""),
            (_, &Method::PUT) => reply(201, &[], ""),
            (_, &Method::POST) => reply(202, &[("location", "/up")], ""),
            (_, &Method::DELETE) => reply(204, &[], ""),
            _ => reply(200, &[INDEX], "{}"),
        })
        .await;
        let client = server.client();
        let of = server.reference("a:1");
        client.manifest(&of).await.unwrap();
        client.head(&of).await.unwrap();
        client.has_blob(&of, &hello().digest).await.unwrap();
        client.tags(&of).await.unwrap();
        let bytes = Bytes::from_static(b"{}");
        client
            .put_manifest(&of, media_type::OCI_INDEX, bytes)
            .await
            .unwrap();
        client.may_push(&of).await.unwrap();
    }
}

#[tokio::test]
async fn retries_end_and_are_reported() {
    let server = Server::of(|_, _| reply(503, &[], "")).await;
    let (mut options, lines) = notified_options(&server);
    options.retries.times = 2;
    let client = server.client_with(options);
    let error = client.manifest(&server.reference("a:1")).await.unwrap_err();
    assert!(error.to_string().contains("503"), "{error}");
    assert_eq!(server.log().len(), 3);
    let lines = lines.lock().unwrap();
    let first = format!(
        "{} answers 503: trying again in 1 s (1 of 2)",
        server.registry
    );
    assert_eq!(lines[0], first);
}

#[tokio::test]
async fn a_connection_closed_before_the_answer_is_tried_again() {
    let server = Server::raw(|_, count| match count {
        0 => Vec::new(),
        _ => b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec(),
    })
    .await;
    let client = server.client();
    client.manifest(&server.reference("a:1")).await.unwrap();
    assert_eq!(server.log(), ["GET /v2/a/manifests/1"; 2]);
}

#[tokio::test]
async fn token_servers_are_tried_again() {
    let server = Server::of(|request, count| {
        let known = request.headers().get("authorization");
        let known = known.is_some_and(|value| value.as_bytes() == b"Bearer t");
        match (request.uri().path(), known, count) {
            ("/token", _, 0..4) => reply(502, &[], ""),
            ("/token", ..) => reply(200, &[], r#"{"token":"t"}"#),
            (_, true, _) => reply(200, &[INDEX], "{}"),
            _ => {
                let host = request.headers()["host"].to_str().unwrap();
                let challenge = format!("Bearer realm=\"http://{host}/token\"");
                reply(401, &[("www-authenticate", challenge.as_str())], "")
            }
        }
    })
    .await;
    let client = server.client();
    client.manifest(&server.reference("a:1")).await.unwrap();
    assert_eq!(server.log().len(), 6, "{:?}", server.log());
}

#[tokio::test]
async fn an_upload_resumes_where_the_registry_has_it() {
    let received = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&received);
    let server = Server::of(move |request, _| {
        let mut received = all.lock().unwrap();
        match (request.method().as_str(), request.uri().path()) {
            ("HEAD", _) => reply(404, &[], ""),
            ("POST", _) => reply(202, &[("location", "/up/1")], ""),
            ("PUT", "/up/1") => {
                received.extend_from_slice(&request.body()[..3]);
                reply(500, &[], "")
            }
            ("GET", "/up/1") => reply(204, &[("location", "/up/2"), ("range", "0-2")], ""),
            ("PATCH", "/up/2") => {
                assert_eq!(request.headers()["content-range"], "3-4");
                assert_eq!(request.headers()["content-length"], "2");
                received.extend_from_slice(request.body());
                reply(202, &[("location", "/up/3?state=x")], "")
            }
            ("PUT", "/up/3") if request.body().is_empty() => reply(201, &[], ""),
            _ => reply(400, &[], ""),
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blob");
    std::fs::write(&path, "hello").unwrap();
    let file = BlobSource::File { path, offset: 0 };
    for source in [source(), file] {
        received.lock().unwrap().clear();
        let to = server.reference("a");
        let pushed = server
            .client()
            .push_blob(&to, &hello(), &source, None)
            .await;
        assert_eq!(pushed.unwrap(), Pushed::Sent);
        assert_eq!(*received.lock().unwrap(), b"hello");
    }
    let last = format!(
        "PUT /up/3?state=x&digest=sha256%3A{} ",
        hello().digest.hex()
    );
    assert_eq!(*server.log().last().unwrap(), last);
}

#[tokio::test]
async fn an_upload_that_the_registry_forgot_begins_anew() {
    let server = Server::of(|request, count| match request.method().as_str() {
        "POST" => {
            let place = format!("/up/{count}");
            reply(202, &[("location", place.as_str())], "")
        }
        "PUT" if count < 3 => reply(503, &[], ""),
        "PUT" => reply(201, &[], ""),
        _ => reply(404, &[], ""),
    })
    .await;
    let to = server.reference("a");
    let pushed = server
        .anonymous()
        .push_blob(&to, &hello(), &source(), None)
        .await;
    assert_eq!(pushed.unwrap(), Pushed::Sent);
    let methods: Vec<String> = server
        .log()
        .iter()
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        methods,
        ["HEAD", "POST", "PUT", "GET", "HEAD", "POST", "PUT"]
    );
}

#[tokio::test]
async fn uploads_that_never_succeed_end() {
    let server = Server::of(|request, _| match request.method().as_str() {
        "POST" => reply(202, &[("location", "/up")], ""),
        "PUT" => reply(500, &[], r#"{"errors":[{"message":"disk full"}]}"#),
        _ => reply(404, &[], ""),
    })
    .await;
    let to = server.reference("a");
    let pushed = server
        .client()
        .push_blob(&to, &hello(), &source(), None)
        .await;
    let error = pushed.unwrap_err().to_string();
    assert!(error.contains("disk full"), "{error}");
    let puts = server
        .log()
        .iter()
        .filter(|line| line.starts_with("PUT"))
        .count();
    assert_eq!(puts, 6);
}

#[tokio::test]
async fn a_body_that_ends_early_without_a_length_is_asked_for_again() {
    let server = Server::raw(|question, count| {
        let body = match (question.starts_with("GET /v2/a/manifests"), count) {
            (true, 0) => "{\"schemaVersion\": 2, \"manif",
            (true, _) => "{\"schemaVersion\": 2, \"manifests\": []}",
            (false, _) if question.contains("bytes=3-") => {
                return b"HTTP/1.1 206 OK\r\nContent-Range: bytes 3-4/5\r\n\r\nlo".to_vec();
            }
            (false, _) => "hel",
        };
        format!("HTTP/1.1 200 OK\r\n\r\n{body}").into_bytes()
    })
    .await;
    let client = server.client();
    let fetched = client.manifest(&server.reference("a:1")).await.unwrap();
    assert!(fetched.bytes.ends_with(b"[]}"));
    let bytes = client.small_blob(&server.reference("a"), &hello()).await;
    assert_eq!(bytes.unwrap(), "hello");
}

#[tokio::test]
async fn a_download_resumes_whatever_range_it_gets() {
    for kind in [0, 1, 2, 3] {
        let server = Server::raw(move |question, _| {
            let is_rest = question.contains("bytes=3-");
            let answer = match (is_rest, kind) {
                (false, 2) if question.contains("GET /v2/b/") => {
                    "200 OK\r\nContent-Length: \
                                                                  5\r\n\r\nhello"
                }
                (false, _) => "200 OK\r\nContent-Length: 5\r\n\r\nhello",
                (true, 0) => {
                    "206 Partial Content\r\nContent-Range: bytes 3-4/5\r\nContent-Length: \
                              2\r\n\r\nlo"
                }
                (true, 1) => {
                    "206 Partial Content\r\nContent-Range: bytes 0-4/5\r\nContent-Length: \
                              5\r\n\r\nhello"
                }
                (true, 2) => "416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n",
                (true, _) => "200 OK\r\nContent-Length: 5\r\n\r\nhello",
            };
            format!("HTTP/1.1 {answer}").into_bytes()
        })
        .await;
        let of = server.reference("a");
        let rest = server.client().blob_from(&of, &hello(), 3).await.unwrap();
        let rest: Vec<Bytes> = rest.try_collect().await.unwrap();
        assert_eq!(rest.concat(), b"lo", "{kind}");
    }
}

#[tokio::test]
async fn a_login_waits_for_a_registry_that_limits() {
    let server = Server::of(|request, count| match count {
        0 | 2 => reply(429, &[("retry-after", "0")], ""),
        _ if request.headers().contains_key("authorization") => reply(200, &[], "{}"),
        _ => reply(401, &[("www-authenticate", "Basic realm=\"r\"")], ""),
    })
    .await;
    let login = Credential::of_user("me", Secret::new("secret"));
    let checked = server.client().authenticate(&server.registry, &login).await;
    assert!(checked.unwrap());
    assert_eq!(server.log().len(), 4);
}

#[tokio::test]
async fn requests_go_through_proxies_and_their_failures_name_them() {
    let proxy = Server::of(|_, _| reply(200, &[INDEX], "{}")).await;
    let options = |proxy: &str| ClientOptions {
        insecure: vec!["r.test".to_owned()],
        proxies: Proxies::new(Some(proxy), None, None),
        ..ClientOptions::default()
    };
    let of = Reference::parse("r.test/a:1").unwrap();
    let through = Client::new(Credentials::none().into(), options(&proxy.registry));
    through.manifest(&of).await.unwrap();
    assert_eq!(proxy.log(), ["GET http://r.test/v2/a/manifests/1 "]);
    let closed = Client::new(
        Credentials::none().into(),
        options("http://me:hunter2@127.0.0.1:1"),
    );
    let error = closed.manifest(&of).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot reach the registry r.test through the proxy 127.0.0.1:1"
    );
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    // Local registries are reached without a proxy.
    let local = Server::of(|_, _| reply(200, &[INDEX], "{}")).await;
    let client = Client::new(Credentials::none().into(), options("127.0.0.1:1"));
    client.manifest(&local.reference("a:1")).await.unwrap();
}

#[tokio::test]
async fn requests_at_the_same_time_find_out_together_that_a_registry_is_plain() {
    let server = Server::of(|_, _| reply(200, &[INDEX], "{}")).await;
    let (client, of) = (server.client(), server.reference("a:1"));
    let asks = (0..16).map(|_| client.manifest(&of));
    for answer in futures_util::future::join_all(asks).await {
        answer.unwrap();
    }
}
