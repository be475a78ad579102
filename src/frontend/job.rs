//! One Dockerfile with its attributes: read once, translated for every platform, solved at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::attestations::{Attested, Sbom};
use super::choice::{Choice, Elsewhere, elsewhere};
use super::sbom::Scanner;
use super::{Error, Source, images, refusal, request, result, solve};
use crate::client::CacheEntry;
use crate::dockerfile::{self, Dockerfile, Finding, LintConfig, Linter};
use crate::gateway::{Attestation, Bridge, BuildResult, Forward, Ref, SolveOptions, Warning};
use crate::llb::Definition;
use crate::lock::Lock;
use crate::oci::Platform;
use crate::translate::{
    Attributes, Context, NamedContext, Options, Outcome, ResolvedImages, Translation, translate,
    translate_and_lint,
};

/// The attribute by which a Dockerfile's own check options are replaced.
const CHECK_ARGUMENT: &str = "build-arg:BUILDKIT_DOCKERFILE_CHECK";

/// A Dockerfile that is read and parsed, with what is asked of it.
#[derive(Debug, Clone)]
pub struct Job {
    pub(super) source: Source,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) plan: Plan,
}

/// Who makes the result.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    /// This frontend.
    Here(Box<Parsed>),
    /// Another one, in the daemon.
    Elsewhere(Elsewhere),
}

/// The parsed Dockerfile.
#[derive(Debug, Clone)]
pub(super) struct Parsed {
    pub(super) dockerfile: Dockerfile,
    /// With what the text alone has shown.
    pub(super) linter: Linter,
}

/// Where and how a job is run.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// The session that serves the client's folders.
    pub session_id: String,
    /// The platforms of the daemon, its own first; `BUILDPLATFORM` is the first. Empty means this machine's.
    pub build_platforms: Vec<Platform>,
    /// What `.dockerignore` excludes from the main context.
    pub excludes: Vec<String>,
    /// How many platforms are solved at the same time; `None` is all of them.
    pub parallel: Option<usize>,
    /// When a platform fails, the others are not cancelled, and the result has those that succeeded.
    pub keep_going: bool,
    /// Compute the result before it is handed over, so that a failure belongs to a platform and nothing is exported yet.
    pub evaluate: bool,
    /// Caches that the daemon looks into before it runs a step.
    pub cache_imports: Vec<CacheEntry>,
    /// Named graphs that stand for contexts: what a frontend in the daemon may be given instead of folders.
    pub inputs: BTreeMap<String, Definition>,
    /// The main context instead of the one that the attributes name.
    pub context: Option<Context>,
    /// Named contexts instead of those of the same names in the attributes.
    pub contexts: BTreeMap<String, NamedContext>,
    /// Base images to use as they are locked, instead of asking a registry.
    pub lock: Option<ImageLock>,
    /// The entitlements that the build was given; a step that needs another one fails the build before anything is solved.
    /// `None` leaves that to the daemon.
    pub entitlements: Option<Vec<String>>,
    /// A process that the daemon's machine would emulate fails the build before anything is solved.
    pub require_native: bool,
    /// The request goes along in full provenance, as a document: the daemon knows the attributes of its own frontends only.
    pub with_request: bool,
    /// The step that warnings are shown at: the digest of the one that read the Dockerfile.
    pub warn_at: String,
}

/// A lock of a build.
#[derive(Debug, Clone)]
pub struct ImageLock {
    /// The images.
    pub lock: Arc<Lock>,
    /// Images that it does not have are looked up as without a lock; else they are an error.
    pub resolve_missing: bool,
}

/// What a job gives.
#[derive(Debug)]
#[non_exhaustive]
pub struct Finished {
    /// For the daemon's exporters.
    pub result: BuildResult,
    /// What the lint rules found, of one platform. Another frontend reports to the daemon only.
    pub findings: Vec<Finding>,
    /// The platforms that are in the result; none when another frontend made it.
    pub built: Vec<Platform>,
    /// The platforms that failed while the others were kept going; the result is without them.
    pub failed: Vec<PlatformFailure>,
}

/// A platform that failed, of several.
#[derive(Debug)]
#[non_exhaustive]
pub struct PlatformFailure {
    /// The platform.
    pub platform: Platform,
    /// Why.
    pub error: Error,
}

