//! Registries that try to send credentials to wrong hosts, over real sockets with TLS.

use super::*;
use crate::registry::test_server::{Reply, Server, reply};
use crate::registry::{BlobSource, Credential, Secret, TokenClient, TokenRequest};

const BASIC: (&str, &str) = ("www-authenticate", "Basic realm=\"r\"");
/// `me:secret`.
const LOGIN: &str = "Basic bWU6c2VjcmV0";

fn is_known(request: &http::Request<Bytes>) -> bool {
    request.headers().contains_key("authorization")
}

fn bearer(realm: &str) -> String {
    format!("Bearer realm=\"{realm}\",service=\"s\"")
}

fn hello() -> Descriptor {
    Descriptor::of("a/b", b"hello")
}

/// Demands a login from anonymous clients, then redirects to the given place.
fn leading_to(place: String) -> impl Fn(&http::Request<Bytes>, usize) -> Reply + Clone {
    move |request, _| match is_known(request) {
        false => reply(401, &[BASIC], ""),
        true => reply(307, &[("location", place.as_str())], ""),
    }
}

fn is_downgrade(error: &Error, host: &str) -> bool {
    matches!(error, Error::Downgrade { host: told, .. } if told == host)
}

#[tokio::test]
async fn a_redirect_from_tls_to_plain_http_is_refused() {
    let plain = Server::of(|_, _| reply(200, &[], "hello")).await;
    let server = Server::tls(leading_to(format!("http://{}/x", plain.registry))).await;
    let client = server.client();
    let of = server.reference("a");
    for error in [
        client.small_blob(&of, &hello()).await.unwrap_err(),
        client.manifest(&of).await.unwrap_err(),
        client.has_blob(&of, &hello().digest).await.unwrap_err(),
        client.tags(&of).await.unwrap_err(),
    ] {
        assert!(is_downgrade(&error, &plain.registry), "{error}");
    }
    assert!(plain.log().is_empty(), "{:?}", plain.log());
    let mut options = server.options();
    options.insecure = vec![server.registry.clone()];
    let client = server.client_with(options);
    assert_eq!(client.small_blob(&of, &hello()).await.unwrap(), "hello");
    assert_eq!(plain.log(), ["GET /x "]);
}

#[tokio::test]
async fn an_upload_location_in_plain_http_is_refused() {
    let plain = Server::of(|_, _| reply(201, &[], "")).await;
    let place = format!("http://{}/up", plain.registry);
    let server = Server::tls(move |request, _| match request.method().as_str() {
        "POST" => reply(202, &[("location", place.as_str())], ""),
        _ => reply(404, &[], ""),
    })
    .await;
    let source = BlobSource::Bytes(Bytes::from_static(b"hello"));
    let client = server.client();
    let to = server.reference("a");
    let pushed = client.push_blob(&to, &hello(), &source, None).await;
    let error = pushed.unwrap_err();
    assert!(is_downgrade(&error, &plain.registry), "{error}");
    let error = client.may_push(&to).await.unwrap_err();
    assert!(is_downgrade(&error, &plain.registry), "{error}");
    assert!(plain.log().is_empty(), "{:?}", plain.log());
}

