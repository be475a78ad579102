//! `--explain` and `--explain-steps`: what is recorded of a build, and when it is reported.

use clap::ValueEnum;
use solvekit::explain::{Built, Records, Report, Store};
use solvekit::pipeline;
use solvekit::progress::Mode;
use solvekit::session::Sent;
use std::time::SystemTime;

use crate::cli::environment::Environment;
use crate::cli::report::explanation;
use crate::cli::report::failure::with_causes;
use crate::cli::report::terminal::{talk, warn};

/// The values of `--explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Explain {
    /// Keep a record, and say what ran and why
    On,
    /// Keep no record of the build
    Off,
}

/// A build that is being recorded.
pub(crate) struct Recording {
    store: Option<Store>,
    records: Records,
    sent: Sent,
    is_shown: bool,
}

/// A target that was built.
pub(crate) struct Target {
    /// Its name in a bake file; empty if one target is built alone.
    pub(crate) name: String,
    /// Distinguishes it from all other targets; `None` if nothing does, as for a context on stdin.
    pub(crate) key: Option<String>,
    /// Its name in messages.
    pub(crate) title: String,
    pub(crate) succeeded: bool,
}

impl Recording {
    /// Records the build, unless recording is off.
    pub(crate) fn new(asked: Option<Explain>, environment: &Environment) -> Self {
        let folder = environment
            .state
            .as_ref()
            .filter(|_| asked != Some(Explain::Off));
        let store = folder.map(|folder| Store::new(folder.join("explain")));
        Self {
            sent: match &store {
                Some(_) => Sent::keeping_tables(),
                None => Sent::default(),
            },
            store,
            records: Records::default(),
            is_shown: asked == Some(Explain::On),
        }
    }

    /// Makes the build record itself.
    pub(crate) fn attach(&self, run: &mut pipeline::Environment) {
        run.sent = self.sent.clone();
        run.records = self.store.is_some().then(|| self.records.clone());
    }

    /// Stores the records of the build, and reports why its steps ran if that was requested.
    pub(crate) fn end(self, targets: Vec<Target>, mode: Mode, environment: &Environment) {
        let Some(store) = &self.store else {
            if self.is_shown {
                warn(
                    "steps cannot be explained without a folder for records: set HOME or \
                     XDG_STATE_HOME",
                );
            }
            return;
        };
        let mut all = self.records.take(&self.sent);
        let is_alone = targets.len() == 1;
        let built = targets.into_iter().filter_map(|target| {
            // A build that runs alone has no target name.
            let built = all
                .remove(&target.name)
                .or_else(|| all.remove("").filter(|_| is_alone));
            let mut built: Built = built?;
            built.record.succeeded = target.succeeded;
            built.record.name = target.title;
            Some((target.name, target.key?, built))
        });
        let note = |error: &dyn std::error::Error| {
            environment.tell_debug(|| format!("records of builds: {}", with_causes(error)));
        };
        let built: Vec<_> = built.collect();
        let report = store.keep(built, SystemTime::now(), &mut |error| note(error));
        if self.is_shown {
            tell(&report, mode);
        }
    }
}

/// Programs that read the progress use `solvekit explain` instead.
fn tell(report: &Report, mode: Mode) {
    if !matches!(mode, Mode::JsonLines | Mode::RawJson) {
        talk(&format!("\n{}", explanation::text(report)));
    }
}

/// The key of a target, from its context and other properties.
pub(crate) fn key(context: &str, parts: &[&str]) -> Option<String> {
    // Two contexts on stdin are unrelated.
    (!matches!(context, "" | "-")).then(|| serde_json::json!([context, parts]).to_string())
}
