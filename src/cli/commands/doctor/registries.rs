//! Checks logins and the named registries: that they answer, accept the login, and agree about the
//! time.

use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use solvekit::registry::{
    Client, ClientOptions, Credentials, Error, Pong, RetryPolicy, login_key, registry_of_key,
};
use solvekit::text::one_line;
use tokio::time::timeout;

use super::finding::Finding;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;

const LOGINS: &str = "logins";
const REGISTRY: &str = "registry";
const CLOCK: &str = "clock";

const UNREACHABLE: &str =
    "look at the name and at the network; HTTPS_PROXY names a proxy, if one is needed";

const LOCKED: &str =
    "see whether it waits for you to unlock it; solvekit login HOST stores a login again";

/// The largest tolerated clock difference; certificates and tokens have time limits.
const SKEW: Duration = Duration::from_secs(60);

/// The place of the logins, and the availability of credential helpers.
pub(super) async fn logins(environment: &Environment, limit: Duration) -> Vec<Finding> {
    let silent = || Finding::broken(LOGINS, no_answer("a credential helper", limit), LOCKED);
    let found = timeout(limit, of_logins(environment)).await;
    found.unwrap_or_else(|_| vec![silent()])
}

async fn of_logins(environment: &Environment) -> Vec<Finding> {
    let credentials = match environment.credentials() {
        Ok(credentials) => credentials,
        Err(failure) => return vec![Finding::of_failure(LOGINS, &failure)],
    };
    let logins = match credentials.logins().await {
        Ok(logins) => logins,
        Err(error) => return vec![Finding::of_failure(LOGINS, &Failure::from(error))],
    };
    let mut findings: Vec<Finding> = logins
        .helpers
        .iter()
        .map(|helper| match environment.has_program(helper) {
            true => Finding::good(LOGINS, format!("{} keeps them", one_line(helper))),
            false => Finding::broken(
                LOGINS,
                format!("{} keeps them, but is not on PATH", one_line(helper)),
                "install it, or take it out of config.json and log in again: solvekit login HOST",
            ),
        })
        .collect();
    if !logins.in_file.is_empty() {
        let names: Vec<_> = logins.in_file.iter().map(|name| one_line(name)).collect();
        findings.push(Finding::odd(
            LOGINS,
            format!("stored unencrypted: {}", names.join(", ")),
            "a credential helper keeps them safe: https://docs.docker.com/go/credential-store/",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::good(LOGINS, "none is stored"));
    }
    findings
}

/// Contacts each of the registries.
pub(super) async fn check(
    names: &[String],
    reach: &RegistryArgs,
    environment: &Environment,
    limit: Duration,
) -> Vec<Finding> {
    if names.is_empty() {
        return Vec::new();
    }
    let options = ClientOptions {
        retries: RetryPolicy::never(),
        ..reach.options(environment)
    };
    let client = Client::new(Credentials::none().into(), options);
    let credentials = environment.credentials().ok();
    let ask = names.iter().map(async |name| {
        let key = login_key(name);
        let registry = registry_of_key(&key);
        let found = timeout(limit, of_registry(registry, &client, credentials.as_ref())).await;
        found.unwrap_or_else(|_| {
            vec![Finding::broken(
                REGISTRY,
                no_answer(registry, limit),
                UNREACHABLE,
            )]
        })
    });
    join_all(ask).await.into_iter().flatten().collect()
}

async fn of_registry(
    registry: &str,
    client: &Client,
    credentials: Option<&Credentials>,
) -> Vec<Finding> {
    let failed = |error: Error| {
        let fix = unreachable_fix(registry, &error);
        Finding::of_failure(REGISTRY, &Failure::from(error)).or_fix(&fix)
    };
    let pong = match client.ping(registry).await {
        Ok(pong) => pong,
        Err(error) => return vec![failed(error)],
    };
    let clock = of_clock(registry, &pong, SystemTime::now());
    let way = match (pong.is_plain, &pong.proxy) {
        (true, _) => " over plain HTTP".to_owned(),
        (false, Some(proxy)) => format!(" through the proxy {proxy}"),
        (false, None) => String::new(),
    };
    let stored = match credentials {
        Some(credentials) => credentials.get(registry).await,
        None => Ok(solvekit::registry::Credential::default()),
    };
    let answer = match stored {
        Err(error) => failed(error),
        Ok(stored) if stored.is_anonymous() && pong.asks_for_login => Finding::good(
            REGISTRY,
            format!("{registry} answers{way}; no login is stored, so only public images are read"),
        ),
        Ok(stored) if stored.is_anonymous() => Finding::good(
            REGISTRY,
            format!("{registry} answers{way}, without a login"),
        ),
        Ok(stored) => match client.authenticate(registry, &stored).await {
            Ok(true) => Finding::good(
                REGISTRY,
                format!("{registry} answers{way}, and takes the stored login"),
            ),
            Ok(false) => Finding::good(
                REGISTRY,
                format!("{registry} answers{way}; it never asks for the stored login"),
            ),
            Err(Error::LoginRefused { .. } | Error::TokenRefused { .. }) => Finding::broken(
                REGISTRY,
                format!("{registry} refuses the stored login"),
                &format!("log in again: solvekit login {registry}"),
            ),
            Err(error) => failed(error),
        },
    };
    [Some(answer), clock].into_iter().flatten().collect()
}

fn no_answer(who: &str, limit: Duration) -> String {
    format!("{who} does not answer within {} s", limit.as_secs())
}

/// The next step for a registry that cannot be reached.
fn unreachable_fix(registry: &str, error: &Error) -> String {
    match error {
        Error::Unreachable { proxy, .. } if proxy.is_used() => format!(
            "see whether the proxy runs and lets {registry} through; NO_PROXY={registry} goes \
             around it"
        ),
        _ => UNREACHABLE.to_owned(),
    }
}

/// The difference between the clocks, if it matters.
fn of_clock(registry: &str, pong: &Pong, now: SystemTime) -> Option<Finding> {
    let theirs = pong.time?;
    let (apart, which) = match now.duration_since(theirs) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    (apart > SKEW).then(|| {
        Finding::broken(
            CLOCK,
            format!(
                "this clock is {} s {which} that of {registry}",
                apart.as_secs()
            ),
            "set it: certificates and tokens are valid for a time only",
        )
    })
}
