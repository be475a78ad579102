//! Resolves base images: each image of each platform once, all at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::read::read_ignore_file_of;
use super::{ImageLock, Setting, archive_time};
use crate::causes;
use crate::gateway::{self, Bridge, ImageQuery, OciLayout, SolveOptions, SourceQuery};
use crate::llb::{self, Constraints, MarshalOptions, ResolveMode};
use crate::lock::LookupError;
use crate::oci::{Image, Platform, PlatformMatcher, Reference};
use crate::translate::{
    ImageKind, ImageRequest, LocalContext, NamedContext, ResolvedImage, ResolvedImages,
    SourceRequest, SourceTime,
};

/// The bytes of a download that one call reads; a daemon returns at most 16 MiB.
const READ_AT_ONCE: u64 = 4 << 20;

/// The usual platforms of images, to report what is available if an image lacks the requested one.
const USUAL: &[&str] = &[
    "linux/amd64",
    "linux/arm64",
    "linux/arm/v7",
    "linux/arm/v6",
    "linux/arm/v5",
    "linux/386",
    "linux/ppc64le",
    "linux/s390x",
    "linux/riscv64",
    "linux/mips64le",
    "linux/loong64",
    "windows/amd64",
];

/// Why a base image is not usable; the translation adds the line.
#[derive(Debug, thiserror::Error)]
enum BaseImageError {
    /// The image does not have the platform.
    #[error("{reference} has no image for {platform}; it has {}", list(available))]
    NotForPlatform {
        reference: String,
        platform: String,
        available: Vec<Platform>,
    },
    /// The daemon cannot find the image.
    #[error("{0}")]
    Unresolved(String),
}

/// Resolves images from the lock. Returns the requests that must be looked up.
pub(super) fn from_lock(
    setting: &Setting,
    requests: BTreeSet<ImageRequest>,
    answers: &mut ResolvedImages,
) -> BTreeSet<ImageRequest> {
    let Some(ImageLock {
        lock,
        resolve_missing,
    }) = &setting.lock
    else {
        return requests;
    };
    let default = setting.build_platforms.first();
    let default = default.cloned().unwrap_or_else(Platform::host);
    let mut left = BTreeSet::new();
    for request in requests {
        match lock.answer(&request, &default) {
            // An OCI layout is not in a registry, so its content does not change.
            _ if request.kind != ImageKind::Registry => drop(left.insert(request)),
            Ok(image) => answers.insert(request, image),
            Err(LookupError::Missing { .. } | LookupError::Platform { .. }) if *resolve_missing => {
                left.insert(request);
            }
            Err(error) => answers.insert_failure(request, error.into_failure()),
        }
    }
    left
}

/// Resolves the requested images. A failure is stored too: the translation that needs the image
/// fails with it.
pub(super) async fn resolve(
    bridge: &Bridge,
    setting: &Setting,
    requests: BTreeSet<ImageRequest>,
    answers: &mut ResolvedImages,
) {
    let mut tasks = JoinSet::new();
    for request in from_lock(setting, requests, answers) {
        let (bridge, setting) = (bridge.clone(), setting.clone());
        let span = tracing::info_span!("resolve", image = %request.reference);
        let resolved = async move {
            let answer = setting.found.image(&bridge, &setting, &request).await;
            (request, answer)
        };
        tasks.spawn(resolved.instrument(span));
    }
    for (request, answer) in tasks.join_all().await {
        match answer {
            Found::Image(Ok(image)) => answers.insert(request, image),
            Found::Image(Err(error)) => answers.insert_failure(request, Arc::new(error)),
            Found::Context(context, error) => {
                answers.insert_context(request, context, Arc::new(error));
            }
        }
    }
}

/// Base images that were resolved on one daemon, shared by all jobs on it.
#[derive(Debug, Default)]
pub struct FoundImages(Mutex<BTreeMap<ImageRequest, Arc<OnceCell<ResolvedImage>>>>);