impl Job {
    /// Parses a Dockerfile, unless another frontend is to do so.
    ///
    /// # Errors
    /// [`Error::Syntax`] with the lines, also for check options that are none.
    pub fn read(
        source: Source,
        attributes: BTreeMap<String, String>,
        choice: &Choice,
    ) -> Result<Self, Error> {
        let plan = match elsewhere(choice, &attributes, source.text()) {
            Some(other) => Plan::Elsewhere(other),
            None => Plan::Here(Box::new(parse(&source, &attributes)?)),
        };
        Ok(Self {
            source,
            attributes,
            plan,
        })
    }

    /// The same with other attributes; those that decide how the Dockerfile is read have had their effect.
    #[must_use]
    pub fn with_attributes(self, attributes: BTreeMap<String, String>) -> Self {
        Self { attributes, ..self }
    }

    /// The Dockerfile.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The frontend that is called in the daemon, if it is not this one.
    pub fn elsewhere(&self) -> Option<&str> {
        match &self.plan {
            Plan::Here(_) => None,
            Plan::Elsewhere(other) => Some(&other.name),
        }
    }

    /// Translates for all platforms, solves all graphs, and gives the result for [`Bridge::return_result`].
    ///
    /// # Errors
    /// [`Error`] names the platform and the place in the Dockerfile. When one platform fails the others are cancelled.
    pub async fn run(&self, bridge: &Bridge, setting: &Setting) -> Result<Finished, Error> {
        let attested = Attested::read(&self.attributes)?;
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
        attested: &Attested,
        bridge: &Bridge,
        setting: &Setting,
    ) -> Result<Finished, Error> {
        let mut linter = parsed.linter.clone();
        let translated = self
            .translate_all(parsed, &mut linter, bridge, setting)
            .await;
        let findings = linter.into_findings();
        send_warnings(bridge, &self.source, &findings, &setting.warn_at).await;
        let Translated {
            several,
            mut translations,
            mut failed,
        } = translated?;
        self.check_steps(setting, &translations)?;
        if setting.with_request && attested.has_full_provenance() {
            let document = Arc::new(request::document(&self.attributes));
            for made in &mut translations {
                let definition = std::mem::take(&mut made.definition);
                made.definition = definition.with_document(document.clone());
            }
        }
        let (parts, unsolved) =
            solve::all(bridge, &self.source, setting, several, translations).await?;
        failed.extend(unsolved);
        let attestations = match &attested.sbom {
            None => BTreeMap::new(),
            Some(sbom) => self.scan(sbom, bridge, setting, several, &parts).await?,
        };
        let built = parts.iter().map(|(made, _)| made.platform.clone());
        let built = built.collect();
        let mut result = result::assemble(several, parts);
        result.attestations = attestations;
        Ok(Finished {
            built,
            result,
            findings,
            failed,
        })
    }

    async fn scan(
        &self,
        sbom: &Sbom,
        bridge: &Bridge,
        setting: &Setting,
        several: bool,
        parts: &[(Translation, Ref)],
    ) -> Result<BTreeMap<String, Vec<Attestation>>, Error> {
        let options = self.read_attributes(setting)?.options;
        let platform = options.build_platforms.first();
        let platform = platform.cloned().unwrap_or_else(Platform::host);
        let scanner = Scanner::find(bridge, sbom, &platform, options.resolve_mode).await?;
        scanner
            .scan(bridge, &self.source, setting, several, parts)
            .await
    }

