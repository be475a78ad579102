//! The common data of all stages of a translation.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;

use super::arguments::{self, Platforms};
use super::epoch::Epoch;
use super::error::Error;
use super::images::ResolvedImages;
use super::lint::Lint;
use super::options::Options;
use super::reason::Reason;
use super::stage::SharedImage;
use super::start;
use super::targets::MadeStages;
use crate::dockerfile::{self, Dockerfile, Lexer, Span};
use crate::llb::{Deferred, Env, Location, Position, ProxyEnv, Range, SourceFile};

/// Data that is the same for the whole translation.
pub(super) struct Scope<'a> {
    pub(super) dockerfile: &'a Dockerfile,
    pub(super) options: &'a Options,
    pub(super) images: &'a ResolvedImages,
    pub(super) platforms: Platforms,
    pub(super) global_args: Env,
    /// The names of the ARGs before the first FROM.
    pub(super) declared_args: BTreeSet<&'a str>,
    /// The resolved `SOURCE_DATE_EPOCH`, which replaces the caller's build argument.
    pub(super) epoch_arg: Option<String>,
    pub(super) lexer: Lexer,
    pub(super) epoch: Option<Epoch>,
    pub(super) proxy: Option<Arc<ProxyEnv>>,
    /// True if stages that the target does not need are dispatched too, for checks.
    pub(super) all_stages: bool,
    /// The main context. Its used paths are known after the last stage.
    pub(super) context: Deferred,
    /// The stages that serve as named contexts and were used so far.
    pub(super) made_stages: RefCell<MadeStages>,
    file: Arc<SourceFile>,
    /// The config of the empty file system, once a stage uses it.
    empty_image: OnceCell<SharedImage>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        dockerfile: &'a Dockerfile,
        options: &'a Options,
        images: &'a ResolvedImages,
        lint: &mut Lint<'_>,
    ) -> Result<Self, Error> {
        let Some(last) = dockerfile.stages.last() else {
            return Err(Reason::NoStage.into());
        };
        let platforms = Platforms::new(options.platform.as_ref(), &options.build_platforms);
        let stage = target_name(options, last);
        let lexer = Lexer::new(dockerfile.directives.escape);
        let predefined = arguments::predefined(&platforms, stage, &options.build_args);
        lint.global_names(dockerfile);
        lint.defaults(dockerfile, &lexer, &predefined);
        let global_args = arguments::global(
            predefined,
            &lexer,
            &dockerfile.global_args,
            &options.build_args,
        )?;
        Ok(Self {
            dockerfile,
            options,
            images,
            platforms,
            global_args,
            declared_args: dockerfile
                .global_args
                .iter()
                .flat_map(|line| &line.args.variables)
                .map(|variable| variable.name.as_str())
                .collect(),
            epoch_arg: None,
            lexer,
            epoch: None,
            proxy: arguments::proxies(&options.build_args),
            all_stages: false,
            context: Deferred::new(),
            made_stages: RefCell::default(),
            file: source_file(dockerfile, options),
            empty_image: OnceCell::new(),
        })
    }

    /// Returns the name of the target stage, as in TARGETSTAGE.
    pub(super) fn target_name(&self) -> &str {
        self.dockerfile
            .stages
            .last()
            .map_or("", |last| target_name(self.options, last))
    }

    /// Returns the value of a build argument.
    pub(super) fn build_arg(&self, name: &str) -> Option<&str> {
        let given = self.options.build_args.get(name)?;
        match &self.epoch_arg {
            Some(epoch) if name == "SOURCE_DATE_EPOCH" => Some(epoch)
                .filter(|epoch| !epoch.is_empty())
                .map(String::as_str),
            _ => Some(given),
        }
    }

    /// Returns the creation time of new history entries.
    pub(super) fn created(&self) -> Option<&str> {
        self.epoch.as_ref().map(|epoch| epoch.text.as_str())
    }

    /// Returns the config of the empty file system.
    pub(super) fn empty_image(&self) -> SharedImage {
        let new = || SharedImage(Arc::new(start::empty_image(&self.platforms.target)));
        self.empty_image.get_or_init(new).clone()
    }

    /// Converts a span, with one range for each of its ranges.
    pub(super) fn location(&self, span: Option<Span>) -> Location {
        let position = |at: dockerfile::Position| Position {
            line: at.line as i32,
            character: at.column as i32,
        };
        let range = |range: dockerfile::Range| Range {
            start: position(range.start),
            end: position(range.end),
        };
        Location {
            file: self.file.clone(),
            ranges: span.map_or_else(|| Arc::from([]), |span| span.ranges().map(range).collect()),
        }
    }
}

fn target_name<'a>(options: &'a Options, last: &'a dockerfile::Stage) -> &'a str {
    let target = options
        .target
        .as_deref()
        .filter(|target| !target.is_empty());
    target.or(last.name.as_deref()).unwrap_or_default()
}

fn source_file(dockerfile: &Dockerfile, options: &Options) -> Arc<SourceFile> {
    match &options.source_file {
        Some(file) => file.clone(),
        None => Arc::new(SourceFile {
            filename: "Dockerfile".to_owned(),
            language: "Dockerfile".to_owned(),
            data: dockerfile.source.clone(),
            definition: None,
        }),
    }
}
