//! Hints for registries that reject a request, and for hosts that are not registries.

use solvekit::imagetools;
use solvekit::oci::Reference;
use solvekit::registry::{Client, Error, Refusal};

use super::failure::with_causes;
use super::usage::Advised as _;
use super::{Failure, buildx_words};

/// Parses the name of an image in an argument.
pub(crate) fn reference(text: &str) -> Result<Reference, Failure> {
    Reference::parse(text).map_err(|error| Failure::from_error(&error))
}

/// The failure of an operation on images in registries.
pub(crate) async fn of_imagetools(client: &Client, error: imagetools::Error) -> Failure {
    match error {
        imagetools::Error::Registry(error) => of_registry(client, error).await,
        imagetools::Error::Copy { to, source } => {
            let failure = Box::pin(of_imagetools(client, *source)).await;
            failure.with_prefix(&format!("cannot push to {to}"))
        }
        error @ imagetools::Error::NoRepository { .. } => {
            let advice = "name it with its repository: REGISTRY/REPOSITORY@DIGEST";
            Failure::from_error(&error).advised(Some(advice.to_owned()))
        }
        error => Failure::from_error(&error)
            .in_buildx(buildx_words::of_imagetools(&error))
            .of_registry(error.kind()),
    }
}

/// The failure of a registry, with a hint: the existing tags, how to log in, or a file to create.
pub(crate) async fn of_registry(client: &Client, error: Error) -> Failure {
    let advice = match &error {
        Error::Refused(refusal) if error.is_not_found() => tags(client, refusal).await,
        error => advice(error),
    };
    let kind = error.kind();
    Failure::from_error(&error)
        .in_buildx(buildx_words::of_registry(&error))
        .advised(advice)
        .of_registry(kind)
}

/// The next step for the user, from the error alone.
pub(crate) fn advice(error: &Error) -> Option<String> {
    let message = with_causes(error);
    match error {
        Error::NotARegistry { host, .. } => Some(format!(
            "a registry's address is HOST[:PORT], without a path; https://{host}/v2/ has to answer \
             as one"
        )),
        Error::Unreachable { registry, .. } if is_plain_http(&message) => Some(format!(
            "{registry} speaks plain HTTP. If that is meant: --insecure-registry {registry}"
        )),
        Error::Unreachable { registry, .. } if message.contains("UnknownIssuer") => Some(format!(
            "the certificate of {registry} is of an authority that this machine does not know. Put \
             that authority's certificate into /etc/docker/certs.d/{registry}/ca.crt (or \
             ~/.config/docker/certs.d/{registry}/ca.crt)"
        )),
        error => error.advice(),
    }
}

/// The registry would reject the push of an image that is being built.
pub(crate) fn push_denied(image: &Reference, error: &Error) -> Failure {
    let message = Failure::from_error(error).into_message();
    let advice = error.advice().unwrap_or_else(|| {
        let registry = image.domain();
        format!("log in with an account that may push to it: solvekit login {registry}")
    });
    Failure::new(format!(
        "the image could not be pushed to {image}: {message}"
    ))
    .advised(Some(advice))
    .of_registry(error.kind())
}

/// True for rustls's message about an answer that is not TLS.
fn is_plain_http(message: &str) -> bool {
    message.contains("InvalidContentType") || message.contains("invalid content type")
}

/// The tags of the repository, if it exists.
async fn tags(client: &Client, refusal: &Refusal) -> Option<String> {
    const SHOWN: usize = 20;
    let name = Reference::parse(&format!("{}/{}", refusal.registry, refusal.repository)).ok()?;
    let tags = client.tags(&name).await.ok()?;
    if tags.is_empty() {
        return None;
    }
    let more = if tags.len() > SHOWN { ", …" } else { "" };
    let shown: Vec<&str> = tags.iter().take(SHOWN).map(String::as_str).collect();
    Some(format!(
        "{} has the tags {}{more}",
        name.name(),
        shown.join(", ")
    ))
}