    async fn forward(
        &self,
        other: &Elsewhere,
        bridge: &Bridge,
        setting: &Setting,
    ) -> Result<Finished, Error> {
        let mut options = self.attributes.clone();
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
            evaluate: setting.evaluate,
            cache_imports: setting.cache_imports.clone(),
            ..SolveOptions::default()
        };
        let solved = bridge.forward(&forward, &options).await;
        let result = solved.map_err(|error| Error::forward(&self.source, other.span, error))?;
        Ok(Finished {
            result,
            findings: Vec::new(),
            built: Vec::new(),
            failed: Vec::new(),
        })
    }

    /// The options of a translation but for the platform, and the platforms asked for.
    pub(super) fn read_attributes(&self, setting: &Setting) -> Result<Attributes, Error> {
        let mut read = Attributes::read(&self.attributes, &setting.session_id)?;
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

    /// One translation a platform, and whether they are of several. Base images are resolved together; their triggers
    /// (`ONBUILD`) can name further ones. The first platform is linted.
    async fn translate_all(
        &self,
        parsed: &Parsed,
        linter: &mut Linter,
        bridge: &Bridge,
        setting: &Setting,
    ) -> Result<Translated, Error> {
        let Attributes { options, platforms } = self.read_attributes(setting)?;
        let several = options.multi_platform;
        let caps = bridge.capabilities().llb;
        let options: Vec<Options> = match platforms.is_empty() {
            true => vec![None],
            false => platforms.into_iter().map(Some).collect(),
        }
        .into_iter()
        .map(|platform| Options {
            platform,
            caps,
            ..options.clone()
        })
        .collect();
        let mut images = ResolvedImages::new();
        let mut done: Vec<Option<Result<Translation, Error>>> = Vec::new();
        done.resize_with(options.len(), || None);
        loop {
            let mut missing = BTreeSet::new();
            for (index, options) in options.iter().enumerate() {
                if done[index].is_some() {
                    continue;
                }
                let made = match index {
                    0 => translate_and_lint(&parsed.dockerfile, options, &images, linter),
                    _ => translate(&parsed.dockerfile, options, &images),
                };
                match made {
                    Ok(Outcome::NeedsImages(requests)) => missing.extend(requests),
                    Ok(Outcome::NeedsTime(source)) => {
                        images::resolve_time(bridge, source, &mut images).await?;
                    }
                    Ok(Outcome::Done(translation)) => done[index] = Some(Ok(*translation)),
                    Err(error) => {
                        let error = self.failed(several, options, &error);
                        if !(setting.keep_going && several) {
                            return Err(error);
                        }
                        done[index] = Some(Err(error));
                    }
                }
            }
            if done.iter().all(Option::is_some) {
                let platforms = options.into_iter().map(|options| options.platform);
                return Ok(Translated::of(
                    several,
                    platforms.zip(done.into_iter().flatten()),
                ));
            }
            images::resolve(bridge, setting, missing, &mut images).await;
        }
    }

    fn check_steps(&self, setting: &Setting, translations: &[Translation]) -> Result<(), Error> {
        if setting.entitlements.is_none() && !setting.require_native {
            return Ok(());
        }
        let mut definitions = translations.iter().map(|made| &made.definition);
        match definitions.find_map(|definition| refusal::refused(definition, setting)) {
            None => Ok(()),
            Some((reason, lines)) => Err(Error::refused(&self.source, reason, &lines)),
        }
    }

    fn failed(&self, several: bool, options: &Options, error: &crate::translate::Error) -> Error {
        let platform = options.platform.as_ref().filter(|_| several);
        Error::translate(&self.source, platform, error)
    }
}

/// What the platforms' translations gave.
struct Translated {
    /// They are of several platforms.
    several: bool,
    translations: Vec<Translation>,
    failed: Vec<PlatformFailure>,
}

impl Translated {
    fn of(
        several: bool,
        made: impl Iterator<Item = (Option<Platform>, Result<Translation, Error>)>,
    ) -> Self {
        let mut all = Self {
            several,
            translations: Vec::new(),
            failed: Vec::new(),
        };
        for (platform, made) in made {
            match made {
                Ok(translation) => all.translations.push(translation),
                Err(error) => all.failed.push(PlatformFailure {
                    platform: platform.unwrap_or_else(Platform::host),
                    error,
                }),
            }
        }
        all
    }
}

/// The parsed Dockerfile and what the lint rules find in its text; a mistake comes with its lines.
fn parse(source: &Source, attributes: &BTreeMap<String, String>) -> Result<Parsed, Error> {
    let config = match attributes.get(CHECK_ARGUMENT) {
        Some(text) => LintConfig::parse(text),
        None => LintConfig::of_dockerfile(source.text()),
    };
    let config =
        config.map_err(|error| Error::syntax(source, &error, None, String::new(), Vec::new()))?;
    let mut linter = Linter::new(config);
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

/// Findings go through the daemon, which shows them with the progress and keeps them in its history.
async fn send_warnings(bridge: &Bridge, source: &Source, findings: &[Finding], vertex: &str) {
    for finding in findings {
        let short = warning_line(finding);
        let warning = Warning {
            vertex,
            level: 1,
            short: &short,
            detail: vec![finding.detail()],
            url: finding.url(),
            location: Some(source.location(finding.span)),
        };
        // A warning that does not get through fails no build.
        let _ = bridge.warn(&warning).await;
    }
}

/// A finding in one line, as the reference prints it.
fn warning_line(finding: &Finding) -> String {
    format!(
        "{}: {} (line {})",
        finding.rule.name(),
        finding.message,
        finding.span.first
    )
}
