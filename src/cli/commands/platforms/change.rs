//! `--install` and `--uninstall` of `solvekit platforms`: change the machine of the builder's
//! Docker Engine.

use std::fs;

use solvekit::builder::Boot;
use solvekit::client::{ConnectOptions, engine_info};
use solvekit::emulation::{self, Change, package_hint};
use solvekit::oci::Reference;

use super::{PlatformsArgs, Target};
use crate::cli::args::connection::{ConnectionArgs, say};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::talk;
use crate::cli::report::usage::BuilderUsage;

/// A change, and the image that performs it.
pub(super) struct Asked {
    change: Change,
    image: Reference,
}

/// Checks a list of architectures, platforms or handlers before it is passed to the program.
pub(super) fn names(text: &str) -> Result<String, String> {
    let is_name = |name: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-./*".contains(c);
        !name.is_empty() && !name.starts_with('-') && name.chars().all(allowed)
    };
    match text.split(',').all(is_name) {
        true => Ok(text.to_owned()),
        false => Err(
            "it is a list of architectures as arm64,s390x, or of handlers as qemu-aarch64"
                .to_owned(),
        ),
    }
}

/// The change that the flags request.
pub(super) fn of(args: &PlatformsArgs) -> Result<Option<Asked>, Failure> {
    let change = match (&args.install, &args.uninstall) {
        (Some(which), _) => Change::Install(which.clone()),
        (None, Some(which)) => Change::Uninstall(which.clone()),
        (None, None) => return Ok(None),
    };
    let image = Reference::parse(&args.image).map_err(|error| Failure::from_error(&error))?;
    Ok(Some(Asked { change, image }))
}

/// Performs the change on the machine of each node, once per engine.
pub(super) async fn make(
    asked: &Asked,
    targets: &[Target],
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let credentials = environment.credentials()?;
    let boot = Boot {
        credentials: Some(&credentials),
        say: &say,
        ..Boot::default()
    };
    let mut done = Vec::new();
    for target in targets {
        let engine = engine(asked, target, connection, environment).await?;
        if done.contains(&engine.address) {
            continue;
        }
        let made = emulation::install(&engine, &asked.image, &asked.change, &boot).await;
        talk(&made.map_err(failed)?);
        done.push(engine.address);
    }
    Ok(())
}

/// The engine on the node's machine.
async fn engine(
    asked: &Asked,
    target: &Target,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<ConnectOptions, Failure> {
    if let Some(engine) = &target.engine {
        return Ok(engine.clone());
    }
    let client = target.client.as_ref().map_err(Failure::clone)?;
    let workers = client.workers().await?;
    let node = &target.node;
    if emulation::machine_of(client, &workers).await.is_none() {
        return Err(BuilderUsage::FarNode {
            node: node.clone(),
            by_hand: by_hand(asked, ""),
        }
        .into());
    }
    let engine = connection.engine(environment)?;
    match engine_info(&engine).await {
        Ok(_) => Ok(engine),
        Err(error) => {
            let os = fs::read_to_string("/etc/os-release").unwrap_or_default();
            Err(BuilderUsage::NoEngine {
                reason: Failure::from_error(&error).into_message(),
                by_hand: by_hand(asked, &os),
            }
            .into())
        }
    }
}

/// The manual steps, if this program does not reach an engine.
fn by_hand(asked: &Asked, os_release: &str) -> String {
    match &asked.change {
        Change::Install(which) if os_release.is_empty() => format!(
            "docker run --privileged --rm {} --install {which}; without Docker {}",
            asked.image.familiar(),
            package_hint("")
        ),
        Change::Install(_) => package_hint(os_release).to_owned(),
        Change::Uninstall(_) => {
            "echo -1 > /proc/sys/fs/binfmt_misc/NAME removes the handler of that name".to_owned()
        }
    }
}

pub(super) fn failed(error: emulation::Error) -> Failure {
    match error {
        emulation::Error::Program { ref output, .. } => {
            let report = output.clone();
            Failure::from_error(&error).report_before(report)
        }
        emulation::Error::Image(error) => error.into(),
        emulation::Error::Client(error) => error.into(),
        error => Failure::from_error(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn only_names_reach_the_program() {
        for good in [
            "all",
            "arm64,s390x",
            "linux/arm64",
            "qemu-*",
            "linux/arm/v7",
        ] {
            assert!(names(good).is_ok(), "{good}");
        }
        for bad in ["", "arm64,", "--mask", "a b", "arm64;ls"] {
            assert!(names(bad).is_err(), "{bad}");
        }
    }
}
