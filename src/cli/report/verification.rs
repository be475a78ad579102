//! The output of `verify`: if the build is reproducible, the differences, and the remedies.

use std::path::Path;

use serde_json::{Value, json};
use solvekit::diff::{ImageDiff, causes};
use solvekit::frontend::Source;
use solvekit::oci::Digest;
use solvekit::pipeline::BuildRequest;
use solvekit::text;

use super::image_diff;
use super::remedies::remedies;
use super::steps_of_layers::Steps;

/// The result of the comparison.
pub(crate) struct Verification<'a> {
    pub(crate) against: Against<'a>,
    pub(crate) reproducible: bool,
    pub(crate) settings: Settings,
    pub(crate) dockerfile: Option<Source>,
    /// Steps that came from a cache although the cache was disabled.
    pub(crate) cached: Vec<&'a String>,
    /// Names of the lock that have another digest today.
    pub(crate) moved: Vec<MovedName>,
    /// The folder with the images.
    pub(crate) kept: Option<&'a Path>,
    pub(crate) diff: &'a ImageDiff,
}

/// The other side of the comparison.
#[derive(Clone, Copy)]
pub(crate) enum Against<'a> {
    /// A second build.
    Build,
    /// A second build, both from the base images of this lock.
    Lock(&'a Path),
    /// An image.
    Image(&'a str),
}

/// A name of a lock that has another digest now.
pub(crate) struct MovedName {
    pub(crate) name: String,
    pub(crate) locked: Digest,
    /// `None` if it could not be looked up.
    pub(crate) now: Option<Digest>,
}

/// The settings for reproducible builds that are already on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Settings {
    pub(crate) has_epoch: bool,
    pub(crate) rewrites_times: bool,
    pub(crate) is_locked: bool,
    pub(crate) ignores_times: bool,
}

impl Settings {
    pub(crate) fn of(request: &BuildRequest, ignores_times: bool) -> Self {
        let mut outputs = request.outputs.iter();
        Self {
            has_epoch: request.build_args.contains_key("SOURCE_DATE_EPOCH"),
            rewrites_times: outputs.any(|output| {
                let value = output.attributes.get("rewrite-timestamp");
                value.is_some_and(|value| matches!(value.as_str(), "true" | "1"))
            }),
            is_locked: request.lock.is_some(),
            ignores_times,
        }
    }
}

impl Verification<'_> {
    /// The result as text.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n", self.verdict());
        let steps = self.dockerfile.as_ref().map(Steps::of).unwrap_or_default();
        for platform in &self.diff.platforms {
            let place = |layer: &_| steps.place(layer);
            text.push_str(&image_diff::of_platform(platform, &place));
        }
        text.push_str(&self.others());
        text.push_str(&image_diff::attestations(self.diff));
        text.push_str(&self.moved_names());
        for step in &self.cached {
            let step = text::one_line(step);
            text.push_str(&format!("the daemon did not run this step again: {step}\n"));
        }
        if let Some(folder) = self.kept {
            text.push_str(&self.places(folder));
        }
        let remedies = remedies(&causes(self.diff), self.settings);
        if !self.reproducible && !remedies.is_empty() {
            text.push_str("\nWhat usually helps:\n");
            for remedy in remedies {
                text.push_str(&format!("  - {}\n", remedy.text.replace('\n', "\n    ")));
            }
        }
        text
    }

    fn verdict(&self) -> String {
        let ignored = match self.diff.platforms.iter().any(|it| it.times_ignored) {
            true => " but for times, which were ignored",
            false => "",
        };
        match (self.reproducible, self.against) {
            (true, Against::Build) => {
                format!("reproducible: two builds without cache made the same image{ignored}")
            }
            (true, Against::Lock(path)) => format!(
                "reproducible: two builds without cache from the base images of {} made the same \
                 image{ignored}",
                path.display()
            ),
            (true, Against::Image(name)) => format!(
                "reproducible: the build made the same image as {}{ignored}",
                text::one_line(name)
            ),
            (false, Against::Build) => {
                "not reproducible: two builds without cache made different images".to_owned()
            }
            (false, Against::Lock(path)) => format!(
                "not reproducible: two builds without cache from the base images of {} made \
                 different images",
                path.display()
            ),
            (false, Against::Image(name)) => format!(
                "not reproducible: the build made another image than {}",
                text::one_line(name)
            ),
        }
    }

    /// Platforms that only one of the images has.
    fn others(&self) -> String {
        let words = match self.against {
            Against::Build | Against::Lock(_) => [
                "only the first build made it",
                "only the second build made it",
            ],
            Against::Image(_) => ["not built, not compared", "the image does not have it"],
        };
        let all = [&self.diff.only_left, &self.diff.only_right];
        let lines = all.into_iter().zip(words).flat_map(|(names, words)| {
            let names = names.iter();
            names.map(move |name| format!("{}: {words}\n", text::one_line(name)))
        });
        lines.collect()
    }

    /// The names of the lock that have moved. This is not a failure of the build.
    fn moved_names(&self) -> String {
        let lines = self.moved.iter().map(|it| {
            let name = text::one_line(&it.name);
            match &it.now {
                Some(now) => format!(
                    "the name {name} has moved since it was locked\n  {} → {now}\n  to use what \
                     it is now: solvekit lock --update {name}\n",
                    it.locked
                ),
                None => format!(
                    "the name {name} could not be looked up: {} is used\n",
                    it.locked
                ),
            }
        });
        lines.collect()
    }

    /// The places of the images, in the form that other commands take.
    fn places(&self, folder: &Path) -> String {
        let (left, right) = (&self.diff.left.digest, &self.diff.right.digest);
        let place = |digest| format!("  oci-layout://{}@{digest}\n", folder.display());
        let mut text = "kept:\n".to_owned();
        if let Against::Build | Against::Lock(_) = self.against {
            text.push_str(&place(left));
        }
        if left != right || matches!(self.against, Against::Image(_)) {
            text.push_str(&place(right));
        }
        text
    }

    /// The result as JSON.
    pub(crate) fn json(&self) -> Value {
        let remedies = match self.reproducible {
            true => Vec::new(),
            false => remedies(&causes(self.diff), self.settings),
        };
        let remedies = remedies.iter();
        let remedies = remedies.map(|it| json!({"cause": it.cause, "text": it.text}));
        let moved = self.moved.iter();
        let moved = moved.map(|it| json!({"name": it.name, "locked": it.locked, "now": it.now}));
        let moved: Vec<Value> = moved.collect();
        json!({
            "reproducible": self.reproducible,
            "against": match self.against {
                Against::Build | Against::Lock(_) => None,
                Against::Image(name) => Some(name),
            },
            "againstLock": match self.against {
                Against::Lock(path) => Some(path.display().to_string()),
                Against::Build | Against::Image(_) => None,
            },
            "movedNames": moved,
            "cachedSteps": self.cached,
            "diff": self.diff,
            "remedies": remedies.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests;
