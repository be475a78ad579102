//! `solvekit history import`: reads, checks and shows a bundle, and passes it to Docker Desktop if
//! it is installed.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use solvekit::bundle::{self, BundledRecord};
use solvekit::files::{read_at_most, take_at_most};

use crate::cli::environment::Environment;
use crate::cli::report::columns::align;
use crate::cli::report::terminal::{print_text, talk};
use crate::cli::report::{Failure, records};

/// Docker Desktop's socket for bundles in WSL.
const WSL: &str = "/mnt/wsl/docker-desktop/shared-sockets/host-services/docker-desktop-build.sock";
/// The same socket below the folder of Docker's configuration.
const DESKTOP: &str = "desktop/docker-desktop-build.sock";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ImportArgs {
    /// Read this bundle; - is stdin; repeatable [default: stdin]
    #[arg(short, long, value_name = "FILE")]
    file: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Example:
  solvekit history import -f build.dockerbuild";

pub(super) async fn cmd_import(
    args: &ImportArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let standard_input = [PathBuf::from("-")];
    let files = match args.file.as_slice() {
        [] => &standard_input[..],
        files => files,
    };
    let desktop = environment.docker_config.as_ref();
    let desktop = desktop.map(|folder| folder.join(DESKTOP));
    let places = [Some(PathBuf::from(WSL)), desktop].into_iter().flatten();
    let desktop = places.into_iter().find(|socket| socket.exists());
    let mut text = String::from("BUILD ID\tSTATUS\tCREATED AT\tDURATION\tPARTS\n");
    let mut notes = String::new();
    for path in files {
        let name = path.display();
        let bytes = read(path)?;
        let found = bundle::read(&bytes);
        let found =
            found.map_err(|error| Failure::from_error(&error).with_prefix(&name.to_string()))?;
        text.extend(found.iter().map(row));
        if let Some(socket) = &desktop {
            let refs = bundle::upload(socket, bytes).await;
            let refs = refs.map_err(|error| Failure::from_error(&error))?;
            let urls = refs.iter();
            notes.extend(
                urls.map(|one| format!("docker-desktop://dashboard/build/.imported/_/{one}\n")),
            );
        }
    }
    print_text(&align(&text, 10, 3))?;
    if desktop.is_none() {
        notes.push_str(
            "There is no Docker Desktop here, which keeps and shows bundles: these were read and \
             checked, and are kept nowhere.\n",
        );
    }
    talk(&format!("\n{notes}"));
    Ok(())
}

/// The size limit of a compressed bundle, in bytes.
const BUNDLE: u64 = 512 << 20;

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = match path.to_str() {
        Some("-") => take_at_most(std::io::stdin().lock(), BUNDLE),
        _ => read_at_most(path, BUNDLE),
    };
    read.map_err(|error| {
        let path = path.display();
        let begin = format!("failed to open file {path}: ");
        let failure = Failure::new(format!("cannot read {path}: {error}"));
        failure.of_missing_file(&begin, path, &error)
    })
}

fn row(record: &BundledRecord) -> String {
    let now = SystemTime::now();
    let age = record.created_at.and_then(|at| now.duration_since(at).ok());
    let duration = match (record.created_at, record.completed_at) {
        (Some(begin), Some(end)) => end.duration_since(begin).unwrap_or_default(),
        _ => std::time::Duration::ZERO,
    };
    format!(
        "{}\t{}\t{} ago\t{}\t{}\n",
        record.build_ref,
        if record.error.is_some() {
            "Error"
        } else {
            "Completed"
        },
        records::age(age.unwrap_or_default()),
        super::record::span(duration),
        record.parts.len()
    )
}
