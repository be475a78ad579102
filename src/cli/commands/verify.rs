//! `solvekit verify`: checks that a build is reproducible. It is built twice without cache, or once
//! to be compared with an image, and the differences are shown.

mod locked;

use std::fs;
use std::path::{Path, PathBuf};

use solvekit::diff::{ImageDiff, compare};
use solvekit::files::random_name;
use solvekit::oci::Digest;
use solvekit::pipeline::Folders;
use solvekit::registry::Client;
use solvekit::transfer::{Place, Source};
use solvekit_host::files::make_private_folder;

use super::build::BuildArgs;
use super::build::again::{Again, Once};
use super::image::diff::{Form, ShownArgs, not_comparable, open};
use super::transfers::failed;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::interrupt;
use crate::cli::report::Failure;
use crate::cli::report::failure::EXIT_DIFFERENT;
use crate::cli::report::terminal::{print_json, print_text, talk};
use crate::cli::report::usage::VerifyUsage;
use crate::cli::report::verification::{Against, Settings, Verification};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = EXAMPLES)]
pub(crate) struct VerifyArgs {
    /// Build once, and compare with this image: a name in a registry, or a place as in image copy
    #[arg(help_heading = VERIFY, long, value_name = "IMAGE")]
    against: Option<String>,

    /// Build twice from the base images of this lock, and name those that have moved since
    #[arg(
        help_heading = VERIFY,
        long,
        value_name = "FILE",
        conflicts_with_all = ["against", "lock"]
    )]
    against_lock: Option<PathBuf>,

    /// Keep what was built in this folder, as an OCI layout
    #[arg(help_heading = VERIFY, long, value_name = "FOLDER")]
    keep: Option<PathBuf>,

    #[command(flatten, next_help_heading = VERIFY)]
    shown: ShownArgs,

    #[command(flatten)]
    build: BuildArgs,
}

const VERIFY: &str = "Comparison";

const EXAMPLES: &str = "\
Examples:
  SOURCE_DATE_EPOCH=0 solvekit verify -o type=image,rewrite-timestamp=true .
      build twice; are the images the same, byte for byte?
  solvekit verify --ignore-times .
      the same without a look at times: what else differs?
  solvekit verify --against registry.example.com/app:1.0 --lock solvekit.lock .
      build once from the locked base images; is it what was pushed?
  solvekit verify --against-lock solvekit.lock .
      build twice from the locked base images; do they determine the image?

Takes the flags of build. All steps run; nothing is pushed, loaded or named, and attestations and
caches are left out. The exit code is 0 if the build is reproducible, 1 if it is not, and 2 (or 100,
102 or 130, as for build) if it could not be built or compared.";

pub(crate) async fn cmd_verify(
    mut args: VerifyArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    if let Some(path) = &args.against_lock {
        args.build.use_lock(path.clone());
    }
    let verified = verify(&args, connection, environment).await;
    let (text, reproducible) = verified.map_err(Failure::no_difference)?;
    match args.shown.format {
        Form::Text => print_text(&text),
        Form::Json => print_json(&text),
    }
    .map_err(Failure::no_difference)?;
    match reproducible {
        true => Ok(()),
        false => Err(Failure::silent(EXIT_DIFFERENT)),
    }
}

