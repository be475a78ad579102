//! Named build contexts: they replace a stage or image, or serve as a source of copies.

use std::sync::Arc;

use super::context;
use super::error::Error;
use super::git_url;
use super::images::{Answer, ImageKind, ImageRequest, Needs};
use super::options::{LocalContext, NamedContext};
use super::problem::ContextProblem;
use super::reason::Reason;
use super::scope::Scope;
use super::targets;
use crate::llb::{self, Constraints, Deferred, Local, ResolveMode, State};
use crate::oci::{Digest, Image, Platform, Reference};
use crate::text::redact_url;

/// Returns the context of this name, with the key it was found under; `name::platform` is looked up
/// first.
pub(super) fn named<'a>(
    scope: &Scope<'a>,
    name: &str,
    platform: Option<&Platform>,
) -> Result<Option<Named<'a>>, Error> {
    if name.eq_ignore_ascii_case("scratch") || name.eq_ignore_ascii_case("context") {
        return Ok(None);
    }
    find(scope, name, platform.or(scope.options.platform.as_ref()))
}

/// A named context with the key it was found under.
pub(super) type Named<'a> = (String, &'a NamedContext);

/// Like [`named`], for `SOURCE_DATE_EPOCH=NAME`, where the reference has no platform to build for.
pub(super) fn named_for_epoch<'a>(
    scope: &Scope<'a>,
    name: &str,
) -> Result<Option<Named<'a>>, Error> {
    find(scope, name, None)
}

fn find<'a>(
    scope: &Scope<'a>,
    name: &str,
    platform: Option<&Platform>,
) -> Result<Option<Named<'a>>, Error> {
    let refused = |source| {
        Error::from(Reason::ContextName {
            name: name.to_owned(),
            source,
        })
    };
    let contexts = &scope.options.contexts;
    if contexts.is_empty() {
        return Reference::check(name).map(|()| None).map_err(refused);
    }
    let reference = Reference::parse(name).map_err(refused)?;
    let familiar = reference.familiar();
    let short = familiar.strip_suffix(":latest").unwrap_or(&familiar);
    let platform = platform.map_or_else(Platform::host, Platform::normalized);
    let with_platform = format!("{short}::{}", platform.format_all());
    let found = [with_platform.as_str(), short]
        .into_iter()
        .find_map(|name| contexts.get_key_value(name));
    Ok(found.map(|(name, context)| (name.clone(), context)))
}

/// A named context that is ready to be used, or the information it needs first.
pub(super) enum Loaded {
    Ready {
        state: State,
        image: Option<Arc<Image>>,
        /// A local folder whose used paths are set later.
        pending: Option<PendingLocal>,
    },
    Needs(Needs),
}

/// A local folder that is used before its used paths are known.
pub(super) struct PendingLocal {
    source: Deferred,
    name: String,
    context: LocalContext,
}

impl PendingLocal {
    /// Sets the used paths of the folder.
    pub(super) fn finish(&self, scope: &Scope<'_>, follow_paths: Vec<String>) {
        let transfer = Local {
            session: context::session(scope, &self.context),
            shared_key_hint: format!("context:{}-{}", self.name, self.context.shared_key),
            exclude_patterns: self.context.exclude_patterns.clone(),
            follow_paths,
            ..Local::default()
        };
        let constraints =
            Constraints::new().named(format!("[context {}] load from client", self.name));
        self.source
            .resolve(&llb::local(&self.context.name, &transfer, constraints));
    }
}

/// Loads a named context.
pub(super) fn load(
    scope: &Scope<'_>,
    name: &str,
    context: &NamedContext,
    platform: Option<&Platform>,
) -> Result<Loaded, Error> {
    let wanted = Wanted {
        platform: platform.or(scope.options.platform.as_ref()),
        mode: scope.options.resolve_mode,
        replaced: 0,
    };
    wanted.load(scope, name, context)
}

