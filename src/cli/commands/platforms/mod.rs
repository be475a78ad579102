//! `solvekit platforms`: shows which platforms a builder runs and how; registers and removes
//! emulators.

mod change;
mod print;
mod target;

use crate::cli::args::complete;
use clap::ArgAction;
use futures_util::future::join_all;
use solvekit::client::Worker;
use solvekit::emulation::{self, Ability, Machine, Reason, Trial};
use solvekit::oci::Platform;

use self::target::Target;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::values;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;

/// Common platforms of images, shown in addition to those that the daemon lists.
const USUAL: [&str; 12] = [
    "linux/amd64",
    "linux/386",
    "linux/arm64",
    "linux/arm/v7",
    "linux/arm/v6",
    "linux/arm/v5",
    "linux/ppc64le",
    "linux/s390x",
    "linux/riscv64",
    "linux/mips64le",
    "linux/mips64",
    "linux/loong64",
];

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PlatformsArgs {
    /// Show only these platforms [default: the usual ones, and those that the daemon reports]
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',', add = complete::platforms())]
    platform: Vec<String>,

    /// Run a small program for each platform that the daemon does not report, to be certain; false
    /// skips this
    #[arg(
        long = "try",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        default_value = "true",
        hide_default_value = true,
        value_name = "BOOL",
        action = ArgAction::Set,
        value_parser = values::boolean
    )]
    tries: bool,

    /// First register emulators in the kernel of the builder's machine: all, or architectures such
    /// as arm64,s390x
    #[arg(
        long,
        value_name = "ARCH",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "all",
        value_parser = change::names,
        conflicts_with = "uninstall",
        add = complete::architectures()
    )]
    install: Option<String>,

    /// First remove emulators: architectures, or handler names such as qemu-aarch64 or 'qemu-*'
    #[arg(long, value_name = "ARCH", value_parser = change::names)]
    uninstall: Option<String>,

    /// Take the emulators from this image
    #[arg(long, value_name = "IMAGE", default_value = emulation::IMAGE)]
    image: String,

    /// Print as table, json (one object per line), or with a Go template; "table TEMPLATE" prints
    /// columns
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: String,
}

const EXAMPLES: &str = "\
Examples:
  solvekit platforms
  solvekit platforms --platform linux/arm64,linux/riscv64   these two only
  solvekit platforms --install arm64                        register an emulator first";

/// The result of examining a node.
struct Found<'a> {
    target: &'a Target,
    machine: Option<Machine>,
    rows: Result<Vec<Row>, Failure>,
}

/// A platform of a node.
struct Row {
    platform: Platform,
    ability: Ability,
    is_listed: bool,
    is_given: bool,
    was_tried: bool,
}

pub(crate) async fn cmd_platforms(
    args: &PlatformsArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let format = print::Format::parse(&args.format)?;
    let asked = args.platform.iter().map(|text| Platform::parse(text));
    let asked = asked
        .map(|parsed| parsed.map_err(|error| Failure::from_error(&error)))
        .collect::<Result<Vec<_>, _>>()?;
    let change = change::of(args)?;
    let targets = target::targets(connection, environment).await?;
    if let Some(change) = change {
        change::make(&change, &targets, connection, environment).await?;
    }
    let found = join_all(
        targets
            .iter()
            .map(|target| find(target, &asked, args.tries)),
    )
    .await;
    print::print(&found, &format)
}

/// Examines a node.
async fn find<'a>(target: &'a Target, asked: &[Platform], tries: bool) -> Found<'a> {
    let mut machine = None;
    let rows = async {
        let client = target.client.as_ref().map_err(Failure::clone)?;
        let workers = client.workers().await?;
        machine = emulation::machine_of(client, &workers).await;
        let builder = emulation::Builder {
            listed: listed(&workers),
            machine: machine.clone(),
        };
        let rows = wanted(target, &builder, asked)
            .into_iter()
            .map(|platform| async {
                let ability = builder.ability(&platform);
                let trial = match tries && is_doubtful(&ability) {
                    true => Trial::of(&platform, true),
                    false => None,
                };
                let verdict = match &trial {
                    None => None,
                    Some(trial) => trial.run(client).await?,
                };
                Ok::<_, emulation::Error>(Row {
                    is_listed: builder.listed.contains(&platform.normalized()),
                    is_given: target.given.contains(&platform),
                    was_tried: verdict.is_some(),
                    ability: builder.ability_after(&platform, verdict.as_ref()),
                    platform,
                })
            });
        let rows = join_all(rows).await.into_iter();
        rows.collect::<Result<Vec<_>, _>>().map_err(change::failed)
    };
    let rows = rows.await;
    Found {
        target,
        machine,
        rows,
    }
}

fn listed(workers: &[Worker]) -> Vec<Platform> {
    let mut listed = Vec::new();
    for platform in workers.iter().flat_map(|worker| &worker.platforms) {
        let platform = platform.normalized();
        if !listed.contains(&platform) {
            listed.push(platform);
        }
    }
    listed
}

/// The platforms to show: the requested ones, or else those from the daemon and the user, followed
/// by the common ones.
fn wanted(target: &Target, builder: &emulation::Builder, asked: &[Platform]) -> Vec<Platform> {
    let usual = USUAL.iter().filter_map(|text| Platform::parse(text).ok());
    let all: Vec<Platform> = match asked {
        [] => {
            let known = builder.listed.iter().chain(&target.given).cloned();
            known.chain(usual).collect()
        }
        asked => asked.to_vec(),
    };
    let mut wanted = Vec::new();
    for platform in all.iter().map(Platform::normalized) {
        if !wanted.contains(&platform) {
            wanted.push(platform);
        }
    }
    wanted
}

/// A daemon may have its own emulators, which are not registered with its machine's kernel.
fn is_doubtful(ability: &Ability) -> bool {
    match ability {
        Ability::Native | Ability::Emulated(_) => false,
        Ability::Unknown(_) => true,
        Ability::Impossible(reason) => {
            !matches!(reason, Reason::OperatingSystem { .. } | Reason::Processor)
        }
    }
}
