//! Registries in the wild, which deviate from the specification.

use std::io::Write as _;

use super::*;
use crate::registry::manifest_type::SCHEMA_1_SIGNED;
use crate::registry::test_server::{Server, reply};
use crate::registry::{BlobSource, Credential, Images, Pushed, Secret};

const INDEX: (&str, &str) = ("content-type", media_type::OCI_INDEX);
const IMAGE: (&str, &str) = ("content-type", media_type::OCI_MANIFEST);

fn hello() -> Descriptor {
    Descriptor::of("a/b", b"hello")
}

fn is_known(request: &http::Request<Bytes>) -> bool {
    request.headers().contains_key("authorization")
}

#[tokio::test]
async fn a_registry_without_head_is_asked_by_get() {
    for page in [&[][..], &[("content-type", "text/html")]] {
        let server = Server::of(move |request, _| match request.method() {
            &Method::HEAD => reply(405, page, ""),
            _ if request.uri().path().contains("/absent/") => reply(404, &[], ""),
            _ => reply(200, &[INDEX], "{}"),
        })
        .await;
        let client = server.client();
        let (there, absent) = (server.reference("a:1"), server.reference("absent/a"));
        let digest = Digest::sha256(b"{}");
        assert_eq!(client.head(&there).await.unwrap().digest, digest);
        assert!(client.has_manifest(&there, &digest).await.unwrap());
        assert!(client.has_blob(&there, &digest).await.unwrap());
        assert!(!client.has_blob(&absent, &digest).await.unwrap());
    }
}

