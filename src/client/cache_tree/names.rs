//! Names of cache records: the steps of known builds, or else the daemon's description.

use std::collections::{HashMap, HashSet};

use solvekit_core::explain::{Kind, Record, Step, description_hash};

use super::CachedBuild;
use super::shape::Links;
use crate::client::CacheRecord;

/// The most builds that are distinguished: the number of bits in a mask.
const MAX_BUILDS: usize = 128;
/// The most steps that a record is compared with; many builds may contain the same command.
const MAX_STEPS: usize = 256;
/// The prefix of the daemon's description of an image's layers.
const PULLED: &str = "pulled from ";
/// The prefix of the daemon's description of a command's files.
const EXEC: &str = "mount / from exec ";

/// The position of a step: the build, the graph and the index in it.
type Place = (usize, usize, usize);

/// A step with all steps of its graph.
struct Found<'a> {
    step: &'a Step,
    steps: &'a [Step],
}

/// The recognised steps.
pub(super) struct Known<'a> {
    builds: &'a [Record],
    steps: Vec<Option<&'a Step>>,
    /// For each record, a bit for each build that it belongs to.
    masks: Vec<u128>,
    /// The index of each build among those that have records.
    shown: Vec<usize>,
}

impl<'a> Known<'a> {
    pub(super) fn new(records: &[CacheRecord], links: &Links, builds: &'a [Record]) -> Self {
        let builds = &builds[..builds.len().min(MAX_BUILDS)];
        let by_hash = by_hash(builds);
        let order = links.parents_first();
        let mut places: Vec<HashSet<Place>> = vec![HashSet::new(); records.len()];
        let mut steps: Vec<Option<&Step>> = vec![None; records.len()];
        let mut masks = vec![0_u128; records.len()];
        for number in &order {
            let hash = description_hash(&records[*number].description);
            let parents = &links.parents[*number];
            for (place, found) in by_hash.get(&hash).into_iter().flatten() {
                if follows(place, found, parents, &places, records) {
                    places[*number].insert(*place);
                    steps[*number].get_or_insert(found.step);
                    masks[*number] |= 1 << place.0;
                }
            }
        }
        // The parents of a build's records belong to the build too.
        for number in order.iter().rev() {
            for parent in &links.parents[*number] {
                masks[*parent] |= masks[*number];
            }
        }
        let all = masks.iter().fold(0, |all, mask| all | mask);
        let before = |bit: usize| (0..bit).filter(|bit| all >> bit & 1 == 1).count();
        Self {
            shown: (0..builds.len()).map(before).collect(),
            builds,
            steps,
            masks,
        }
    }

    pub(super) fn step(&self, number: usize) -> Option<&'a str> {
        Some(self.steps[number]?.name.as_str())
    }

    pub(super) fn builds_of(&self, number: usize) -> impl Iterator<Item = usize> {
        let mask = self.masks[number];
        let bits = (0..self.builds.len()).filter(move |bit| mask >> bit & 1 == 1);
        bits.map(|bit| self.shown[bit])
    }

    pub(super) fn builds(&self, records: &[CacheRecord]) -> Vec<CachedBuild> {
        let builds = self.builds.iter().enumerate().map(|(bit, build)| {
            let mut found = CachedBuild {
                name: build.name.clone(),
                records: 0,
                bytes: 0,
                own_bytes: 0,
            };
            let parts = self.masks.iter().zip(records);
            for (mask, record) in parts.filter(|(mask, _)| *mask >> bit & 1 == 1) {
                let size = record.size.max(0);
                found.records += 1;
                found.bytes = found.bytes.saturating_add(size);
                if *mask == 1 << bit {
                    found.own_bytes = found.own_bytes.saturating_add(size);
                }
            }
            found
        });
        builds.filter(|build| build.records > 0).collect()
    }
}

fn by_hash(builds: &[Record]) -> HashMap<String, Vec<(Place, Found<'_>)>> {
    let mut by_hash: HashMap<String, Vec<(Place, Found<'_>)>> = HashMap::new();
    for (build, record) in builds.iter().enumerate() {
        for (graph, steps) in record.graphs.iter().enumerate() {
            let numbered = steps.steps.iter().enumerate();
            for (number, step) in numbered.filter(|(_, step)| !step.described.is_empty()) {
                let places = by_hash.entry(step.described.clone()).or_default();
                if places.len() < MAX_STEPS && !step.kind.is_source() {
                    let steps = &steps.steps;
                    places.push(((build, graph, number), Found { step, steps }));
                }
            }
        }
    }
    by_hash
}

/// True if the record's parents match the step's inputs.
fn follows(
    place: &Place,
    known: &Found<'_>,
    parents: &[usize],
    places: &[HashSet<Place>],
    records: &[CacheRecord],
) -> bool {
    let step = known.step;
    let is_input = |parent: &usize| {
        let inputs = step.inputs.iter();
        let mut inputs = inputs.map(|input| (place.0, place.1, *input));
        inputs.any(|input| places[*parent].contains(&input))
    };
    let is_image = |parent: &usize| {
        let inputs = step
            .inputs
            .iter()
            .filter_map(|input| known.steps.get(*input));
        let mut images = inputs.filter(|input| input.kind == Kind::Image);
        images.any(|image| is_layer_of(&records[*parent].description, image))
    };
    match parents.is_empty() {
        true => step.kind != Kind::Run || step.inputs.is_empty(),
        false => parents.iter().any(|it| is_image(it) || is_input(it)),
    }
}

/// True if a record can be a layer of the image. Layers that were built or imported on the daemon
/// do not name an image.
fn is_layer_of(description: &str, image: &Step) -> bool {
    let digest = |text: &str| text.split_once('@').map(|(_, digest)| digest.to_owned());
    let Some(pulled) = description.strip_prefix(PULLED) else {
        return true;
    };
    let mut images = image.facts.iter().filter(|fact| fact.key == "image");
    images.all(|fact| match (digest(pulled), digest(&fact.value)) {
        (Some(pulled), Some(wanted)) => pulled == wanted,
        _ => true,
    })
}

/// Derives a step from the daemon's description of its record.
pub(super) fn of_description(description: &str) -> String {
    if let Some(command) = description.strip_prefix(EXEC) {
        let command = command.strip_prefix("/bin/sh -c ").unwrap_or(command);
        return format!("RUN {command}");
    }
    if let Some(image) = description.strip_prefix(PULLED) {
        return format!("layer of {image}");
    }
    description.to_owned()
}

/// The stage in a step's name: `build` for `[linux/arm64 build 2/5] RUN make`.
pub(super) fn stage(step: &str) -> Option<String> {
    let (place, _) = step.strip_prefix('[')?.split_once("] ")?;
    let mut words = place.split(' ').rev();
    let (number, all) = words.next()?.split_once('/')?;
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    let stage = words.next()?;
    let is_stage = is_number(number) && is_number(all) && !stage.contains('/');
    is_stage.then(|| stage.to_owned())
}