impl FoundImages {
    /// Failures are not cached: the daemon may only have been closing the build that asked.
    async fn image(&self, bridge: &Bridge, setting: &Setting, request: &ImageRequest) -> Found {
        let cell = {
            let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(request.clone()).or_default())
        };
        let resolve = || async {
            match resolve_one(bridge, setting, request).await {
                Found::Image(Ok(image)) => Ok(image),
                other => Err(other),
            }
        };
        match cell.get_or_try_init(resolve).await {
            Ok(image) => Found::Image(Ok(image.clone())),
            Err(other) => other,
        }
    }
}

/// Resolves the time of a source, for `SOURCE_DATE_EPOCH`.
pub(super) async fn resolve_time(
    bridge: &Bridge,
    request: SourceRequest,
    answers: &mut ResolvedImages,
) -> Result<(), gateway::Error> {
    let query = SourceQuery {
        identifier: &request.identifier,
        attrs: request.attributes.iter().cloned().collect(),
        platform: None,
        mode: ResolveMode::Default,
        log_name: &request.log_name,
        commit_object: true,
        ..SourceQuery::default()
    };
    let found = bridge.resolve_source(&query).await?;
    if let Some(git) = found.git.filter(|git| !git.commit_object.is_empty()) {
        answers.insert_time(request.identifier, SourceTime::GitCommit(git.commit_object));
        return Ok(());
    }
    let modified = found.http.and_then(|http| http.last_modified);
    let seconds = modified
        .and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_secs()).ok());
    let seconds = match seconds {
        Some(seconds) => Some(seconds),
        None => time_of_files(bridge, &request).await?,
    };
    answers.insert_time(
        request.identifier,
        seconds.map_or(SourceTime::Unknown, SourceTime::Seconds),
    );
    Ok(())
}

/// Returns the time of a downloaded archive's newest file.
async fn time_of_files(
    bridge: &Bridge,
    request: &SourceRequest,
) -> Result<Option<i64>, gateway::Error> {
    let attribute = |name: &str| {
        let mut attributes = request.attributes.iter();
        attributes.find_map(|(key, value)| (key == name).then_some(value.as_str()))
    };
    let Some(name) = attribute("http.filename").filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    let checksum = attribute("http.checksum").unwrap_or_default();
    let file = llb::Http::named(name).with_checksum(checksum);
    let source = llb::http(&request.identifier, &file, Constraints::new());
    let options = MarshalOptions {
        caps: bridge.capabilities().llb,
        ..MarshalOptions::default()
    };
    // A single source can always be marshalled.
    let Ok(definition) = source.marshal(&options) else {
        return Ok(None);
    };
    let solved = bridge.solve(&definition, &SolveOptions::default()).await?;
    let mut archive = Vec::new();
    loop {
        let start = archive.len() as u64;
        let range = start..start + READ_AT_ONCE;
        let read = bridge.read_file(&solved, name, Some(range)).await?;
        archive.extend_from_slice(&read);
        if (read.len() as u64) < READ_AT_ONCE {
            break;
        }
        if archive.len() as u64 > archive_time::MAX_ARCHIVE {
            return Ok(None);
        }
    }
    let newest = tokio::task::spawn_blocking(move || archive_time::newest_file(&archive)).await;
    Ok(newest.unwrap_or_default())
}

/// An image, or the source that a source policy replaced it with.
enum Found {
    Image(Result<ResolvedImage, BaseImageError>),
    Context(NamedContext, BaseImageError),
}

async fn resolve_one(bridge: &Bridge, setting: &Setting, request: &ImageRequest) -> Found {
    match ask(bridge, request).await {
        Ok(image) => Found::Image(image),
        Err(error @ gateway::Error::NotAnImage { .. }) => replaced(bridge, setting, error).await,
        Err(error) => Found::Image(Err(failed(bridge, request, &error).await)),
    }
}

