//! One Dockerfile with its attributes: parsed once, translated for every platform, solved
//! concurrently.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::choice::{Choice, Elsewhere, elsewhere};
use super::sbom::Scanner;
use super::translated::Translated;
use super::{
    Asked, AttributeProblem, Error, Finished, Refusal, Setting, Source, hook, missing_source,
    refusal, request, result, solve, unused_args, warnings,
};
use crate::client::CacheEntry;
use crate::dockerfile::{self, Dockerfile, LintConfig, Linter};
use crate::gateway::{Bridge, Forward, SolveOptions};
use crate::llb::{Definition, Location};
use crate::oci::Platform;
use crate::translate::{Attestations, Attributes, Context, Sbom, Translation};

/// The attribute that overrides a Dockerfile's own check options.
const CHECK_ARGUMENT: &str = "build-arg:BUILDKIT_DOCKERFILE_CHECK";

/// A parsed Dockerfile with the request's attributes.
#[derive(Debug, Clone)]
pub struct Job {
    pub(super) source: Source,
    pub(super) asked: Asked,
    pub(super) plan: Plan,
}

/// The frontend that creates the result.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    /// This frontend.
    Here(Box<Parsed>),
    /// Another frontend in the daemon.
    Elsewhere(Elsewhere),
}

/// The parsed Dockerfile.
#[derive(Debug, Clone)]
pub(super) struct Parsed {
    pub(super) dockerfile: Dockerfile,
    /// The linter with the findings of the text.
    pub(super) linter: Linter,
}

impl Job {
    /// Parses a Dockerfile, unless another frontend must do so.
    ///
    /// # Errors
    /// [`Error::Syntax`] with the lines; also for invalid check options.
    pub fn read(source: Source, asked: Asked, choice: &Choice) -> Result<Self, Error> {
        let attributes = &asked.attributes;
        let plan = match elsewhere(choice, attributes, source.text()) {
            Some(other) => Plan::Elsewhere(other),
            None => Plan::Here(Box::new(parse(&source, &asked)?)),
        };
        Ok(Self {
            source,
            asked,
            plan,
        })
    }

