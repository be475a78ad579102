//! Hints for messages of daemons, registries, git and TLS, which have no types. Only this module
//! matches texts.

use solvekit::client::{Code, Failure};

use super::failure::with_causes;
use super::library;
use crate::cli::args::permissions;

/// The text that rejects a registry's redirect to plain HTTP; the daemon's message contains it too.
const DOWNGRADE: &str = " over plain HTTP, which is not allowed for it";

/// The hint for a message of the daemon.
pub(crate) fn for_message(message: &str) -> Option<String> {
    for_text(message, None)
}

/// The hint for an error. If a registry's error is its cause, that knows the registry.
pub(crate) fn for_error(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    for_text(&with_causes(error), library::registry_of(error))
}

fn for_text(message: &str, registry: Option<&str>) -> Option<String> {
    let registry = || registry.map_or_else(|| registry_in(message), str::to_owned);
    for_git(message)
        .or_else(|| for_lock(message))
        .or_else(|| for_transport(message, &registry))
        .or_else(|| for_access(message, &registry))
        .or_else(|| for_unknown_host(message))
        .or_else(|| for_space(message))
        .or_else(|| for_lost_files(message))
        .or_else(|| missing_source(message))
        .or_else(|| missing_base(message))
        .or_else(|| for_limit(message, &registry))
        .or_else(|| refused_entitlement(message))
        .or_else(|| for_rewritten_times(message))
}

/// An engine unpacks the images that it keeps, which is impossible while timestamps are rewritten.
fn for_rewritten_times(message: &str) -> Option<String> {
    const CONFLICT: &str = "\"rewrite-timestamp\" conflicts with \"unpack\"";
    message.contains(CONFLICT).then(|| {
        "the Docker Engine's own builder cannot rewrite the times of images that it keeps; write \
         an archive and push that (-o type=oci,dest=FILE,rewrite-timestamp=true, then solvekit \
         push), or use a builder of the driver docker-container"
            .to_owned()
    })
}

fn for_lock(message: &str) -> Option<String> {
    let is_lock = message.contains("the lock has ") || message.contains("the lock does not have ");
    is_lock.then(|| {
        "bring the lock up to date, for all platforms: solvekit lock --platform … -o FILE; or, in \
         a build, look up what it lacks: --lock-missing=resolve"
            .to_owned()
    })
}

/// The registry has no TLS, or its certificate is not trusted.
fn for_transport(message: &str, registry: &dyn Fn() -> String) -> Option<String> {
    if message.contains("server gave HTTP response to HTTPS client") {
        return Some(plain_http(&registry()));
    }
    if message.contains("InvalidContentType") {
        let registry = registry();
        return Some(format!(
            "{registry} does not speak TLS. If plain HTTP is meant: --insecure-registry {registry}"
        ));
    }
    if let Some((before, _)) = message.split_once(DOWNGRADE) {
        let registry = before
            .rsplit_once(" leads to ")
            .map_or("", |(before, _)| before);
        let registry = registry.rsplit(' ').next().unwrap_or_default();
        return Some(format!(
            "credentials do not go over plain HTTP. If that is meant: --insecure-registry \
             {registry}"
        ));
    }
    if message.contains("invalid peer certificate: UnknownIssuer") {
        return Some(
            "the registry's certificate is of an authority that this machine does not know; \
             install that authority's certificate, put it where docker has it \
             (/etc/docker/certs.d/HOST:PORT/ca.crt), or name its file: SSL_CERT_FILE=ca.pem"
                .to_owned(),
        );
    }
    let is_private = message.contains("certificate signed by unknown authority");
    is_private.then(|| private_ca(&registry()))
}

/// The registry needs other credentials.
fn for_access(message: &str, registry: &dyn Fn() -> String) -> Option<String> {
    const SIGNS: [&str; 6] = [
        "401 Unauthorized",
        "403 Forbidden",
        "insufficient_scope",
        "authorization failed",
        "access denied",
        "no basic auth credentials",
    ];
    let is_denied = SIGNS.iter().any(|sign| message.contains(sign));
    is_denied.then(|| login(&registry(), message))
}

/// The daemon cannot resolve a host name.
fn for_unknown_host(message: &str) -> Option<String> {
    let (before, _) = message.split_once(": no such host")?;
    let (_, lookup) = before.rsplit_once("lookup ")?;
    // Go adds the server that was asked: `lookup HOST on 127.0.0.53:53`.
    let host = lookup.split(' ').next()?;
    Some(format!(
        "the daemon does not find the host {host}: check the name, then the daemon's own network \
         and DNS, which are not those of this machine if it runs elsewhere or in a container"
    ))
}

/// BuildKit keeps such a record if a build ends while the daemon commits the files of a step
/// (`finalize` in its `cache/refs.go`), and gives it to each later build.
fn for_lost_files(message: &str) -> Option<String> {
    let failure = Failure::new(Code::Unknown, message);
    failure.is_of_lost_files().then(|| {
        "the daemon's cache has lost files that this step needs, for example because a build ended \
         while they were being committed. Run the steps of that stage anew once: \
         --no-cache-filter STAGE, or all: --no-cache"
            .to_owned()
    })
}

fn for_space(message: &str) -> Option<String> {
    message.contains("no space left on device").then(|| {
        "the daemon's disk is full: solvekit du shows what its cache holds, solvekit prune removes \
         what no build uses"
            .to_owned()
    })
}

