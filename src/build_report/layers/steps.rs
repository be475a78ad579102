//! The numbered steps of a build's timeline, and which of them is based on which.

use std::collections::{HashMap, HashSet};

use crate::build_report::ImageReport;
use crate::oci::history_key;
use crate::progress::TimelineStep;

/// A numbered step of a stage: `[linux/arm64 build 2/5] RUN make`.
struct Numbered<'a> {
    step: &'a TimelineStep,
    /// The stage: the text before the number.
    stage: &'a str,
    number: u32,
    is_last: bool,
    key: String,
}

/// The steps that can have made the layers of an image.
pub(super) struct Steps<'a> {
    all: Vec<Numbered<'a>>,
    /// The target that steps are named after, if there are several targets.
    target: &'a str,
    by_key: HashMap<String, Vec<usize>>,
    /// The step of a stage and number. If there are several, such as a download and the copy of it,
    /// the one that needs the others.
    by_place: HashMap<(&'a str, u32), usize>,
    by_digest: HashMap<&'a str, usize>,
    /// All steps that other steps need.
    needed: HashSet<&'a str>,
}

impl<'a> Steps<'a> {
    pub(super) fn of(timeline: &'a [TimelineStep], image: &'a ImageReport) -> Self {
        let own = timeline.iter().filter(|step| is_of(step, image));
        let inputs = timeline.iter().flat_map(|step| &step.inputs);
        let mut steps = Self {
            all: own.filter_map(numbered).collect(),
            target: &image.target,
            by_key: HashMap::new(),
            by_place: HashMap::new(),
            by_digest: HashMap::new(),
            // Another platform may be the one that needs a step.
            needed: inputs.map(String::as_str).collect(),
        };
        for (at, found) in steps.all.iter().enumerate() {
            steps.by_key.entry(found.key.clone()).or_default().push(at);
            steps.by_digest.insert(&found.step.digest, at);
            let place = steps.by_place.entry((found.stage, found.number));
            let other = place.or_insert(at);
            if found.step.inputs.contains(&steps.all[*other].step.digest) {
                *other = at;
            }
        }
        steps
    }

    /// The step of the timeline.
    pub(super) fn step(&self, at: usize) -> &'a TimelineStep {
        self.all[at].step
    }

    /// The step that made the last layer, by the layer's key.
    pub(super) fn last(&self, key: &str) -> Option<usize> {
        let same = self.by_key.get(key).map(Vec::as_slice).unwrap_or_default();
        if !same.is_empty() {
            return self.only(same);
        }
        // A variable or here-document: the history shows it differently.
        let ends = self.by_place.values().copied().filter(|at| {
            let end = &self.all[*at];
            end.is_last && !self.needed.contains(&*end.step.digest)
        });
        let end = self.only(&ends.collect::<Vec<_>>())?;
        match is_about(&self.all[end].key, key) {
            true => Some(end),
            false => self.below(end, key),
        }
    }

    /// The only one of these steps, or else the only one among them that is the target's, or that
    /// ends a stage.
    fn only(&self, steps: &[usize]) -> Option<usize> {
        let mut left = steps.to_vec();
        let is_own = |at: &usize| self.all[*at].stage.split(' ').next() == Some(self.target);
        if left.len() > 1 && left.iter().any(is_own) {
            left.retain(is_own);
        }
        if left.len() > 1 {
            left.retain(|at| self.all[*at].is_last);
        }
        match left.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// The step that made the layer below that of the step `above`, by the layer's key. Steps
    /// between them made no layer.
    pub(super) fn below(&self, above: usize, key: &str) -> Option<usize> {
        let mut seen = HashSet::from([above]);
        let mut nearest = None;
        let mut may_differ = true;
        let mut at = above;
        while let Some(base) = self.base(at).filter(|base| seen.insert(*base)) {
            let found = &self.all[base];
            if found.key == key {
                return Some(base);
            }
            if may_differ && is_about(&found.key, key) {
                nearest = nearest.or(Some(base));
            }
            // A folder that exists already makes no layer.
            may_differ &= found.key.starts_with("WORKDIR ");
            at = base;
        }
        nearest
    }

    /// The step that a step is based on: the one before it, or the end of its stage's base.
    fn base(&self, at: usize) -> Option<usize> {
        let own = &self.all[at];
        let place = (own.stage, own.number.checked_sub(1)?);
        if let Some(before) = self.by_place.get(&place) {
            return Some(*before);
        }
        // The first input of a step is its base.
        let top = self.by_place.get(&(own.stage, own.number)).unwrap_or(&at);
        let first = self.all[*top].step.inputs.first()?;
        let base = *self.by_digest.get(first.as_str())?;
        (self.all[base].stage != own.stage).then_some(base)
    }
}

/// True if the step can have made the layer. A history shows variables and here-documents
/// differently, so only the keyword is compared.
fn is_about(step: &str, layer: &str) -> bool {
    let keyword = |text: &str| text.split(' ').next().map(str::to_owned);
    keyword(step) == keyword(layer)
}

/// True if the step belongs to the image's target and platform, as far as its name tells.
fn is_of(step: &TimelineStep, image: &ImageReport) -> bool {
    let Some(group) = &step.group else {
        return true;
    };
    image.platform.is_empty() || group.rsplit(' ').next() == Some(&image.platform)
}

fn numbered(step: &TimelineStep) -> Option<Numbered<'_>> {
    let (place, text) = step.name.strip_prefix('[')?.split_once("] ")?;
    let (stage, number) = place.rsplit_once(' ').unwrap_or(("", place));
    let (number, count) = number.split_once('/')?;
    let (number, count): (u32, u32) = (number.parse().ok()?, count.parse().ok()?);
    Some(Numbered {
        step,
        stage,
        number,
        is_last: number == count,
        // A history does not tell that a COPY has --link.
        key: history_key(text.strip_prefix("LINK ").unwrap_or(text)),
    })
}
