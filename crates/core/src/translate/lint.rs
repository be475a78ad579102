//! Lint rules that need a translation's values, base images or ignored files.

use std::collections::{BTreeMap, BTreeSet};

use super::options::{Context, Options};
use super::reason::Reason;
use super::scope::Scope;
use super::{arguments, names};
use crate::dockerfile::{self, Dockerfile, Expansion, Lexer, Linter, Place};
use crate::ignore::{PatternError, PatternMatcher};
use crate::llb::{Env, path};
use crate::oci::{Platform, Reference};

/// The linter; `None` if no findings are wanted.
pub(super) struct Lint<'l> {
    linter: Option<&'l mut Linter>,
    ignored: Ignored,
}

/// The paths that `.dockerignore` excludes.
enum Ignored {
    /// No pattern, or some are exceptions: those cannot be judged without the files.
    Nothing,
    Patterns(PatternMatcher),
}

impl<'l> Lint<'l> {
    pub(super) fn new(linter: Option<&'l mut Linter>) -> Self {
        Self {
            linter,
            ignored: Ignored::Nothing,
        }
    }

    /// Calls `report` with the linter, if there is one.
    pub(super) fn with(&mut self, report: impl FnOnce(&mut Linter)) {
        if let Some(linter) = &mut self.linter {
            report(linter);
        }
    }

    /// True if findings are wanted.
    pub(super) fn is_on(&self) -> bool {
        self.linter.is_some()
    }

    /// Returns an error if findings are of rules that fail the build.
    pub(super) fn check(&self) -> Result<(), Reason> {
        let violated = self
            .linter
            .as_ref()
            .map(|linter| linter.violated())
            .unwrap_or_default();
        if violated.is_empty() {
            return Ok(());
        }
        Err(Reason::Lint {
            rules: violated.into_iter().map(|rule| rule.name()).collect(),
        })
    }

    /// Checks the names of the ARGs before the first FROM.
    pub(super) fn global_names(&mut self, dockerfile: &Dockerfile) {
        let escape = dockerfile.directives.escape;
        for line in &dockerfile.global_args {
            for variable in &line.args.variables {
                self.with(|linter| linter.unexpanded_arg_name(line, &variable.name, escape));
            }
        }
    }

    /// Checks that bases are names of images also if no build argument is given.
    pub(super) fn defaults(&mut self, dockerfile: &Dockerfile, lexer: &Lexer, predefined: &Env) {
        if !self.is_on() {
            return;
        }
        let (globals, no_build_args) = (&dockerfile.global_args, BTreeMap::new());
        let Ok(env) = arguments::global(predefined.clone(), lexer, globals, &no_build_args) else {
            return;
        };
        for stage in &dockerfile.stages {
            let Ok(base) = lexer.expand(&stage.base, &env) else {
                return;
            };
            if Reference::parse(&base.text).is_err() {
                self.with(|linter| {
                    linter.invalid_default_argument(Place::lines(stage.span), &stage.base)
                });
            }
        }
    }

    /// Reports variables of FROM that no ARG before it declares.
    pub(super) fn base_arguments(
        &mut self,
        scope: &Scope<'_>,
        stage: &dockerfile::Stage,
        unmatched: &BTreeSet<String>,
    ) {
        if unmatched.is_empty() || !self.is_on() {
            return;
        }
        for name in unmatched {
            if scope.declared_args.contains(name.as_str()) {
                continue;
            }
            let known = scope.declared_args.iter().copied();
            let known = known.chain(scope.global_args.keys());
            self.with(|linter| linter.undefined_argument_in_from(stage, name, known));
        }
    }

    /// Reports a `FROM --platform` that is redundant or constant.
    pub(super) fn platform(
        &mut self,
        scope: &Scope<'_>,
        stage: &dockerfile::Stage,
        written: &str,
        expanded: &Expansion<'_>,
    ) {
        const TARGET: &str = "TARGETPLATFORM";
        let (matched, unmatched) = (&expanded.matched, &expanded.unmatched);
        if unmatched.is_empty() && matched.len() == 1 && matched.contains(TARGET) {
            if scope.global_args.get(TARGET).unwrap_or_default() == expanded.text {
                self.with(|linter| linter.redundant_target_platform(stage, written));
            }
        } else if unmatched.is_empty() && matched.is_empty() {
            let Ok(platform) = Platform::parse(&expanded.text) else {
                return;
            };
            let name = stage.name.as_deref().unwrap_or_default();
            if !name.contains(&platform.os) && !name.contains(&platform.architecture) {
                self.with(|linter| linter.constant_platform(stage, &expanded.text));
            }
        }
    }

    /// Reports a base image of another platform than the stage's.
    pub(super) fn base_platform(
        &mut self,
        place: Place<'_>,
        name: &str,
        wanted: &Platform,
        found: &Platform,
    ) {
        if wanted.os != found.os || wanted.architecture != found.architecture {
            let (wanted, found) = (
                wanted.normalized().format_all(),
                found.normalized().format_all(),
            );
            self.with(|linter| linter.base_image_platform(place, name, &wanted, &found));
        }
    }

    /// Compiles the patterns of `.dockerignore`. A malformed one is an error even if nothing is
    /// copied, as in the reference.
    pub(super) fn read_ignored(&mut self, options: &Options) -> Result<(), Reason> {
        self.ignored = ignored(options).map_err(Reason::IgnorePattern)?;
        Ok(())
    }

    /// Reports a source of COPY or ADD that `.dockerignore` excludes.
    pub(super) fn ignored_source(
        &mut self,
        options: &Options,
        instruction: &dockerfile::Instruction,
        source: &str,
    ) {
        if !self.is_on() {
            return;
        }
        let Ignored::Patterns(matcher) = &self.ignored else {
            return;
        };
        let source = path::clean(source);
        let is_root = source == "." || source == "/";
        if (!is_root || excludes_everything(options)) && matcher.matches(&source) {
            let keyword = names::upper_first_word(instruction.keyword().into());
            self.with(|linter| linter.ignored_file(instruction, &keyword, &source));
        }
    }
}

fn patterns(options: &Options) -> &[String] {
    match &options.context {
        Context::Local(context) => &context.exclude_patterns,
        _ => &[],
    }
}

fn ignored(options: &Options) -> Result<Ignored, PatternError> {
    let patterns = patterns(options);
    let matcher = PatternMatcher::new(patterns)?;
    let excepts = |pattern: &String| pattern.trim().starts_with('!');
    Ok(match patterns.is_empty() || patterns.iter().any(excepts) {
        true => Ignored::Nothing,
        false => Ignored::Patterns(matcher),
    })
}

/// True if the patterns exclude everything below the root. The root itself is never excluded.
fn excludes_everything(options: &Options) -> bool {
    patterns(options)
        .iter()
        .any(|pattern| matches!(path::clean(pattern.trim()).as_str(), "*" | "**" | "**/*"))
}
