//! `solvekit imagetools create`: makes an image from other images.

use std::path::PathBuf;

use clap::ArgAction;
use solvekit::files::read_at_most;
use solvekit::imagetools::{self, Annotation, CreateRequest, Location, Source, create};
use solvekit::oci::Platform;
use solvekit::progress;
use solvekit::template::Json;

use crate::cli::args::complete;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::push::PushRetryArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::args::{places, values};
use crate::cli::commands::build;
use crate::cli::environment::Environment;
use crate::cli::report::registry_failure::of_imagetools;
use crate::cli::report::terminal::{print_data, warn};
use crate::cli::report::usage::ImageUsage;
use crate::cli::report::{Failure, buildx_values, display};

/// The size limit of a source argument, in bytes: a name, a digest or a descriptor.
const PART: u64 = 8 << 20;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CreateArgs {
    /// The images to combine: names, oci-layout://PATH[:TAG][@DIGEST], digests, or descriptors as
    /// JSON
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,

    /// Read a source from this file: a name, a digest, or a descriptor as JSON; repeatable
    #[arg(short, long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Name the new image: NAME, or oci-layout://PATH[:TAG] for a folder; repeatable
    #[arg(short, long = "tag", value_name = "NAME")]
    tags: Vec<String>,

    /// Keep the images that the first name already points to
    #[arg(long)]
    append: bool,

    /// Print the new index instead of pushing it
    #[arg(long)]
    dry_run: bool,

    /// Include only these platforms, for example linux/amd64,linux/arm64; repeatable
    #[arg(
        short,
        long = "platform",
        value_name = "PLATFORMS",
        value_delimiter = ',', add = complete::platforms())]
    platforms: Vec<Platform>,

    /// Add an annotation: index:KEY=VALUE, manifest-descriptor:KEY=VALUE or
    /// manifest-descriptor[PLATFORM]:KEY=VALUE; repeatable
    #[arg(long = "annotation", value_name = "ANNOTATION")]
    annotations: Vec<String>,

    /// Create an index even for a single image; false copies that image unchanged
    #[arg(
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        default_value = "true",
        value_name = "BOOL",
        action = ArgAction::Set,
        value_parser = values::boolean
    )]
    prefer_index: bool,

    /// Write the new image's descriptor and name to this file, as JSON
    #[arg(long, value_name = "FILE")]
    metadata_file: Option<PathBuf>,

    #[command(flatten)]
    progress: display::ProgressArgs,

    #[command(flatten)]
    registries: RegistryArgs,

    #[command(flatten)]
    retries: PushRetryArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit imagetools create -t app:1 app:1-amd64 app:1-arm64          one index of two images
  solvekit imagetools create --append -t app:1 app:1-riscv64           a further platform
  solvekit imagetools create -t registry.example.com/app:1 ghcr.io/me/app:1
      copy to another registry
  solvekit imagetools create -t app:1 oci-layout://amd64 oci-layout://arm64
      of what builds left here
  solvekit imagetools create -t oci-layout://out:1 ghcr.io/me/app:1    to a folder
  solvekit imagetools create --dry-run app:1 --platform linux/arm64    what would be pushed";

pub(super) async fn cmd_create(
    args: &CreateArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let request = args.request()?;
    let mode = display::mode(&args.progress.mode, false, environment)?;
    if let Some(path) = &args.metadata_file {
        places::ready("--metadata-file", path)?;
    }
    let client = args
        .registries
        .client_of_builder(&args.retries, connection, environment)?;
    let created = match create(&client, request).await {
        Ok(created) => created,
        Err(error) => return Err(of_imagetools(&client, error).await),
    };
    if created.is_unannotated() {
        warn(
            "the annotations are left out: docker's manifest lists have none, and these manifests \
             are all docker's",
        );
    }
    if let Some(warning) = args.repeated(&created.repeated_platforms()) {
        warn(&warning);
    }
    if args.dry_run {
        return print_data(&[created.bytes(), &b"\n"[..]].concat());
    }
    let (writer, updates) = progress::channel();
    let sink = args.progress.open(mode)?;
    let shown = display::start_alone(mode, sink, "Pushing", environment, updates);
    let pushed = created.push(&writer).await;
    drop(writer);
    shown.end().await;
    if let Err(error) = pushed {
        return Err(of_imagetools(&client, error).await);
    }
    if let Some(path) = &args.metadata_file {
        let text = created.metadata().to_json(Json::Indented);
        build::write_file(path, text.as_bytes())?;
    }
    Ok(())
}

impl CreateArgs {
    /// A platform that occurs twice: which image is used would be undefined.
    fn repeated(&self, platforms: &[Platform]) -> Option<String> {
        if platforms.is_empty() {
            return None;
        }
        let platforms: Vec<String> = platforms.iter().map(ToString::to_string).collect();
        let platforms = platforms.join(", ");
        let replace = match (self.append, self.tags.first()) {
            (true, Some(tag)) => format!(
                ". To replace the old one, leave out --append and name all parts: \
                 solvekit imagetools create -t {tag} PARTS-THAT-STAY@DIGEST… NEW-PART"
            ),
            _ => String::new(),
        };
        Some(format!(
            "the index has several images for {platforms}, and which one is pulled is not defined\
             {replace}"
        ))
    }

    fn request(&self) -> Result<CreateRequest, Failure> {
        if self.sources.is_empty() && self.files.is_empty() {
            return Err(ImageUsage::NoSource.into());
        }
        if self.tags.is_empty() && !self.dry_run {
            return Err(ImageUsage::NoName.into());
        }
        let tags = self.tags.iter().map(|tag| Location::parse(tag));
        let tags: Result<Vec<Location>, _> = tags.collect();
        let tags = tags.map_err(|error| Failure::from_error(&error))?;
        let mut sources = Vec::new();
        if let Some(first) = tags.first().filter(|_| self.append) {
            sources.push(Source::Name(first.clone()));
        }
        for path in &self.files {
            let text = read_at_most(path, PART).map_err(|error| {
                let failure = Failure::new(format!("cannot read {}: {error}", path.display()));
                failure.of_missing_file("", path.display(), &error)
            })?;
            let text = String::from_utf8_lossy(&text);
            sources.push(
                Source::parse(&text)
                    .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?,
            );
        }
        for text in &self.sources {
            sources.push(Source::parse(text).map_err(|error| Failure::from_error(&error))?);
        }
        let mut annotations = Vec::new();
        for text in self.annotations.iter().filter(|text| !text.is_empty()) {
            let parsed = Annotation::parse(text).map_err(|error| match error {
                imagetools::Error::Annotation { input, reason } => {
                    let words = buildx_values::of_created_annotation(&input, &reason);
                    let failure = Failure::new(format!("invalid --annotation {input:?}: {reason}"));
                    failure.in_buildx(words)
                }
                error => Failure::from_error(&error),
            });
            annotations.extend(parsed?);
        }
        Ok(CreateRequest {
            sources,
            tags,
            annotations,
            platforms: self.platforms.clone(),
            prefer_index: self.prefer_index,
        })
    }
}
