//! A Dockerfile translated for every platform, with its base images.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::job::Parsed;
use super::{Error, Job, PlatformFailure, Setting, images};
use crate::dockerfile::Linter;
use crate::gateway::Bridge;
use crate::oci::Platform;
use crate::translate::{
    Attributes, Options, Outcome, ResolvedImages, Translation, translate, translate_and_lint,
};

/// The translations of all platforms.
pub(super) struct Translated {
    /// True if there are several platforms.
    pub(super) several: bool,
    pub(super) translations: Vec<Translation>,
    pub(super) failed: Vec<PlatformFailure>,
    /// True if images may add instructions (`ONBUILD`).
    pub(super) has_triggers: bool,
    /// True if a base image has triggers, also one of a linked build.
    pub(super) bases_have_triggers: bool,
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
            has_triggers: false,
            bases_have_triggers: false,
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

impl Job {
    /// Translates for each platform. Base images are resolved together; their triggers (`ONBUILD`)
    /// can name more. Only the first platform is linted.
    pub(super) async fn translate_all(
        &self,
        parsed: &Parsed,
        linter: &mut Linter,
        bridge: &Bridge,
        setting: &Setting,
    ) -> Result<Translated, Error> {
        let options = self.options(bridge, setting).await?;
        let several = options.iter().any(|options| options.multi_platform);
        let mut images = ResolvedImages::new();
        let mut done: Vec<Option<Result<Translation, Error>>> = Vec::new();
        done.resize_with(options.len(), || None);
        loop {
            let mut missing = BTreeSet::new();
            for (index, options) in options.iter().enumerate() {
                if done[index].is_some() {
                    continue;
                }
                let linter = (index == 0).then_some(&mut *linter);
                match translate_one(parsed, options, &images, linter) {
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
                let made = platforms.zip(done.into_iter().flatten());
                return Ok(Translated {
                    has_triggers: !setting.links.is_empty() || images.have_triggers(),
                    bases_have_triggers: images.have_triggers()
                        || setting
                            .links
                            .iter()
                            .any(|link| link.job.bases_have_triggers()),
                    ..Translated::of(several, made)
                });
            }
            images::resolve(bridge, setting, missing, &mut images).await;
        }
    }

    /// The options of each platform, with the contexts of linked builds.
    async fn options(&self, bridge: &Bridge, setting: &Setting) -> Result<Vec<Options>, Error> {
        let Attributes {
            mut options,
            mut platforms,
            ..
        } = self.asked_with(setting)?;
        if platforms.len() > 1 && !setting.only_platforms.is_empty() {
            platforms.retain(|platform| setting.only_platforms.contains(platform));
        }
        let linked = setting.links.iter();
        let linked = linked.map(|link| link.contexts(bridge, &platforms));
        options
            .contexts
            .extend(try_join_all(linked).await?.into_iter().flatten());
        options.caps = bridge.capabilities().llb;
        let platforms: Vec<Option<Platform>> = match platforms.is_empty() {
            true => vec![None],
            false => platforms.into_iter().map(Some).collect(),
        };
        let with = |platform| Options {
            platform,
            ..options.clone()
        };
        Ok(platforms.into_iter().map(with).collect())
    }

    fn failed(&self, several: bool, options: &Options, error: &crate::translate::Error) -> Error {
        let platform = options.platform.as_ref().filter(|_| several);
        let failed = Error::translate(&self.source, platform, error);
        match &options.platform {
            Some(platform) => failed.built_for(platform),
            None => failed,
        }
    }
}

/// Translates for one platform; with a linter, the findings are collected as well.
fn translate_one(
    parsed: &Parsed,
    options: &Options,
    images: &ResolvedImages,
    linter: Option<&mut Linter>,
) -> Result<Outcome, crate::translate::Error> {
    let platform = options.platform.as_ref().map(tracing::field::display);
    let span = tracing::info_span!("translate", platform);
    span.in_scope(|| match linter {
        Some(linter) => translate_and_lint(&parsed.dockerfile, options, images, linter),
        None => translate(&parsed.dockerfile, options, images),
    })
}