fn for_limit(message: &str, registry: &dyn Fn() -> String) -> Option<String> {
    let signs = ["429 Too Many Requests", "toomanyrequests"];
    let is_limited = signs.iter().any(|sign| message.contains(sign));
    is_limited.then(|| {
        format!(
            "{} limits how often it is asked; log in for a higher limit, or wait and try again",
            registry()
        )
    })
}

/// A source of COPY or ADD is not in the context that the daemon received.
fn missing_source(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("failed to calculate checksum of ref ")?;
    let (_, path) = rest.split_once(": \"")?;
    let (path, _) = path.split_once("\": not found")?;
    Some(format!(
        "{path} is not in the build context, or .dockerignore leaves it out; paths count from the \
         context's root: \
         solvekit context ls"
    ))
}

/// The registry does not have the image of a FROM, or the daemon has lost a part of it.
pub(super) fn missing_base(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("failed to resolve source metadata for ")?;
    let (name, reason) = rest.split_once(": ")?;
    if reason.contains("blob not found") {
        return Some(format!(
            "the daemon knows {name} but has lost a part of it: remove the image there (docker \
             image rm) or its cache (solvekit prune --all), so that it is fetched again"
        ));
    }
    reason.contains("not found").then(|| {
        format!(
            "the registry has no image of that name and tag: look with solvekit imagetools inspect \
             {name}; a private one \
             needs solvekit login"
        )
    })
}

/// The daemon does not allow an entitlement, or a step needs one that the build was not given.
fn refused_entitlement(message: &str) -> Option<String> {
    let name = ["network.host", "security.insecure", "device"]
        .into_iter()
        .find(|name| message.contains(name))?;
    if message.contains("granting entitlement") {
        return Some(permissions::daemon_hint(name));
    }
    let step = format!("{name} is not allowed");
    (message.contains(&step) || message.contains("entitlement") && message.contains("not allowed"))
        .then(|| permissions::hint(name))
}

fn login(registry: &str, message: &str) -> String {
    let what = if message.contains("push") {
        "push to"
    } else {
        "pull from"
    };
    format!("log in with an account that may {what} it: solvekit login {registry}")
}

fn plain_http(registry: &str) -> String {
    format!(
        "{registry} speaks plain HTTP. If that is meant, tell the daemon in buildkitd.toml:\n  \
         [registry.\"{registry}\"]\n    http = true\n\
         or a Docker engine in /etc/docker/daemon.json: {{\"insecure-registries\": \
         [\"{registry}\"]}}"
    )
}

fn private_ca(registry: &str) -> String {
    format!(
        "{registry} has a certificate of an authority that the daemon does not know. Tell it in \
         buildkitd.toml:\n  \
         [registry.\"{registry}\"]\n    ca = [\"/path/ca.pem\"]\n\
         or a Docker engine: put the authority's certificate into \
         /etc/docker/certs.d/{registry}/ca.crt"
    )
}

/// The host in the first URL of a message, or of `failed to push HOST/…`.
fn registry_in(message: &str) -> String {
    let after = [
        "https://",
        "http://",
        "failed to push ",
        "failed to resolve source metadata for ",
    ]
    .iter()
    .find_map(|start| message.split_once(start).map(|(_, rest)| rest));
    let host: String = after
        .unwrap_or("the registry")
        .chars()
        .take_while(|c| !matches!(c, '/' | '"' | ' ' | '?' | ','))
        .collect();
    if after.is_none() {
        "the registry".to_owned()
    } else {
        host
    }
}

/// True if git had no token but the server needs one.
pub(crate) fn wants_login(message: &str) -> bool {
    let signs = ["could not read Username for", "could not read Password for"];
    signs.iter().any(|sign| message.contains(sign))
}

/// The credentials or access that git lacks, according to its message.
pub(crate) fn for_git(message: &str) -> Option<String> {
    let says = |signs: &[&str]| signs.iter().any(|sign| message.contains(sign));
    let text = if wants_login(message) {
        "the git server wants a login: give a token with --secret \
         id=GIT_AUTH_TOKEN,env=GIT_AUTH_TOKEN or \
         --secret id=GIT_AUTH_TOKEN,src=FILE (for one server only: id=GIT_AUTH_TOKEN.HOST; for a \
         whole header: \
         id=GIT_AUTH_HEADER); a variable of the environment is used only when --secret names it"
    } else if says(&["Authentication failed for", "HTTP Basic: Access denied"]) {
        "the git server does not take the token of the secret GIT_AUTH_TOKEN (or the header of \
         GIT_AUTH_HEADER): give one \
         that may read this repository"
    } else if says(&[
        "ssh forward key",
        "no SSH key",
        "no ssh handler",
        "was not given to this build",
    ]) {
        "git over ssh uses your SSH agent: start one, `ssh-add` a key, and build with --ssh default"
    } else if says(&[
        "Permission denied (publickey",
        "Too many authentication failures",
    ]) {
        "the git server takes none of the keys: `ssh-add` one that may read this repository, and \
         build with --ssh default"
    } else if says(&["does not contain ref", "couldn't find remote ref"]) {
        "a branch, tag or commit comes after #, a folder after that: URL#main:folder"
    } else {
        return None;
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests;
