//! Checks before a push that the user may write to the names of `-t`. It runs beside the build, so
//! it takes no extra time; a refusal stops the build early.

use std::net::IpAddr;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use solvekit::client::{Address, Endpoint};
use solvekit::oci::Reference;
use solvekit::progress::Writer;
use solvekit::registry::{Client, Error};

use crate::cli::report::Failure;
use crate::cli::report::registry_failure::push_denied;

/// Returns only if a registry refuses one of the images. For an unreachable registry it prints a
/// warning: the daemon, which may be on another machine, will try anyway.
pub(crate) async fn refused(images: Vec<Reference>, client: &Client, progress: Writer) -> Failure {
    let ask = |image: Reference| async move {
        let asked = client.may_push(&image).await;
        (image, asked)
    };
    let mut answers: FuturesUnordered<_> = images.into_iter().map(ask).collect();
    while let Some((image, asked)) = answers.next().await {
        match asked {
            Err(error) if error.is_own_denial() => return push_denied(&image, &error),
            Err(error @ Error::Unreachable { .. }) => {
                let text = Failure::from_error(&error).into_message();
                if ["dns error", "Connection refused", "unreachable"]
                    .iter()
                    .any(|sign| text.contains(sign))
                {
                    let warning = "WARNING: the image is to be pushed there, and from here one";
                    progress.note(format!("{warning} {text}"));
                }
            }
            // If the daemon gets the same answer, it reports it.
            Ok(()) | Err(_) => {}
        }
    }
    std::future::pending().await
}

/// The same for a daemon that may be one of several, whose result this client pushes.
pub(crate) fn askable_of(images: Vec<Reference>, daemon: Option<&Address>) -> Vec<Reference> {
    askable(images, daemon.unwrap_or(&Address::Docker(None)))
}

/// The repositories that this client can check: on a remote daemon, `localhost` means another
/// machine.
fn askable(images: Vec<Reference>, daemon: &Address) -> Vec<Reference> {
    let is_here = match daemon {
        Address::Buildkit(endpoint) | Address::Docker(Some(endpoint)) => match endpoint {
            Endpoint::Unix(_) | Endpoint::Pipe(_) => true,
            Endpoint::Tcp { host, .. } => is_this_machine(host),
            Endpoint::Process(_) => false,
        },
        Address::Docker(None) => true,
        Address::Container { .. } => false,
    };
    let mut images: Vec<Reference> = images
        .into_iter()
        .filter(|image| is_here || !is_this_machine(image.domain()))
        .collect();
    images.sort_by_key(|image| (image.domain().to_owned(), image.path().to_owned()));
    images.dedup_by_key(|image| (image.domain().to_owned(), image.path().to_owned()));
    images
}

/// True for `localhost` or a loopback address, with or without a port; an IPv6 address with a port
/// is in brackets.
fn is_this_machine(host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return address.is_loopback();
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distant_daemon_has_another_localhost() {
        let images = || {
            [
                "localhost:5000/a:1",
                "localhost:5000/a:2",
                "[::1]:5000/b",
                "host.test/c",
            ]
            .map(|text| Reference::parse(text).unwrap())
            .to_vec()
        };
        let asked = |address: &str| {
            let asked = askable(images(), &Address::parse(address).unwrap());
            asked.iter().map(Reference::to_string).collect::<Vec<_>>()
        };
        assert_eq!(asked("tcp://far.test:1234"), ["host.test/c"]);
        for near in [
            "unix:///run/b.sock",
            "docker://",
            "tcp://127.0.0.1:1",
            "tcp://[::1]:1",
        ] {
            assert_eq!(
                asked(near),
                ["[::1]:5000/b", "host.test/c", "localhost:5000/a:1"],
                "{near}"
            );
        }
    }
}
