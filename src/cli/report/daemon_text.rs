//! What to do next, by the words of daemons, registries, git and TLS: they have no types.
//! Nothing else matches texts.

use crate::cli::args::permissions;

/// How a registry's way to plain HTTP is refused; it comes back in the daemon's message, too.
const DOWNGRADE: &str = " over plain HTTP, which is not allowed for it";

/// The hint for a message of the daemon.
pub(crate) fn for_message(message: &str) -> Option<String> {
    if let Some(hint) = for_git(message) {
        return Some(hint);
    }
    if message.contains("server gave HTTP response to HTTPS client") {
        return Some(plain_http(&registry_in(message)));
    }
    if message.contains("the lock has ") || message.contains("the lock does not have ") {
        return Some(
            "bring the lock up to date, for all platforms: solvekit lock --platform … -o FILE; or, \
             in a build, look up \
             what it lacks: --lock-missing=resolve"
                .to_owned(),
        );
    }
    if message.contains("InvalidContentType") && message.contains("cannot reach the registry ") {
        let registry = registry_in(message);
        let registry = registry.trim_end_matches(':');
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
             install that authority's \
             certificate, put it where docker has it (/etc/docker/certs.d/HOST:PORT/ca.crt), or \
             name its file: SSL_CERT_FILE=ca.pem"
                .to_owned(),
        );
    }
    if message.contains("certificate signed by unknown authority") {
        return Some(private_ca(&registry_in(message)));
    }
    if [
        "401 Unauthorized",
        "403 Forbidden",
        "insufficient_scope",
        "authorization failed",
        "access denied",
        "no basic auth credentials",
    ]
    .iter()
    .any(|sign| message.contains(sign))
    {
        return Some(login(&registry_in(message), message));
    }
    if message.contains("no space left on device") {
        return Some(
            "the daemon's disk is full: solvekit du shows what its cache holds, solvekit prune \
             removes what no build uses"
                .to_owned(),
        );
    }
    if let Some(hint) = missing_source(message).or_else(|| missing_base(message)) {
        return Some(hint);
    }
    if message.contains("429 Too Many Requests") || message.contains("toomanyrequests") {
        return Some(format!(
            "{} limits how often it is asked; log in for a higher limit, or wait and try again",
            registry_in(message)
        ));
    }
    if let Some(name) = refused_entitlement(message) {
        return Some(name);
    }
    None
}

/// A file that COPY or ADD names is not in the context that the daemon got.
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

/// The registry does not have the image of a FROM.
fn missing_base(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("failed to resolve source metadata for ")?;
    let (name, reason) = rest.split_once(": ")?;
    reason.contains("not found").then(|| {
        format!(
            "the registry has no image of that name and tag: look with solvekit imagetools inspect \
             {name}; a private one \
             needs solvekit login"
        )
    })
}

/// The daemon allows an entitlement to nobody, or a step uses one that the build was not given.
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
    let refused = [" does not give ", " does not take ", " does not let "];
    let before = refused.iter().find_map(|verb| message.split_once(verb));
    if let Some((before, _)) = before {
        return before
            .rsplit(' ')
            .next()
            .unwrap_or("the registry")
            .to_owned();
    }
    let after = [
        "https://",
        "http://",
        "cannot reach the registry ",
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

pub(crate) fn full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// True if git was given no token, and the server wants one.
pub(crate) fn wants_login(message: &str) -> bool {
    let signs = ["could not read Username for", "could not read Password for"];
    signs.iter().any(|sign| message.contains(sign))
}

/// What git wants to have, by what it says.
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
mod tests {
    use super::*;

    #[test]
    fn full_disks_missing_files_and_missing_images_get_a_next_step() {
        let cases = [
            (
                "write /var/lib/x: no space left on device",
                "solvekit prune",
            ),
            (
                "failed to compute cache key: failed to calculate checksum of ref \
                 a::b: \"/x.txt\": not found",
                "/x.txt is not in the build context",
            ),
            (
                "failed to resolve source metadata for docker.io/library/nope:1: \
                 docker.io/library/nope:1: not found",
                "imagetools inspect docker.io/library/nope:1;",
            ),
        ];
        for (message, part) in cases {
            let hint = for_message(message).unwrap();
            assert!(hint.contains(part), "{hint}");
        }
        assert_eq!(for_message("not found"), None);
    }

    #[test]
    fn plain_http_registries_get_their_configuration_lines() {
        let hint = for_message(
            "failed to do request: Head \"https://reg.example:5000/v2/a/manifests/1\": http: \
             server \
             gave HTTP response to HTTPS client",
        );
        assert!(
            hint.unwrap()
                .contains("[registry.\"reg.example:5000\"]\n    http = true")
        );
    }

    #[test]
    fn refused_pushes_name_the_registry_to_log_in_to() {
        let hint = for_message(
            "failed to push ghcr.io/a/b:1: unexpected status from HEAD request: 401 Unauthorized",
        );
        assert_eq!(
            hint.unwrap(),
            "log in with an account that may push to it: solvekit login ghcr.io"
        );
    }

    #[test]
    fn what_is_not_known_gets_no_hint() {
        assert_eq!(for_message("exit code: 1"), None);
    }

    #[test]
    fn a_git_server_s_refusal_says_what_to_give() {
        let hint = |message: &str| for_git(message).unwrap();
        let no_token = "fatal: could not read Username for 'https://h': terminal prompts disabled";
        assert!(hint(no_token).contains("--secret id=GIT_AUTH_TOKEN"));
        assert!(hint("git@h: Permission denied (publickey).").contains("ssh-add"));
        assert!(hint("no SSH key \"default\" forwarded").contains("--ssh default"));
        assert!(for_git("exit code: 1").is_none());
    }
}
