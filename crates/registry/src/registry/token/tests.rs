//! Token requests against a server in this process that records them.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use super::*;
use crate::registry::RetryPolicy;

/// A request: method, path with query, authorization, body.
type Asked = (Method, String, Option<String>, String);

struct Server {
    realm: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// Starts a server that answers every request with `answer`.
async fn server(answer: fn(&Method) -> (u16, &'static str)) -> Server {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let realm = format!("http://{}/token?keep=1", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let log = Arc::clone(&log);
            let service = service_fn(move |request: Request<Incoming>| {
                respond(request, Arc::clone(&log), answer)
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    Server { realm, asked }
}

async fn respond(
    request: Request<Incoming>,
    log: Arc<Mutex<Vec<Asked>>>,
    answer: fn(&Method) -> (u16, &'static str),
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let authorization = parts
        .headers
        .get("authorization")
        .map(|value| value.to_str().unwrap().to_owned());
    let body = String::from_utf8(body.to_vec()).unwrap();
    let (status, text) = answer(&parts.method);
    log.lock()
        .unwrap()
        .push((parts.method, parts.uri.to_string(), authorization, body));
    Ok(Response::builder()
        .status(status)
        .body(Full::new(text.into()))
        .unwrap())
}

/// A client that may use plain HTTP and does not wait.
fn client() -> TokenClient {
    TokenClient::new(ClientOptions {
        insecure: vec!["r.example".to_owned()],
        retries: RetryPolicy {
            first: Duration::from_millis(1),
            ..RetryPolicy::default()
        },
        ..ClientOptions::default()
    })
}

impl Server {
    async fn fetch(&self, credential: &Credential) -> Result<Token, Error> {
        let request = TokenRequest {
            registry: "r.example".into(),
            realm: self.realm.clone(),
            service: "r.example".into(),
            scopes: vec![
                "repository:a/b:pull".into(),
                "repository:c:pull,push".into(),
            ],
            client_id: "buildkit-client".into(),
        };
        client().fetch(&request, credential).await
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn password() -> Credential {
    Credential {
        username: "me".into(),
        password: Secret::new("s3c&ret"),
        ..Credential::default()
    }
}

const QUERY: &str = "/token?keep=1&service=r.example&scope=repository%3Aa%2Fb%3Apull&scope=repository%3Ac%3Apull%2Cpush";

#[tokio::test]
async fn nobody_in_particular_asks_by_get() {
    let server = server(|_| {
        (
            200,
            r#"{"token":"t","expires_in":300,"issued_at":"2024-01-02T03:04:05Z"}"#,
        )
    })
    .await;
    let token = server.fetch(&Credential::default()).await.unwrap();
    assert_eq!(
        (token.token.expose(), token.expires_in, token.issued_at),
        ("t", 300, Some(1_704_164_645))
    );
    assert_eq!(
        server.asked(),
        [(Method::GET, QUERY.to_owned(), None, String::new())]
    );
}

#[tokio::test]
async fn a_password_goes_by_post() {
    let server = server(|_| {
        (
            200,
            r#"{"access_token":"t","issued_at":"0001-01-01T00:00:00Z"}"#,
        )
    })
    .await;
    let token = server.fetch(&password()).await.unwrap();
    assert_eq!(
        (token.token.expose(), token.expires_in, token.issued_at),
        ("t", 60, None)
    );
    let body = "scope=repository%3Aa%2Fb%3Apull+repository%3Ac%3Apull%2Cpush&service=r.example\
                &client_id=buildkit-client&grant_type=password&username=me&password=s3c%26ret";
    assert_eq!(
        server.asked(),
        [(
            Method::POST,
            "/token?keep=1".to_owned(),
            None,
            body.to_owned()
        )]
    );
}

#[tokio::test]
async fn an_identity_token_is_a_refresh_token() {
    let server = server(|_| (200, r#"{"access_token":"t"}"#)).await;
    let credential = Credential {
        identity_token: Secret::new("it"),
        ..password()
    };
    server.fetch(&credential).await.unwrap();
    assert!(
        server.asked()[0]
            .3
            .ends_with("&grant_type=refresh_token&refresh_token=it")
    );
}

#[tokio::test]
async fn a_server_without_post_is_asked_by_get_with_the_password() {
    let server = server(|method| {
        if method == Method::POST {
            (404, "")
        } else {
            (200, r#"{"token":"t"}"#)
        }
    })
    .await;
    assert_eq!(server.fetch(&password()).await.unwrap().token.expose(), "t");
    let asked = server.asked();
    assert_eq!((&asked[1].0, asked[1].1.as_str()), (&Method::GET, QUERY));
    // me:s3c&ret
    assert_eq!(asked[1].2.as_deref(), Some("Basic bWU6czNjJnJldA=="));
}

#[tokio::test]
async fn a_refusal_says_who_refused_what_and_keeps_the_secret() {
    let server = server(|_| (403, r#"{"errors":[{"message":"no s3c&ret for you"}]}"#)).await;
    let error = server.fetch(&password()).await.unwrap_err().to_string();
    let host = server
        .realm
        .trim_start_matches("http://")
        .trim_end_matches("/token?keep=1");
    let want = format!(
        "{host} refused a token for r.example (repository:a/b:pull repository:c:pull,push): 403 \
         Forbidden: no *** for you"
    );
    assert_eq!(error, want);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_wrong_password_is_refused_after_both_ways() {
    let server = server(|_| (401, r#"{"details":"incorrect username or password"}"#)).await;
    let error = server.fetch(&password()).await.unwrap_err().to_string();
    assert!(
        error.ends_with("401 Unauthorized: incorrect username or password"),
        "{error}"
    );
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn an_answer_without_a_token_is_an_error() {
    let server = server(|_| (200, "<html>")).await;
    assert!(matches!(
        server.fetch(&Credential::default()).await,
        Err(Error::NoToken { .. })
    ));
}

#[tokio::test]
async fn an_unreachable_server_is_named_without_its_address_in_the_cause() {
    let request = TokenRequest {
        registry: "r.example".into(),
        realm: "http://user:s3cret@127.0.0.1:1/token".into(),
        ..TokenRequest::default()
    };
    let error = client()
        .fetch(&request, &Credential::default())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot get a token for r.example from 127.0.0.1:1"
    );
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[tokio::test]
async fn a_registry_token_needs_no_server() {
    let credential = Credential {
        registry_token: Secret::new("rt"),
        ..Credential::default()
    };
    let token = TokenClient::default()
        .fetch(&TokenRequest::default(), &credential)
        .await
        .unwrap();
    assert_eq!((token.token.expose(), token.expires_in), ("rt", 60));
}

#[tokio::test]
async fn an_address_that_is_no_url_is_an_error() {
    let request = TokenRequest {
        registry: "r.example".into(),
        realm: "no url".into(),
        ..TokenRequest::default()
    };
    let error = TokenClient::default()
        .fetch(&request, &Credential::default())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::BadRealm { .. }));
}