/// Like [`load`], for `SOURCE_DATE_EPOCH=NAME`, where the reference resolves images without a
/// platform.
pub(super) fn load_for_epoch(
    scope: &Scope<'_>,
    name: &str,
    context: &NamedContext,
) -> Result<Loaded, Error> {
    let wanted = Wanted {
        platform: None,
        mode: ResolveMode::Default,
        replaced: 0,
    };
    wanted.load(scope, name, context)
}

/// The most times that policies may replace one context.
const MAX_REPLACED: usize = 10;

/// The options for loading a context.
#[derive(Clone, Copy)]
struct Wanted<'w> {
    platform: Option<&'w Platform>,
    mode: ResolveMode,
    /// The number of times that policies have replaced it.
    replaced: usize,
}

impl Wanted<'_> {
    fn load(self, scope: &Scope<'_>, name: &str, context: &NamedContext) -> Result<Loaded, Error> {
        match context {
            NamedContext::Target { state, image } => Ok(Loaded::Ready {
                state: (**state).clone(),
                image: image.clone(),
                pending: None,
            }),
            NamedContext::Stage(stage) => targets::load(scope, name, stage),
            NamedContext::Local(context) => {
                let source = Deferred::new();
                let state = source.state();
                let pending = PendingLocal {
                    source,
                    name: name.to_owned(),
                    context: context.clone(),
                };
                Ok(Loaded::Ready {
                    state,
                    image: None,
                    pending: Some(pending),
                })
            }
            NamedContext::Remote(specifier) => self.load_remote(scope, name, specifier),
        }
    }

    fn load_remote(self, scope: &Scope<'_>, name: &str, specifier: &str) -> Result<Loaded, Error> {
        let ready = |state| Loaded::Ready {
            state,
            image: None,
            pending: None,
        };
        if git_url::parse(specifier).is_some() {
            return remote_state(scope, name, specifier).map(ready);
        }
        match split(name, specifier)? {
            ("docker-image", "scratch") => Ok(ready(State::scratch())),
            ("docker-image", reference) => self.load_image(scope, name, reference),
            ("oci-layout", reference) => load_layout(scope, name, reference, self.platform),
            _ => remote_state(scope, name, specifier).map(ready),
        }
    }

    fn load_image(self, scope: &Scope<'_>, name: &str, specifier: &str) -> Result<Loaded, Error> {
        let reference = Reference::parse(specifier)
            .map_err(|error| unusable(name, ContextProblem::Image(error)))?
            .with_default_tag();
        let request = ImageRequest {
            reference,
            platform: self.platform.cloned(),
            mode: self.mode,
            kind: ImageKind::Registry,
            log_name: format!("[context {name}] load metadata for {specifier}"),
        };
        let resolved = match scope.images.answer(&request) {
            None => return Ok(Loaded::Needs(Needs::Images(vec![request]))),
            Some(Answer::Failure(failure)) => {
                return Err(unusable(name, ContextProblem::Unresolved(failure.clone())));
            }
            Some(Answer::Context(..)) if self.replaced == MAX_REPLACED => {
                return Err(unusable(name, ContextProblem::ReplacedTooOften));
            }
            Some(Answer::Context(context, _)) => {
                let again = Self {
                    replaced: self.replaced + 1,
                    ..self
                };
                return again.load(scope, name, context);
            }
            Some(Answer::Image(resolved)) => resolved,
        };
        let reference = resolved.reference.as_ref().unwrap_or(&request.reference);
        let constraints = on(
            Constraints::new().named(format!("[context {name}] {specifier}")),
            self.platform,
        );
        let state = llb::image(&reference.to_string(), ResolveMode::Default, constraints);
        let state = state.with_environment_of(&resolved.config);
        Ok(Loaded::Ready {
            state,
            image: Some(resolved.config.clone()),
            pending: None,
        })
    }
}

