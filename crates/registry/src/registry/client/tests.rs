//! The client against a server in this process that fails in the ways of real registries.

use futures_util::TryStreamExt as _;

use super::*;
use crate::registry::test_server::{Server, reply};
use crate::registry::{BlobSource, Credential, Pushed};

const INDEX: (&str, &str) = ("content-type", media_type::OCI_INDEX);

#[tokio::test]
async fn what_a_registry_limits_is_waited_for() {
    let server = Server::of(|_, count| match count {
        0 => reply(429, &[("retry-after", "0")], ""),
        _ => reply(200, &[INDEX], "{}"),
    })
    .await;
    let fetched = server
        .client()
        .manifest(&server.reference("a:1"))
        .await
        .unwrap();
    assert_eq!(
        fetched.descriptor,
        Descriptor::of(media_type::OCI_INDEX, b"{}")
    );
    assert_eq!(server.log().len(), 2);
}

#[tokio::test]
async fn a_limit_that_is_too_far_off_is_an_error() {
    let server = Server::of(|_, _| reply(429, &[("retry-after", "7200")], "")).await;
    let error = server
        .client()
        .manifest(&server.reference("a:1"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("429"), "{error}");
}

#[tokio::test]
async fn tokens_are_asked_for_the_scope_once() {
    let server = Server::of(|request, _| {
        let host = request.headers()["host"].to_str().unwrap();
        let realm = format!(r#"Bearer realm="http://{host}/token",service="s""#);
        match (request.uri().path(), request.headers().get("authorization")) {
            ("/token", _) => reply(200, &[], r#"{"token": "t"}"#),
            (_, None) => reply(401, &[("www-authenticate", realm.as_str())], ""),
            ("/v2/a/blobs/uploads/", _) => {
                reply(403, &[], r#"{"errors": [{"message": "not for you"}]}"#)
            }
            (path, _) if path.starts_with("/v2/a/blobs/") => reply(404, &[], ""),
            _ => reply(200, &[INDEX], "{}"),
        }
    })
    .await;
    let client = server.client();
    for _ in 0..2 {
        client.manifest(&server.reference("a:1")).await.unwrap();
    }
    assert_eq!(
        server.log(),
        [
            "GET /v2/a/manifests/1 ",
            "POST /token ",
            "GET /v2/a/manifests/1 Bearer t",
            "GET /v2/a/manifests/1 Bearer t"
        ]
    );
    let source = BlobSource::Bytes(Bytes::from_static(b"x"));
    let descriptor = Descriptor::of("a/b", b"x");
    let error = client
        .push_blob(&server.reference("a:1"), &descriptor, &source, None)
        .await
        .unwrap_err()
        .to_string();
    for part in [
        &server.registry,
        "repository:a:pull,push",
        "403",
        "not for you",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert!(!error.contains("secret"), "{error}");
}

#[tokio::test]
async fn another_host_does_not_get_the_credentials() {
    let storage = Server::of(|_, _| reply(200, &[], "hello")).await;
    let port = storage.registry.rsplit(':').next().unwrap().to_owned();
    let server = Server::of(move |request, _| {
        if request.headers().get("authorization").is_none() {
            return reply(401, &[("www-authenticate", "Basic realm=\"r\"")], "");
        }
        let place = format!("http://localhost:{port}/storage?signed=1");
        reply(307, &[("location", place.as_str())], "")
    })
    .await;
    let descriptor = Descriptor::of("a/b", b"hello");
    let bytes = server
        .client()
        .small_blob(&server.reference("a"), &descriptor)
        .await
        .unwrap();
    assert_eq!(bytes, "hello");
    assert!(server.log()[1].ends_with("Basic bWU6c2VjcmV0"));
    assert_eq!(storage.log(), ["GET /storage?signed=1 "]);
}

#[tokio::test]
async fn other_bytes_are_refused_with_both_digests() {
    let server = Server::of(|_, _| reply(200, &[INDEX], "other")).await;
    let wanted = Digest::sha256(b"hello");
    let of = server.reference("a").with_digest(wanted.clone());
    let descriptor = Descriptor::of("a/b", b"hello");
    let client = server.client();
    for error in [
        client.manifest(&of).await.unwrap_err(),
        client.small_blob(&of, &descriptor).await.unwrap_err(),
        client
            .put_manifest(&of, media_type::OCI_INDEX, Bytes::from_static(b"other"))
            .await
            .unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.contains(wanted.as_str()), "{error}");
        assert!(error.contains(Digest::sha256(b"other").as_str()), "{error}");
    }
}

#[tokio::test]
async fn a_web_page_is_no_registry() {
    let page = [("content-type", "text/html; charset=utf-8")];
    let server = Server::of(move |_, count| match count {
        0 => reply(200, &page, "<html>"),
        _ => reply(404, &page, "<html>"),
    })
    .await;
    for _ in 0..2 {
        let asked = server.client().manifest(&server.reference("a:1")).await;
        let error = asked.unwrap_err();
        assert!(matches!(error, Error::NotARegistry { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_blob_that_breaks_off_goes_on_where_it_was() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let registry = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut question = vec![0; 4096];
            let read = stream.read(&mut question).await.unwrap();
            let question = String::from_utf8_lossy(&question[..read]).into_owned();
            // The first connection tries TLS; the next one is cut after three of five bytes.
            let answer = match (question.starts_with("GET"), question.contains("bytes=3-")) {
                (false, _) => "HTTP/1.1 400 Bad Request\r\n\r\n",
                (true, false) => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
                (true, true) => "HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\nlo",
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let descriptor = Descriptor::of("a/b", b"hello");
    let client = Client::new(Credentials::none().into(), ClientOptions::default());
    let of = Reference::parse(&format!("{registry}/a")).unwrap();
    let blob = client.blob(&of, &descriptor).await.unwrap();
    let pieces: Vec<Bytes> = blob.try_collect().await.unwrap();
    assert_eq!(pieces.concat(), b"hello");
}

#[tokio::test]
async fn an_upload_is_mounted_sent_or_left_out() {
    let server = Server::of(|request, _| {
        let path = request.uri().to_string();
        match (request.method().as_str(), path.as_str()) {
            ("HEAD", path) if path.starts_with("/v2/there/") => reply(200, &[], ""),
            ("HEAD", _) => reply(404, &[], ""),
            ("POST", path) if path.starts_with("/v2/mounts/") => reply(201, &[], ""),
            ("POST", _) => reply(202, &[("location", "/up/1?state=x")], ""),
            ("PUT", _) => {
                assert_eq!(request.headers()["content-length"], "5");
                assert_eq!(request.body(), "hello");
                reply(201, &[], "")
            }
            _ => reply(500, &[], ""),
        }
    })
    .await;
    let client = server.client();
    let descriptor = Descriptor::of("a/b", b"hello");
    let bytes = BlobSource::Bytes(Bytes::from_static(b"hello"));
    let elsewhere = BlobSource::Repository(Box::new(client.clone()), server.reference("from"));
    for (to, source, pushed) in [
        ("there/x", &bytes, Pushed::Existed),
        ("mounts/x", &elsewhere, Pushed::Mounted),
        ("new/x", &bytes, Pushed::Sent),
    ] {
        let to = server.reference(to);
        let done = client.push_blob(&to, &descriptor, source, None).await;
        assert_eq!(done.unwrap(), pushed);
    }
    let log = server.log();
    let digest = &descriptor.digest;
    assert!(
        log.contains(&format!(
            "POST /v2/mounts/x/blobs/uploads/?mount={digest}&from=from "
        )),
        "{log:?}"
    );
    let put = format!("PUT /up/1?state=x&digest=sha256%3A{} ", digest.hex());
    assert!(log.contains(&put), "{log:?}");

    let wrong = BlobSource::Bytes(Bytes::from_static(b"other"));
    let error = client
        .push_blob(&server.reference("new/x"), &descriptor, &wrong, None)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
}

#[tokio::test]
async fn a_login_is_checked() {
    let server = Server::of(|request, _| {
        let authorization = request.headers().get("authorization");
        match authorization.map(|value| value.to_str().unwrap()) {
            Some("Basic bWU6c2VjcmV0") => reply(200, &[], "{}"),
            _ => reply(401, &[("www-authenticate", "Basic realm=\"r\"")], ""),
        }
    })
    .await;
    let mut credential = Credential {
        username: "me".to_owned(),
        password: crate::registry::Secret::new("secret"),
        ..Credential::default()
    };
    let client = Client::new(Credentials::none().into(), ClientOptions::default());
    let registry = &server.registry;
    client.authenticate(registry, &credential).await.unwrap();
    credential.password = crate::registry::Secret::new("wrong");
    let error = client
        .authenticate(registry, &credential)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::LoginRefused { .. }), "{error}");
}
