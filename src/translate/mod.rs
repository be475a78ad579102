//! Instructions and base image configs to LLB and an image config, for one platform. Pure: no I/O.
//!
//! [`translate`] follows BuildKit v0.32's own Dockerfile frontend vertex by vertex, so that caches are shared with every
//! other client. It never fetches: [`Outcome::NeedsImages`] names the base images whose configs are missing, and the caller
//! asks again with them in [`ResolvedImages`]. Triggers (ONBUILD) of base images can make it ask more than once.

mod add;
mod answer;
mod arguments;
mod attributes;
mod base;
mod chmod;
mod config;
mod context;
mod copy;
mod dispatch;
mod epoch;
mod error;
mod expose;
mod finish;
mod git_url;
mod go_format;
mod graph;
mod images;
mod lint;
mod names;
mod onbuild;
mod options;
mod remote;
mod run;
mod run_mounts;
mod scope;
mod stage;
mod system_path;
mod transfer;
mod url;
mod variables;
mod workdir;

pub use attributes::{AttributeError, Attributes};
pub use epoch::Epoch;
pub use error::{Error, Reason, Suggestion};
pub use images::{
    ImageFailure, ImageKind, ImageRequest, ResolvedImage, ResolvedImages, SourceRequest, SourceTime,
};
pub use options::{Context, LocalContext, NamedContext, NoCache, Options};

use std::sync::Arc;

use self::lint::Lint;
use crate::dockerfile::{Dockerfile, Linter};
use crate::llb::{Definition, State};
use crate::oci::{Image, Platform};

/// How far a translation came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// These images have to be known first.
    NeedsImages(Vec<ImageRequest>),
    /// The time of this source has to be known first.
    NeedsTime(SourceRequest),
    /// It is done.
    Done(Box<Translation>),
}

/// A translated Dockerfile.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Translation {
    /// What the daemon solves.
    pub definition: Definition,
    /// The result's file system, to be used in other graphs.
    pub state: State,
    /// The result's image config.
    pub image: Image,
    /// The base image's config as it was found; none for scratch.
    pub base_image: Option<Arc<Image>>,
    /// The platform that was built for: the one asked for, else the worker's.
    pub platform: Platform,
    /// The time of `SOURCE_DATE_EPOCH`.
    pub epoch: Option<Epoch>,
    /// Cached results are not used for the target or a stage to scan.
    pub ignore_cache: bool,
    /// What an SBOM scanner looks at besides the result: stages by name, and the context.
    pub sbom_extras: Vec<(String, State)>,
}

/// Translates `dockerfile` for one platform.
///
/// ```
/// use solvekit::translate::{Options, Outcome, ResolvedImages, translate};
///
/// let dockerfile = solvekit::dockerfile::parse(b"FROM scratch\nCOPY . /\n")?;
/// let Outcome::Done(done) = translate(&dockerfile, &Options::default(), &ResolvedImages::new())? else {
///     panic!("nothing to resolve");
/// };
/// assert_eq!(done.definition.vertices().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error`] with the lines that it is about.
pub fn translate(
    dockerfile: &Dockerfile,
    options: &Options,
    images: &ResolvedImages,
) -> Result<Outcome, Error> {
    run(dockerfile, options, images, &mut Lint::new(None))
}

/// As [`translate`], and reports to `linter` what is better avoided. An outcome that needs something reports nothing.
///
/// # Errors
/// [`Error`] with the lines that it is about.
pub fn translate_and_lint(
    dockerfile: &Dockerfile,
    options: &Options,
    images: &ResolvedImages,
    linter: &mut Linter,
) -> Result<Outcome, Error> {
    let before = linter.clone();
    let outcome = run(dockerfile, options, images, &mut Lint::new(Some(linter)));
    if matches!(outcome, Ok(Outcome::NeedsImages(_) | Outcome::NeedsTime(_))) {
        *linter = before;
    }
    outcome
}

fn run(
    dockerfile: &Dockerfile,
    options: &Options,
    images: &ResolvedImages,
    lint: &mut Lint<'_>,
) -> Result<Outcome, Error> {
    let mut scope = scope::Scope::new(dockerfile, options, images, lint)?;
    if let Some(request) = epoch::resolve(&mut scope)? {
        return Ok(Outcome::NeedsTime(request));
    }
    let mut stages = graph::stages(&scope, lint)?;
    let target = graph::target(&scope, &stages)?;
    graph::link(&scope, &mut stages)?;
    let bases = base::resolve(&scope, lint, &mut stages, target)?;
    if !bases.missing.is_empty() {
        return Ok(Outcome::NeedsImages(bases.missing));
    }
    for id in 0..stages.len() {
        let needed =
            bases.reachable.get(id).copied().unwrap_or(false) && !stages[id].progress.dispatched;
        if needed || options.all_stages {
            dispatch::stage(&scope, lint, &mut stages, id)?;
        }
    }
    lint.check()?;
    finish::finish(&scope, &mut stages, target, &bases)
}