/// Resolves the replacement that a source policy set for an image. The ignore file applies to a
/// folder.
async fn replaced(bridge: &Bridge, setting: &Setting, error: gateway::Error) -> Found {
    let failure = BaseImageError::Unresolved(error.to_string());
    let gateway::Error::NotAnImage { replacement, .. } = error else {
        return Found::Image(Err(failure));
    };
    let Some(folder) = replacement.strip_prefix("local://") else {
        return Found::Context(NamedContext::Remote(replacement), failure);
    };
    let mut local = LocalContext::new(folder);
    match read_ignore_file_of(bridge, &setting.session_id, folder, &local).await {
        Ok(patterns) => local.exclude_patterns = patterns,
        Err(error) => {
            let message = causes::in_one_line(&error);
            return Found::Image(Err(BaseImageError::Unresolved(message)));
        }
    }
    Found::Context(NamedContext::Local(local), failure)
}

async fn ask(
    bridge: &Bridge,
    request: &ImageRequest,
) -> Result<Result<ResolvedImage, BaseImageError>, gateway::Error> {
    let reference = request.reference.to_string();
    let layout = match &request.kind {
        ImageKind::Registry => None,
        ImageKind::OciLayout {
            session_id,
            store_id,
        } => Some(OciLayout {
            session_id,
            store_id,
        }),
    };
    let found = bridge
        .resolve_image(&ImageQuery {
            reference: &reference,
            platform: request.platform.as_ref(),
            mode: request.mode,
            log_name: &request.log_name,
            layout,
        })
        .await?;
    let invalid = |error: &dyn std::fmt::Display| {
        BaseImageError::Unresolved(format!(
            "the daemon's answer about {reference} is invalid: {error}"
        ))
    };
    let image = ResolvedImage::parse(found.digest, &found.config).map_err(|e| invalid(&e));
    Ok(image.and_then(|mut image| {
        if found.reference != reference {
            image.reference = Some(Reference::parse(&found.reference).map_err(|e| invalid(&e))?);
        }
        Ok(image)
    }))
}

/// Distinguishes an image without the platform from a missing image.
async fn failed(bridge: &Bridge, request: &ImageRequest, error: &gateway::Error) -> BaseImageError {
    let message = error
        .failure()
        .map_or_else(|| error.to_string(), |failure| failure.message.clone());
    match &request.platform {
        Some(platform) if message.contains("no match for platform") => {
            BaseImageError::NotForPlatform {
                reference: request.reference.to_string(),
                platform: platform.to_string(),
                available: available(bridge, request).await,
            }
        }
        _ => BaseImageError::Unresolved(message),
    }
}

/// Returns the usual platforms that the image has. The daemon also accepts compatible ones (386 for
/// amd64), so only exact matches count.
async fn available(bridge: &Bridge, request: &ImageRequest) -> Vec<Platform> {
    let mut tasks = JoinSet::new();
    for (place, platform) in USUAL
        .iter()
        .filter_map(|text| Platform::parse(text).ok())
        .enumerate()
    {
        let bridge = bridge.clone();
        let platform = platform.normalized();
        let request = ImageRequest {
            platform: Some(platform.clone()),
            ..request.clone()
        };
        tasks.spawn(async move {
            let image: ResolvedImage = ask(&bridge, &request).await.ok()?.ok()?;
            is_for(&image.config, &platform).then_some((place, platform))
        });
    }
    let mut found: Vec<(usize, Platform)> = tasks.join_all().await.into_iter().flatten().collect();
    found.sort();
    found.into_iter().map(|(_, platform)| platform).collect()
}

fn is_for(image: &Image, platform: &Platform) -> bool {
    PlatformMatcher::only(platform).rank(&image.platform) == Some(0)
}

fn list(platforms: &[Platform]) -> String {
    if platforms.is_empty() {
        return "none of the usual platforms".to_owned();
    }
    let names: Vec<String> = platforms.iter().map(Platform::to_string).collect();
    names.join(", ")
}