#[tokio::test]
async fn a_size_of_zero_is_no_size() {
    let digest = Digest::sha256(b"{}").to_string();
    let server = Server::of(move |_, _| {
        reply(
            200,
            &[INDEX, ("docker-content-digest", digest.as_str())],
            "{}",
        )
    })
    .await;
    // hyper would send a Content-Length in the answer to HEAD; this answer has none.
    let raw = Server::raw(|question, _| {
        let digest = Digest::sha256(b"{}");
        let (length, body) = match question.starts_with("HEAD") {
            true => (0, ""),
            false => (2, "{}"),
        };
        let (name, kind) = INDEX;
        let text = format!(
            "HTTP/1.1 200 OK\r\n{name}: {kind}\r\ndocker-content-digest: {digest}\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        text.into_bytes()
    })
    .await;
    for server in [server, raw] {
        let head = server
            .client()
            .head(&server.reference("a:1"))
            .await
            .unwrap();
        assert_eq!(head.size, 2);
    }
}

#[tokio::test]
async fn manifests_that_a_gateway_compressed_are_read() {
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    zipped.write_all(b"{}").unwrap();
    let zipped = Bytes::from(zipped.finish().unwrap());
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![b' '; 64 << 20]).unwrap();
    let bomb = Bytes::from(bomb.finish().unwrap());
    let server = Server::of(move |request, _| {
        let body = match request.uri().path() {
            "/v2/bomb/manifests/1" => bomb.clone(),
            "/v2/odd/manifests/1" => Bytes::from_static(b"{}"),
            _ => zipped.clone(),
        };
        let reply = http::Response::builder().header("content-encoding", "gzip");
        let reply = reply.header("content-type", media_type::OCI_INDEX);
        reply.body(http_body_util::Full::from(body)).unwrap()
    })
    .await;
    let client = server.client();
    let fetched = client.manifest(&server.reference("a:1")).await.unwrap();
    assert_eq!(
        fetched.descriptor,
        Descriptor::of(media_type::OCI_INDEX, b"{}")
    );
    assert_eq!(
        client.head(&server.reference("a:1")).await.unwrap(),
        fetched.descriptor
    );
    let error = client
        .manifest(&server.reference("bomb:1"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    let error = client
        .manifest(&server.reference("odd:1"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("gzip"), "{error}");
}

#[tokio::test]
async fn a_tag_that_may_not_change_is_no_error_if_it_is_right() {
    for status in [400, 409, 412] {
        let digest = Digest::sha256(b"{}").to_string();
        let server = Server::of(move |request, _| match request.method() {
            &Method::PUT => reply(status, &[], r#"{"errors":[{"code":"TAG_IMMUTABLE"}]}"#),
            _ => reply(
                200,
                &[INDEX, ("docker-content-digest", digest.as_str())],
                "{}",
            ),
        })
        .await;
        let client = server.client();
        let to = server.reference("a:1");
        let put = async |text: &'static str| {
            let bytes = Bytes::from_static(text.as_bytes());
            client.put_manifest(&to, media_type::OCI_INDEX, bytes).await
        };
        assert_eq!(put("{}").await.unwrap(), Digest::sha256(b"{}"));
        let error = put("{ }").await.unwrap_err().to_string();
        assert!(error.contains("TAG_IMMUTABLE"), "{error}");
    }
}

#[tokio::test]
async fn a_mount_that_is_not_allowed_is_an_upload() {
    // The token server gives no token for two repositories at once.
    let server = Server::of(|request, _| {
        let uri = request.uri().to_string();
        let host = request.headers()["host"].to_str().unwrap();
        let challenge = format!("Bearer realm=\"http://{host}/token\"");
        let scopes = String::from_utf8_lossy(request.body())
            .matches("repository")
            .count();
        match (request.method().as_str(), uri.as_str()) {
            (_, "/token") if scopes > 1 => reply(403, &[], r#"{"details":"one at a time"}"#),
            (_, "/token") => reply(200, &[], r#"{"token":"t"}"#),
            _ if !is_known(request) => reply(401, &[("www-authenticate", &challenge)], ""),
            ("HEAD", _) => reply(404, &[], ""),
            ("GET", _) => reply(200, &[], "hello"),
            ("POST", _) => reply(202, &[("location", "/up")], ""),
            _ => reply(201, &[], ""),
        }
    })
    .await;
    let client = server.client();
    let from = BlobSource::Repository(Box::new(client.clone()), server.reference("from"));
    let pushed = client
        .push_blob(&server.reference("to"), &hello(), &from, None)
        .await;
    assert_eq!(pushed.unwrap(), Pushed::Sent);
}

#[tokio::test]
async fn what_is_hidden_from_strangers_is_asked_for_with_credentials() {
    for status in [401, 403, 404] {
        let server = Server::of(move |request, _| match request.uri().path() {
            _ if is_known(request) => reply(200, &[INDEX], "{}"),
            "/v2/" => reply(401, &[("www-authenticate", "Basic realm=\"r\"")], ""),
            _ => reply(status, &[], ""),
        })
        .await;
        let of = server.reference("a:1");
        server.client().manifest(&of).await.unwrap();
        assert_eq!(server.log().len(), 3, "{:?}", server.log());
        // Without credentials there is no second attempt: one request, one answer.
        let asked = server.log().len();
        server.anonymous().manifest(&of).await.unwrap_err();
        assert_eq!(server.log().len(), asked + 1);
    }
}

#[tokio::test]
async fn the_strongest_challenge_and_its_own_scope_count() {
    let server = Server::of(|request, _| {
        let host = request.headers()["host"].to_str().unwrap();
        let challenge = format!(
            "Basic realm=\"r\", BEARER \
             realm=\"http://{host}/token\",scope=\"repository:group/a:pull\""
        );
        match request.uri().path() {
            "/token" => reply(
                200,
                &[],
                r#"{"token":null,"access_token":"t","expires_in":"3600"}"#,
            ),
            _ if is_known(request) => reply(200, &[INDEX], "{}"),
            _ => reply(401, &[("www-authenticate", &challenge)], ""),
        }
    })
    .await;
    let anonymous = server.anonymous();
    anonymous.manifest(&server.reference("a:1")).await.unwrap();
    let scopes = "scope=repository%3Aa%3Apull&scope=repository%3Agroup%2Fa%3Apull";
    assert_eq!(server.log()[1], format!("GET /token?{scopes} "));
    assert!(server.log()[2].ends_with("Bearer t"));
}

#[tokio::test]
async fn nothing_is_printed_without_findings() {
    let server =
        Server::of(|_, _| reply(401, &[("www-authenticate", "Basic realm=\"r\"")], "")).await;
    let identity = Credential {
        identity_token: Secret::new("it"),
        ..Credential::default()
    };
    let checked = server
        .anonymous()
        .authenticate(&server.registry, &identity)
        .await;
    assert!(
        matches!(checked, Err(Error::LoginRefused { .. })),
        "{checked:?}"
    );
    assert_eq!(server.log(), ["GET /v2/ "]);
}

#[tokio::test]
async fn old_manifests_and_missing_locations_are_named() {
    let server = Server::of(|request, _| match request.uri().path() {
        "/v2/signed/manifests/1" => reply(200, &[("content-type", SCHEMA_1_SIGNED)], "{}"),
        path if path.starts_with("/v2/old/") => reply(
            200,
            &[("content-type", "application/json")],
            r#"{"schemaVersion":1,"fsLayers":[]}"#,
        ),
        _ => reply(202, &[], ""),
    })
    .await;
    let client = server.client();
    for name in ["signed:1", "old:1"] {
        let of = server.reference(name);
        for error in [
            client.manifest(&of).await.unwrap_err(),
            client.head(&of).await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::SchemaOne { .. }), "{error}");
        }
    }
    let error = client.may_push(&server.reference("new")).await.unwrap_err();
    assert!(matches!(error, Error::NoLocation { .. }), "{error}");
}

#[tokio::test]
async fn null_stands_for_nothing() {
    let config = Descriptor::of("application/vnd.oci.image.config.v1+json", b"{}");
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":null,"layers":null,"annotations":null,"config":
           {{"mediaType":"{}","digest":"{}","size":2,"urls":null,"annotations":null,"data":null,
             "artifactType":null}}}}"#,
        config.media_type, config.digest
    );
    let digest = Digest::sha256(manifest.as_bytes());
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":null,"artifactType":null,"subject":null,"annotations":null,
           "manifests":[{{"mediaType":"{}","digest":"{digest}","size":{},"platform":
             {{"os":"linux","architecture":"amd64","variant":null,"os.version":null,"os.features":null}}}}]}}"#,
        media_type::OCI_MANIFEST,
        manifest.len()
    );
    let empty = r#"{"schemaVersion":2,"manifests":null}"#;
    let server = Server::of(move |request, _| match request.uri().path() {
        "/v2/a/manifests/1" => reply(200, &[INDEX], &index),
        "/v2/a/manifests/2" => reply(200, &[INDEX], empty),
        path if path.starts_with("/v2/a/manifests/") => reply(200, &[IMAGE], &manifest),
        _ => reply(200, &[], "{}"),
    })
    .await;
    let images = Images::with_client(server.client());
    let platform = crate::oci::Platform::parse("linux/amd64").unwrap();
    images
        .find(&server.reference("a:1"), &platform)
        .await
        .unwrap();
    let error = images
        .find(&server.reference("a:2"), &platform)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotForPlatform { .. }), "{error}");
}