/// Splits a specifier into its kind and the rest.
fn split<'s>(name: &str, specifier: &'s str) -> Result<(&'s str, &'s str), Error> {
    let (kind, rest) = specifier.split_once(':').ok_or_else(|| {
        unusable(
            name,
            ContextProblem::NoKind {
                specifier: specifier.to_owned(),
            },
        )
    })?;
    let kind = if kind.starts_with("git@") {
        "git"
    } else {
        kind
    };
    Ok((kind, rest.strip_prefix("//").unwrap_or(rest)))
}

fn unusable(name: &str, reason: ContextProblem) -> Error {
    Reason::NamedContext {
        name: name.to_owned(),
        reason,
    }
    .into()
}

fn load_layout(
    scope: &Scope<'_>,
    name: &str,
    specifier: &str,
    platform: Option<&Platform>,
) -> Result<Loaded, Error> {
    let (store, digest) = specifier.split_once('@').ok_or_else(|| {
        let specifier = specifier.to_owned();
        unusable(name, ContextProblem::NoDigest { specifier })
    })?;
    let digest =
        Digest::parse(digest).map_err(|error| unusable(name, ContextProblem::Image(error)))?;
    let store = match store.rsplit_once(':') {
        Some((store, tag)) if !tag.contains('/') => store,
        _ => store,
    };
    let short = name.split_once("::").map_or(name, |(short, _)| short);
    let reference = Reference::parse(short)
        .map_err(|error| unusable(name, ContextProblem::Image(error)))?
        .with_digest(digest);
    let session_id = &scope.options.session_id;
    let kind = ImageKind::OciLayout {
        session_id: session_id.clone(),
        store_id: store.to_owned(),
    };
    let log_name = format!("[context {name}] load metadata for {reference}");
    let request = ImageRequest {
        reference,
        platform: platform.cloned(),
        mode: ResolveMode::Default,
        kind,
        log_name,
    };
    let Some(answer) = scope.images.image(&request) else {
        return Ok(Loaded::Needs(Needs::Images(vec![request])));
    };
    let resolved =
        answer.map_err(|failure| unusable(name, ContextProblem::Unresolved(failure.clone())))?;
    let constraints = on(
        Constraints::new().named(format!("[context {name}] OCI load from client")),
        platform,
    );
    let layout = llb::OciLayout {
        session: session_id.to_owned(),
        store: store.to_owned(),
        layer_limit: None,
    };
    let state = llb::oci_layout(&request.reference.to_string(), &layout, constraints);
    let state = state.with_environment_of(&resolved.config);
    Ok(Loaded::Ready {
        state,
        image: Some(resolved.config.clone()),
        pending: None,
    })
}

fn on(constraints: Constraints, platform: Option<&Platform>) -> Constraints {
    match platform {
        Some(platform) => constraints.on(platform.clone()),
        None => constraints,
    }
}

/// Returns a git repository or a downloaded file.
fn remote_state(scope: &Scope<'_>, name: &str, specifier: &str) -> Result<State, Error> {
    // The reference accepts only `git://`, `git@` and http(s) here; `ssh://` and `github.com/` are
    // just as clear.
    let kind = match git_url::parse(specifier) {
        Some(_) => "git",
        None => split(name, specifier)?.0,
    };
    if !["git", "http", "https"].contains(&kind) {
        let kind = kind.to_owned();
        return Err(unusable(name, ContextProblem::UnknownKind { kind }));
    }
    match git_url::parse(specifier) {
        Some(source) => {
            let source = source.map_err(|problem| unusable(name, ContextProblem::Git(problem)))?;
            Ok(context::git(scope.options, source, specifier, false))
        }
        None if kind == "git" => {
            let url = specifier.to_owned();
            Err(unusable(name, ContextProblem::NotGit { url }))
        }
        None => {
            let shown = redact_url(specifier);
            let constraints = Constraints::new().named(format!("[context {name}] {shown}"));
            let file = llb::Http::named("context");
            Ok(llb::http(specifier, &file, constraints))
        }
    }
}
