//! The daemon that a build would use: the nodes of the builder, or the one at a default address.

use solvekit::builder::{Builder, Error, Report, Status};
use solvekit::client::Client;
use solvekit::oci::Platform;

use super::finding::Finding;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::builder_platforms::{marked, shortened};

const DAEMON: &str = "daemon";
const PLATFORMS: &str = "platforms";

pub(super) async fn check(connection: &ConnectionArgs, environment: &Environment) -> Vec<Finding> {
    match look(connection, environment).await {
        Ok(findings) => findings,
        Err(failure) => vec![Finding::of_failure(DAEMON, &failure).or_fix(ANOTHER)],
    }
}

async fn look(
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<Vec<Finding>, Failure> {
    let Some((builders, builder)) = connection.builder_of(environment)? else {
        return match connection.connect_existing(environment).await? {
            Some(client) => of_client(&client).await,
            None => Ok(vec![Finding::good(DAEMON, STARTED)]),
        };
    };
    let reports = builders.reports(&builder, connection.limits()).await;
    let nodes = builder.nodes.iter().zip(reports);
    let findings = nodes.flat_map(|(node, report)| of_node(&builder, &node.name, report));
    Ok(findings.collect())
}

/// A daemon without a builder.
async fn of_client(client: &Client) -> Result<Vec<Finding>, Failure> {
    let workers = client.workers().await?;
    let mut platforms: Vec<Platform> = Vec::new();
    for platform in workers.iter().flat_map(|worker| &worker.platforms) {
        let platform = platform.normalized();
        if !platforms.contains(&platform) {
            platforms.push(platform);
        }
    }
    Ok(vec![
        Finding::good(
            DAEMON,
            format!("{} at {}", client.name().await, client.address().in_words()),
        ),
        of_platforms("it", &platforms),
    ])
}

fn of_node(builder: &Builder, node: &str, report: Result<Report, Error>) -> Vec<Finding> {
    let name = format!("builder {} ({}), node {node}", builder.name, builder.driver);
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            let failure = Failure::from(error).with_prefix(&name);
            return vec![Finding::of_failure(DAEMON, &failure).or_fix(ANOTHER)];
        }
    };
    match report.status {
        Status::Running => vec![
            Finding::good(
                DAEMON,
                format!("{name} runs {}", described(&report.version)),
            ),
            of_platforms(node, &report.platforms),
        ],
        // The first build starts them.
        _ if matches!(
            builder.driver.as_str(),
            "docker-container" | "kubernetes" | "local"
        ) =>
        {
            let text = format!("{name} is not running; the next build starts it");
            vec![Finding::odd(
                DAEMON,
                text,
                &format!(
                    "solvekit inspect --bootstrap {} starts it now",
                    builder.name
                ),
            )]
        }
        _ => vec![Finding::broken(
            DAEMON,
            format!("{name} does not answer"),
            "start the daemon, or choose another builder: solvekit ls",
        )],
    }
}

fn described(version: &str) -> String {
    match version {
        "" => "a BuildKit that does not tell its version".to_owned(),
        version => format!("BuildKit {version}"),
    }
}

/// The platforms that the daemon reports.
fn of_platforms(node: &str, platforms: &[Platform]) -> Finding {
    let text = format!("{node} builds for {}", shortened(&marked(&[], platforms)));
    let mut architectures = platforms.iter().map(|platform| &platform.architecture);
    let foreign = match architectures.next() {
        // An amd64 machine also runs 386 natively.
        Some(own) => architectures.any(|other| other != own && other != "386"),
        None => return Finding::broken(PLATFORMS, format!("{node} builds for nothing"), CHECK),
    };
    match foreign {
        true => Finding::good(PLATFORMS, text),
        false => Finding::odd(PLATFORMS, format!("{text}: no emulator is known"), EMULATE),
    }
}

const ANOTHER: &str = "choose another builder (solvekit ls), or name a daemon: --addr ADDRESS";
const STARTED: &str = "none is running; a build starts buildkitd, which is on PATH, for itself";
const CHECK: &str = "look at its workers: solvekit workers";
const EMULATE: &str = "solvekit platforms tries each; solvekit platforms --install adds emulators";