#[tokio::test]
async fn a_token_server_of_any_shape_is_understood() {
    for answer in [
        r#"{"token":"t","access_token":null,"expires_in":null,"issued_at":null}"#,
        r#"{"token":"t","expires_in":3600.5}"#,
        r#"{"token":"t","expires_in":-1}"#,
        r#"{"token":"t","expires_in":{"a":1},"issued_at":5}"#,
        r#"{"access_token":"t","token":7,"expires_in":1e300}"#,
    ] {
        // A POST gets 400: this server supports only GET.
        let server = Server::of(move |request, _| {
            let host = request.headers()["host"].to_str().unwrap();
            let challenge = format!("Bearer realm=\"http://{host}/token\"");
            match (request.uri().path(), request.method()) {
                ("/token", &Method::POST) => reply(400, &[], ""),
                ("/token", _) => reply(200, &[], answer),
                _ if is_known(request) => reply(200, &[INDEX], "{}"),
                _ => reply(401, &[("www-authenticate", &challenge)], ""),
            }
        })
        .await;
        let client = server.client();
        client.manifest(&server.reference("a:1")).await.unwrap();
        assert!(
            server.log().last().unwrap().ends_with("Bearer t"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn only_a_registrys_own_word_is_a_denial() {
    for (body, own) in [
        (r#"{"errors":[{"code":"DENIED","message":"no"}]}"#, true),
        (r#"{"errors":[{"code":"UNAUTHORIZED"}]}"#, true),
        ("<html>Blocked by the gateway", false),
        ("", false),
    ] {
        let server = Server::of(move |_, _| reply(403, &[], body)).await;
        let error = server
            .client()
            .may_push(&server.reference("a"))
            .await
            .unwrap_err();
        assert!(error.is_denied(), "{error}");
        assert_eq!(error.is_own_denial(), own, "{body}");
    }
}