/// Builds and compares. Returns the output.
async fn verify(
    args: &VerifyArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(String, bool), Failure> {
    let cancelled = interrupt::token()?;
    let layout = Folder::new(args.keep.as_deref())?;
    let client = args.build.registries.client(environment)?;
    // Open the image first: a wrong name is reported before anything is built.
    let against = match &args.against {
        Some(name) => Some(interrupt::unless(&cancelled, open(name, &client)).await?),
        None => None,
    };
    let preparing = Again::prepare(
        &args.build,
        &layout.path,
        connection,
        &cancelled,
        environment,
    );
    let again = preparing.await?;
    // A cancelled build ends by itself and releases its resources on the daemon.
    let mut builds = Vec::new();
    let count = if against.is_some() { 1 } else { 2 };
    for number in 1..=count {
        if again.shows_text() && count > 1 {
            talk(&format!("build {number} of {count}, without cache\n"));
        }
        builds.push(again.build().await?);
    }
    let comparing = compared(args, &layout, against.as_ref(), &builds, &client);
    let diff = interrupt::unless(&cancelled, comparing).await?;
    let lock = again.request().lock.as_ref();
    let lock = lock.filter(|_| args.against_lock.is_some());
    let moved = match lock {
        Some(lock) => {
            interrupt::unless(&cancelled, async {
                Ok(locked::moved(&lock.lock, &client).await)
            })
            .await?
        }
        None => Vec::new(),
    };
    let verification = Verification {
        against: match (&args.against, &args.against_lock) {
            (Some(name), _) => Against::Image(name),
            (None, Some(path)) => Against::Lock(path),
            (None, None) => Against::Build,
        },
        moved,
        reproducible: is_reproducible(&diff, against.is_some()),
        settings: Settings::of(again.request(), args.shown.ignore_times),
        dockerfile: again.dockerfile(),
        cached: builds.iter().flat_map(|build| &build.cached).collect(),
        kept: args.keep.as_deref(),
        diff: &diff,
    };
    let text = match args.shown.format {
        Form::Text => verification.text(),
        Form::Json => format!("{:#}\n", verification.json()),
    };
    Ok((text, verification.reproducible))
}

/// Compares the two builds, or the image with the only build. All layers are examined: their
/// differences may have different causes.
async fn compared(
    args: &VerifyArgs,
    layout: &Folder,
    against: Option<&Source>,
    builds: &[Once],
    client: &Client,
) -> Result<ImageDiff, Failure> {
    let mut sources = Vec::new();
    for build in builds {
        sources.push(layout.image(&build.digest, client).await?);
    }
    let (left, right) = match (against, sources.as_slice()) {
        (Some(image), [build]) => (image, build),
        (_, [first, second]) => (first, second),
        _ => return Err(VerifyUsage::NoDigest.into()),
    };
    let mut options = args.shown.options();
    options.all_layers = true;
    let diff = compare(left, right, &options).await;
    diff.map_err(|error| not_comparable(&error))
}

/// Platforms of the image that were not built do not count.
fn is_reproducible(diff: &ImageDiff, against_an_image: bool) -> bool {
    match against_an_image {
        false => diff.same,
        true => {
            diff.index.is_empty()
                && diff.only_right.is_empty()
                && !diff.platforms.is_empty()
                && diff.platforms.iter().all(|platform| platform.same)
        }
    }
}

/// The folder that the images are exported to. It is removed at the end, unless it should be kept.
struct Folder {
    path: PathBuf,
    is_kept: bool,
}

impl Folder {
    fn new(keep: Option<&Path>) -> Result<Self, Failure> {
        let path = match keep {
            Some(path) => path.to_owned(),
            None => {
                let parent = Folders::from_environment().temporary;
                let parent = parent.ok_or(VerifyUsage::NoTemporaryFolder)?;
                let name = random_name("solvekit-verify".as_ref());
                let name = name.map_err(|error| Failure::from_error(&error))?;
                parent.join(name)
            }
        };
        let made = make_private_folder(&path);
        match (made, keep) {
            (Ok(()), _) => {}
            (Err(error), Some(_)) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                let is_empty = fs::read_dir(&path).is_ok_and(|mut files| files.next().is_none());
                if !is_empty {
                    return Err(VerifyUsage::FolderIsFull(path).into());
                }
            }
            (Err(source), _) => return Err(VerifyUsage::Folder { path, source }.into()),
        }
        Ok(Self {
            path,
            is_kept: keep.is_some(),
        })
    }

    /// An image in the folder.
    async fn image(&self, digest: &Digest, client: &Client) -> Result<Source, Failure> {
        let place = Place::Layout {
            path: self.path.clone(),
            tag: None,
            digest: Some(digest.clone()),
        };
        let source = Source::open(&place, client).await;
        source.map_err(|error| failed(&error))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_kept {
            // The operating system cleans up whatever is left.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_removed_unless_it_is_to_be_kept() {
        let folder = Folder::new(None).unwrap();
        let path = folder.path.clone();
        fs::write(path.join("index.json"), "{}").unwrap();
        drop(folder);
        assert!(!path.exists());
        let parent = tempfile::tempdir().unwrap();
        let keep = parent.path().join("kept");
        drop(Folder::new(Some(&keep)).unwrap());
        drop(Folder::new(Some(&keep)).unwrap());
        fs::write(keep.join("file"), "").unwrap();
        let full = Folder::new(Some(&keep)).err().unwrap();
        assert!(
            full.message().contains("is not empty"),
            "{}",
            full.message()
        );
        assert!(keep.join("file").exists());
    }
}