    /// As `read`, for a Dockerfile that a daemon has read. Findings before a syntax error are sent
    /// to the daemon.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) async fn read_through(
        bridge: &Bridge,
        source: Source,
        asked: Asked,
        choice: &Choice,
        warn_at: &str,
    ) -> Result<Self, Error> {
        let read = Self::read(source.clone(), asked, choice);
        if let Err(Error::Syntax(failure)) = &read {
            warnings::of_findings(bridge, &source, &failure.findings, warn_at).await;
        }
        read
    }

    /// Replaces the request. Options that affect parsing have no effect any more.
    #[must_use]
    pub fn with_asked(self, asked: Asked) -> Self {
        Self { asked, ..self }
    }

    /// Returns the Dockerfile.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Returns the name of the frontend that is called in the daemon; `None` for this one.
    pub fn elsewhere(&self) -> Option<&str> {
        match &self.plan {
            Plan::Here(_) => None,
            Plan::Elsewhere(other) => Some(&other.name),
        }
    }

    /// Translates for all platforms, solves all graphs, and returns the result for
    /// [`Bridge::return_result`].
    ///
    /// # Errors
    /// [`Error`] with the platform and the Dockerfile lines. If one platform fails, the others are
    /// cancelled.
    pub async fn run(&self, bridge: &Bridge, setting: &Setting) -> Result<Finished, Error> {
        let attested = match &self.plan {
            Plan::Here(_) => self.asked.typed()?.attestations.clone(),
            Plan::Elsewhere(_) => Attestations::read(&self.asked.attributes)?,
        };
        if !attested.is_empty() {
            let known = bridge.need_attestations().await;
            known.map_err(|error| Error::solve(&self.source, None, error))?;
        }
        match &self.plan {
            Plan::Here(parsed) => self.run_here(parsed, &attested, bridge, setting).await,
            Plan::Elsewhere(other) => self.forward(other, bridge, setting).await,
        }
    }

    async fn run_here(
        &self,
        parsed: &Parsed,
        attested: &Attestations,
        bridge: &Bridge,
        setting: &Setting,
    ) -> Result<Finished, Error> {
        let mut linter = parsed.linter.clone();
        let translated = self
            .translate_all(parsed, &mut linter, bridge, setting)
            .await;
        let findings = linter.into_findings();
        warnings::of_findings(bridge, &self.source, &findings, &setting.warn_at).await;
        let Translated {
            several,
            mut translations,
            mut failed,
            has_triggers,
            bases_have_triggers,
        } = translated?;
        setting
            .no_triggers
            .store(!bases_have_triggers, Ordering::Relaxed);
        if !has_triggers {
            let unused = unused_args::lines(&parsed.dockerfile, &self.asked.attributes);
            warnings::without_place(bridge, &unused, &setting.warn_at).await;
        }
        let missing = unused_args::missing_stages(&parsed.dockerfile, &self.asked.attributes);
        warnings::without_place(bridge, &missing, &setting.warn_at).await;
        hook::show_each(setting, &mut translations).await?;
        if !setting.lost_files.is_empty() {
            for made in &mut translations {
                made.definition.ignore_cache_of(&setting.lost_files);
            }
        }
        self.check_steps(setting, &translations)?;
        failed.extend(
            self.take_impossible(bridge, setting, several, &mut translations)
                .await?,
        );
        let scanner = match &attested.sbom {
            None => None,
            Some(sbom) => Some(self.scanner(sbom, bridge, setting).await?),
        };
        if setting.with_request && attested.has_full_provenance() {
            let document = Arc::new(request::document(&self.asked.attributes));
            for made in &mut translations {
                let definition = std::mem::take(&mut made.definition);
                made.definition = definition.with_document(document.clone());
            }
        }
        let (parts, unsolved) = solve::all(
            bridge,
            &self.source,
            setting,
            several,
            scanner.as_ref(),
            translations,
        )
        .await?;
        failed.extend(unsolved);
        let built = parts.iter().map(|part| part.translation.platform.clone());
        let built = built.collect();
        Ok(Finished {
            built,
            result: result::assemble(several, parts),
            findings,
            failed,
        })
    }

    /// Resolves the scanner before anything is solved, so that a missing one does not fail a long
    /// build at its end.
    async fn scanner<'a>(
        &self,
        sbom: &'a Sbom,
        bridge: &Bridge,
        setting: &Setting,
    ) -> Result<Scanner<'a>, Error> {
        let options = self.asked_with(setting)?.options;
        let platform = options.build_platforms.first();
        let platform = platform.cloned().unwrap_or_else(Platform::host);
        Scanner::find(bridge, sbom, &platform, options.resolve_mode).await
    }

    async fn forward(
        &self,
        other: &Elsewhere,
        bridge: &Bridge,
        setting: &Setting,
    ) -> Result<Finished, Error> {
        let stage = |(name, text): &(&String, &String)| {
            name.starts_with("context:") && text.starts_with("target:")
        };
        if let Some((name, _)) = self.asked.attributes.iter().find(stage) {
            return Err(Error::InvalidAttribute {
                name: name.clone(),
                reason: AttributeProblem::StageElsewhere {
                    frontend: other.name.to_string(),
                },
            });
        }
        if setting.lock.is_some() {
            return Err(Error::LockElsewhere {
                frontend: other.name.to_string(),
            });
        }
        let mut options = self.asked.attributes.clone();
        options.extend(other.attributes.clone());
        if !setting.cache_imports.is_empty() {
            let imports = CacheEntry::list_to_json(&setting.cache_imports);
            options.insert("cache-imports".to_owned(), imports);
        }
        let forward = Forward {
            frontend: other.frontend.to_owned(),
            options,
            inputs: setting.inputs.clone(),
        };
        let options = SolveOptions {
            // A hook does that, step by step.
            evaluate: setting.evaluate && setting.hook.is_none(),
            cache_imports: setting.cache_imports.clone(),
            ..SolveOptions::default()
        };
        let failed = |error| Error::forward(&self.source, other.span, error);
        let solved = bridge.forward(&forward, &options).await;
        let result = solved.map_err(failed)?;
        solve::forwarded(bridge, &result, setting)
            .await
            .map_err(failed)?;
        Ok(Finished {
            result,
            findings: Vec::new(),
            built: Vec::new(),
            failed: Vec::new(),
        })
    }

    /// Returns the translation options without a platform, and the requested platforms.
    pub(super) fn asked_with(&self, setting: &Setting) -> Result<Attributes, Error> {
        let mut read = self.asked.typed()?.clone();
        read.options.session_id.clone_from(&setting.session_id);
        read.options.build_platforms = match setting.build_platforms.as_slice() {
            [] => vec![Platform::host()],
            platforms => platforms.to_vec(),
        };
        read.options.source_file = Some(self.source.file.clone());
        if let Some(context) = &setting.context {
            read.options.context = context.clone();
        }
        let contexts = setting.contexts.iter();
        read.options
            .contexts
            .extend(contexts.map(|(name, context)| (name.clone(), context.clone())));
        if let Context::Local(local) = &mut read.options.context {
            local.exclude_patterns.clone_from(&setting.excludes);
        }
        Ok(read)
    }

    /// With keep-going or links, missing sources are left to the daemon: other platforms may have
    /// their files, and other Dockerfiles other folders.
    fn check_sources(&self, setting: &Setting, translations: &[Translation]) -> Result<(), Error> {
        let folder = setting.context_folder.as_deref();
        let Some(folder) = folder.filter(|_| !setting.keep_going && setting.links.is_empty())
        else {
            return Ok(());
        };
        self.check_each(translations, |definition| {
            let (missing, lines) = missing_source::find(definition, folder)?;
            Some((Refusal::MissingSource(missing), lines))
        })
    }

    pub(super) fn check_steps(
        &self,
        setting: &Setting,
        translations: &[Translation],
    ) -> Result<(), Error> {
        self.check_sources(setting, translations)?;
        if setting.entitlements.is_none() && !setting.require_native {
            return Ok(());
        }
        self.check_each(translations, |definition| {
            refusal::refused(definition, setting)
        })
    }

    /// Fails with the first refused step of a platform's graph.
    fn check_each(
        &self,
        translations: &[Translation],
        refused: impl Fn(&Definition) -> Option<(Refusal, Vec<Location>)>,
    ) -> Result<(), Error> {
        let mut found = translations.iter().filter_map(|made| {
            let (reason, lines) = refused(&made.definition)?;
            let error = Error::refused(&self.source, reason, &lines);
            Some(error.built_for(&made.platform))
        });
        found.next().map_or(Ok(()), Err)
    }
}

/// Parses the Dockerfile and lints its text; an error includes its lines.
fn parse(source: &Source, asked: &Asked) -> Result<Parsed, Error> {
    let attributes = &asked.attributes;
    let config = match attributes.get(CHECK_ARGUMENT) {
        Some(text) => LintConfig::parse(text),
        None => LintConfig::of_dockerfile(source.text()),
    };
    let config = config.map_err(|error| {
        let own = LintConfig::place_in(source.text());
        let span = own.filter(|_| !attributes.contains_key(CHECK_ARGUMENT));
        let excerpt = source.excerpt(span.as_slice());
        Error::syntax(source, &error, span, excerpt, Vec::new())
    })?;
    let mut linter = Linter::new(config).in_words(asked.wording);
    let parsed = dockerfile::parse_and_lint(source.text(), &mut linter);
    match parsed {
        Ok(dockerfile) => Ok(Parsed { dockerfile, linter }),
        Err(error) => {
            let excerpt = dockerfile::render_error(&source.path, source.text(), &error);
            let findings = linter.into_findings();
            Err(Error::syntax(
                source,
                &error,
                error.shown_span(),
                excerpt,
                findings,
            ))
        }
    }
}