#[tokio::test]
async fn a_token_server_in_plain_http_is_not_asked() {
    let plain = Server::of(|_, _| reply(200, &[], r#"{"token":"t"}"#)).await;
    let challenge = bearer(&format!("http://{}/token", plain.registry));
    let server = Server::tls(move |request, _| match is_known(request) {
        false => reply(401, &[("www-authenticate", challenge.as_str())], ""),
        true => reply(200, &[("content-type", media_type::OCI_INDEX)], "{}"),
    })
    .await;
    for client in [server.client(), server.anonymous()] {
        let error = client.manifest(&server.reference("a")).await.unwrap_err();
        assert!(is_downgrade(&error, &plain.registry), "{error}");
    }
    let login = Credential::of_user("me", Secret::new("secret"));
    let checked = server.client().authenticate(&server.registry, &login).await;
    assert!(is_downgrade(&checked.unwrap_err(), &plain.registry));
    assert!(plain.log().is_empty(), "{:?}", plain.log());
    let mut options = server.options();
    options.insecure = vec![server.registry.clone()];
    let allowed = server.client_with(options);
    allowed.manifest(&server.reference("a")).await.unwrap();
    assert_eq!(plain.log(), ["POST /token "]);
}

#[tokio::test]
async fn storage_that_asks_who_one_is_gets_no_answer() {
    let tokens = Server::tls(|_, _| reply(200, &[], r#"{"token":"t"}"#)).await;
    let challenge = bearer(&format!("https://{}/token", tokens.registry));
    let storage =
        Server::of(move |_, _| reply(401, &[("www-authenticate", challenge.as_str())], "")).await;
    let place = format!("http://{}/x", storage.registry);
    let server = Server::of(move |request, _| match request.method().as_str() {
        _ if !is_known(request) => reply(401, &[BASIC], ""),
        "POST" => reply(202, &[("location", place.as_str())], ""),
        "HEAD" => reply(404, &[], ""),
        _ => reply(307, &[("location", place.as_str())], ""),
    })
    .await;
    let client = server.client();
    let of = server.reference("a");
    let error = client.small_blob(&of, &hello()).await.unwrap_err();
    assert!(error.is_denied(), "{error}");
    let source = BlobSource::Bytes(Bytes::from_static(b"hello"));
    let pushed = client.push_blob(&of, &hello(), &source, None).await;
    assert!(pushed.unwrap_err().is_denied());
    assert!(tokens.log().is_empty(), "{:?}", tokens.log());
    assert!(
        storage.log().iter().all(|line| line.ends_with(' ')),
        "{:?}",
        storage.log()
    );
    // The registry's own authorization is still valid.
    let asked = server.log().len();
    client.small_blob(&of, &hello()).await.unwrap_err();
    assert_eq!(
        server.log()[asked..],
        [format!("GET /v2/a/blobs/{} {LOGIN}", hello().digest)]
    );
}

#[tokio::test]
async fn another_port_of_the_same_host_is_another_host() {
    let other = Server::tls(|_, _| reply(200, &[], "hello")).await;
    let server = Server::tls(leading_to(format!("https://{}/x", other.registry))).await;
    let mut options = server.options();
    options.certificates.extend(other.options().certificates);
    let client = server.client_with(options);
    client
        .small_blob(&server.reference("a"), &hello())
        .await
        .unwrap();
    assert_eq!(other.log(), ["GET /x "]);
}

#[tokio::test]
async fn a_token_server_does_not_pass_credentials_on() {
    let elsewhere = Server::tls(|_, _| reply(200, &[], r#"{"token":"t"}"#)).await;
    let places = [
        format!("https://{}/token", elsewhere.registry),
        "/other".to_owned(),
    ];
    let plain = Server::of(|_, _| reply(200, &[], r#"{"token":"t"}"#)).await;
    let to_plain = format!("http://{}/token", plain.registry);
    let server = Server::tls(move |request, _| {
        let place = match request.uri().path() {
            "/away" => &places[0],
            "/here" => &places[1],
            "/down" => &to_plain,
            _ => return reply(200, &[], r#"{"token":"t"}"#),
        };
        reply(307, &[("location", place.as_str())], "")
    })
    .await;
    let mut options = server.options();
    options
        .certificates
        .extend(elsewhere.options().certificates);
    let tokens = TokenClient::new(options);
    let password = Credential::of_user("me", Secret::new("secret"));
    let identity = Credential {
        identity_token: Secret::new("secret"),
        ..Credential::default()
    };
    let fetch = async |path: &str, credential: &Credential| {
        let request = TokenRequest {
            registry: server.registry.clone(),
            realm: format!("https://{}{path}", server.registry),
            ..TokenRequest::default()
        };
        tokens.fetch(&request, credential).await
    };
    for credential in [&password, &identity] {
        let error = fetch("/away", credential).await.unwrap_err();
        assert!(matches!(error, Error::TokenRedirect { .. }), "{error}");
        let error = fetch("/down", credential).await.unwrap_err();
        assert!(is_downgrade(&error, &plain.registry), "{error}");
    }
    assert!(elsewhere.log().is_empty() && plain.log().is_empty());
    assert_eq!(fetch("/here", &password).await.unwrap().token.expose(), "t");
    assert_eq!(server.log().last().unwrap(), "POST /other ");
    // An anonymous request may be redirected.
    fetch("/away", &Credential::default()).await.unwrap();
    assert_eq!(elsewhere.log(), ["GET /token "]);
}

#[tokio::test]
async fn what_is_trusted_for_a_registry_is_trusted_for_its_token_server() {
    let tokens = Server::tls(|_, _| reply(200, &[], r#"{"token":"t"}"#)).await;
    let challenge = bearer(&format!("https://{}/token", tokens.registry));
    let server = Server::of(move |request, _| match is_known(request) {
        false => reply(401, &[("www-authenticate", challenge.as_str())], ""),
        true => reply(200, &[("content-type", media_type::OCI_INDEX)], "{}"),
    })
    .await;
    // The token server's authority is trusted under the registry's name only.
    let folder = tempfile::tempdir().unwrap();
    let authority = tokens.options().certificates[0].join(&tokens.registry);
    let own = folder.path().join(&server.registry);
    std::fs::create_dir(&own).unwrap();
    std::fs::copy(authority.join("ca.crt"), own.join("ca.crt")).unwrap();
    let mut options = server.options();
    let unknown = server.client().manifest(&server.reference("a")).await;
    assert!(
        matches!(unknown, Err(Error::TokenServer { .. })),
        "{unknown:?}"
    );
    options.certificates = vec![folder.path().to_owned()];
    let client = server.client_with(options);
    client.manifest(&server.reference("a")).await.unwrap();
}

#[tokio::test]
async fn endless_answers_are_refused_with_their_limit() {
    let large = "x".repeat(9 << 20);
    let server = Server::of(move |request, _| match request.uri().path() {
        "/token" => reply(200, &[], &large),
        _ => reply(200, &[("content-type", media_type::OCI_INDEX)], &large),
    })
    .await;
    let request = TokenRequest {
        registry: server.registry.clone(),
        realm: format!("http://{}/token", server.registry),
        ..TokenRequest::default()
    };
    let tokens = TokenClient::new(server.options());
    let error = tokens
        .fetch(&request, &Credential::default())
        .await
        .unwrap_err();
    let limit = |error: &Error| match error {
        Error::TooLarge { limit, .. } => *limit,
        other => panic!("{other}"),
    };
    assert_eq!(limit(&error), 1 << 20);
    let error = server
        .client()
        .manifest(&server.reference("a"))
        .await
        .unwrap_err();
    assert_eq!(limit(&error), 8 << 20);
}
