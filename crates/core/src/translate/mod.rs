//! Translates a Dockerfile and base image configs to LLB and an image config, for one platform.
//! Pure: no I/O.
//!
//! [`translate`] follows BuildKit v0.32's own Dockerfile frontend vertex by vertex, so that caches
//! are shared with every other client. It fetches nothing: [`Outcome::NeedsImages`] names the base
//! images whose configs are missing, and the caller calls it again with [`ResolvedImages`] that
//! have them. Triggers (ONBUILD) of base images can require several rounds.

mod answer;
mod arguments;
mod attributes;
mod base;
mod build_args;
mod context;
mod env_positions;
mod epoch;
mod error;
mod finish;
mod git_url;
mod graph;
mod images;
mod instruction;
mod lint;
mod named_context;
mod names;
mod onbuild;
mod options;
mod outline;
mod plan;
mod problem;
mod reason;
mod remote;
mod scope;
mod stage;
mod start;
mod targets;
mod url;

pub use attributes::{
    AttestationError, Attestations, AttributeError, Attributes, CacheImport, Sbom,
    UnsupportedCapability,
};
#[doc(hidden)]
pub use context::scoped;
pub use epoch::Epoch;
pub use error::{Error, Suggestion};
pub use images::{
    ImageFailure, ImageKind, ImageRequest, ResolvedImage, ResolvedImages, SourceRequest, SourceTime,
};
#[doc(hidden)]
pub use options::{Context, LocalContext, NamedContext, NoCache, Options};
pub use outline::{Outline, OutlineArg, OutlineItem};
pub use problem::{ContextProblem, EpochProblem, GitUrlProblem, PortProblem};
pub use reason::Reason;
#[doc(hidden)]
pub use remote::{RemoteKind, git_with_fragment, remote_kind};

use std::sync::Arc;

use self::lint::Lint;
use self::plan::{Purpose, go_through};
use crate::dockerfile::{Dockerfile, Linter};
use crate::llb::{Definition, State};
use crate::oci::{Image, Platform};

/// The outcome of a translation: a result, or missing information. The caller must handle every
/// case, so the list is closed.
#[derive(Clone, Debug)]
pub enum Outcome<T = Translation> {
    /// These images must be resolved first.
    NeedsImages(Vec<ImageRequest>),
    /// The time of this source must be resolved first.
    NeedsTime(SourceRequest),
    /// The translation is complete.
    Done(Box<T>),
}

/// A translated Dockerfile.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Translation {
    /// The definition for the daemon to solve.
    pub definition: Definition,
    /// The result's file system, for use in other graphs.
    pub state: State,
    /// The result's image config.
    pub image: Image,
    /// The unchanged config of the base image; none for scratch.
    pub base_image: Option<Arc<Image>>,
    /// The platform of the result: the requested one, else the worker's.
    pub platform: Platform,
    /// The time of `SOURCE_DATE_EPOCH`.
    pub epoch: Option<Epoch>,
    /// True if cached results are not used for the target or for a stage to scan.
    pub ignore_cache: bool,
    /// The states that an SBOM scanner scans besides the result: stages by name, and the context.
    pub sbom_extras: Vec<(String, State)>,
}

/// Translates `dockerfile` for one platform.
///
/// ```
/// use solvekit_core::translate::{Options, Outcome, ResolvedImages, translate};
///
/// let dockerfile = solvekit_core::dockerfile::parse(b"FROM scratch\nCOPY . /\n")?;
/// let outcome = translate(&dockerfile, &Options::default(), &ResolvedImages::new())?;
/// let Outcome::Done(done) = outcome else {
///     panic!("nothing to resolve");
/// };
/// assert_eq!(done.definition.vertices().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error`] with the lines of the fault.
pub fn translate(
    dockerfile: &Dockerfile,
    options: &Options,
    images: &ResolvedImages,
) -> Result<Outcome, Error> {
    let mut lint = Lint::new(None);
    let planned = go_through(dockerfile, options, images, &mut lint, Purpose::Build)?;
    planned.and_then(finish::finish)
}

/// Like [`translate`], but also reports lint findings to `linter`. Only [`Outcome::Done`] reports
/// findings.
///
/// # Errors
/// [`Error`] with the lines of the fault.
pub fn translate_and_lint(
    dockerfile: &Dockerfile,
    options: &Options,
    images: &ResolvedImages,
    linter: &mut Linter,
) -> Result<Outcome, Error> {
    let before = linter.clone();
    let mut lint = Lint::new(Some(linter));
    let planned = go_through(dockerfile, options, images, &mut lint, Purpose::Build)?;
    rewind(&planned, linter, before);
    planned.and_then(finish::finish)
}

/// Dispatches the Dockerfile as a build would, all stages if no target is named, and reports to
/// `linter`. No graph is made.
///
/// # Errors
/// [`Error`] with the lines of the fault; also if the findings' rules fail the build.
pub fn check(
    dockerfile: &Dockerfile,
    options: &Options,
    images: &ResolvedImages,
    linter: &mut Linter,
) -> Result<Outcome<()>, Error> {
    let before = linter.clone();
    let mut lint = Lint::new(Some(linter));
    let planned = go_through(dockerfile, options, images, &mut lint, Purpose::Check)?;
    rewind(&planned, linter, before);
    planned.and_then(|_| Ok(()))
}

/// Dispatches the Dockerfile as a build would, and lists the inputs of a build of the target.
///
/// # Errors
/// [`Error`] with the lines of the fault.
pub fn outline(
    dockerfile: &Dockerfile,
    options: &Options,
    images: &ResolvedImages,
) -> Result<Outcome<Outline>, Error> {
    let mut lint = Lint::new(None);
    let planned = go_through(dockerfile, options, images, &mut lint, Purpose::Outline)?;
    planned.and_then(|plan| Ok(outline::outline(&plan)))
}

/// Like [`outline()`], but also reports lint findings to `linter`.
///
/// # Errors
/// [`Error`] with the lines of the fault; also if the findings' rules fail the build.
pub fn outline_and_lint(
    dockerfile: &Dockerfile,
    options: &Options,
    images: &ResolvedImages,
    linter: &mut Linter,
) -> Result<Outcome<Outline>, Error> {
    let before = linter.clone();
    let mut lint = Lint::new(Some(linter));
    let planned = go_through(dockerfile, options, images, &mut lint, Purpose::Outline)?;
    rewind(&planned, linter, before);
    planned.and_then(|plan| Ok(outline::outline(&plan)))
}

/// Drops the findings of an incomplete attempt: the next one reports them again.
fn rewind<T>(planned: &Outcome<T>, linter: &mut Linter, before: Linter) {
    if !matches!(planned, Outcome::Done(_)) {
        *linter = before;
    }
}

impl<T> Outcome<T> {
    /// Converts the result.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::NeedsImages(requests) => Outcome::NeedsImages(requests),
            Self::NeedsTime(request) => Outcome::NeedsTime(request),
            Self::Done(done) => Outcome::Done(Box::new(change(*done))),
        }
    }

    fn and_then<U>(self, next: impl FnOnce(T) -> Result<U, Error>) -> Result<Outcome<U>, Error> {
        Ok(match self {
            Self::NeedsImages(requests) => Outcome::NeedsImages(requests),
            Self::NeedsTime(request) => Outcome::NeedsTime(request),
            Self::Done(done) => Outcome::Done(Box::new(next(*done)?)),
        })
    }
}

#[cfg(test)]
mod tests;
