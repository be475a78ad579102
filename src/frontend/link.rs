//! Contexts that are results of other Dockerfiles: translated here for the same platforms and added
//! to the graph. The daemon sees one graph, so equal vertices are solved once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::job::Plan;
use super::{Error, Job, Setting};
use crate::gateway::Bridge;
use crate::oci::Platform;
use crate::translate::{NamedContext, Translation};

/// A named context that another job creates.
#[derive(Debug, Clone)]
pub struct Link {
    /// The context's name.
    pub name: String,
    /// The job that creates it.
    pub job: Arc<LinkedJob>,
}

/// A job whose results are contexts of others. It is translated once per set of platforms.
#[derive(Debug)]
pub struct LinkedJob {
    job: Job,
    setting: Setting,
    made: Mutex<BTreeMap<Vec<Platform>, Arc<OnceCell<Made>>>>,
    /// True if a base image of a translation so far has triggers.
    bases_have_triggers: AtomicBool,
}

/// Its results, and true if there are several platforms.
#[derive(Debug)]
struct Made {
    several: bool,
    contexts: Vec<(Platform, NamedContext)>,
}

impl LinkedJob {
    /// Combines a job with its settings.
    pub fn new(job: Job, setting: Setting) -> Self {
        Self {
            job,
            setting,
            made: Mutex::default(),
            bases_have_triggers: AtomicBool::new(false),
        }
    }

    /// True if a base image of a translation so far has triggers.
    pub(super) fn bases_have_triggers(&self) -> bool {
        self.bases_have_triggers.load(Ordering::Relaxed)
    }

    async fn translate(&self, bridge: &Bridge, wanted: &[Platform]) -> Result<Made, Error> {
        let Plan::Here(parsed) = &self.job.plan else {
            return Err(Error::LinkedElsewhere {
                dockerfile: self.job.source.path.clone(),
                frontend: self.job.elsewhere().unwrap_or_default().to_owned(),
            });
        };
        let mut setting = self.setting.clone();
        setting.only_platforms = wanted.to_vec();
        // Its findings are reported by its own build.
        let mut linter = parsed.linter.clone();
        let translated = self
            .job
            .translate_all(parsed, &mut linter, bridge, &setting);
        // Links can be nested.
        let translated = Box::pin(translated).await?;
        self.bases_have_triggers
            .fetch_or(translated.bases_have_triggers, Ordering::Relaxed);
        let context = |translation: Translation| {
            let context = NamedContext::Target {
                state: Box::new(translation.state),
                image: Some(Arc::new(translation.image)),
            };
            (translation.platform, context)
        };
        Ok(Made {
            several: translated.several,
            contexts: translated.translations.into_iter().map(context).collect(),
        })
    }
}

impl Link {
    /// Returns the contexts for the translation: one for all platforms, or one per platform.
    ///
    /// # Errors
    /// The other Dockerfile's errors; also if its frontend runs in the daemon.
    pub(super) async fn contexts(
        &self,
        bridge: &Bridge,
        wanted: &[Platform],
    ) -> Result<BTreeMap<String, NamedContext>, Error> {
        let cell = {
            let mut made = self.job.made.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(made.entry(wanted.to_vec()).or_default())
        };
        let made = cell
            .get_or_try_init(|| self.job.translate(bridge, wanted))
            .await?;
        let named = |(platform, context): &(Platform, NamedContext)| {
            let name = match made.several {
                true => format!("{}::{}", self.name, platform.format_all()),
                false => self.name.clone(),
            };
            (name, context.clone())
        };
        Ok(made.contexts.iter().map(named).collect())
    }
}
