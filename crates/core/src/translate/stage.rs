//! A stage between FROM and its last instruction, and the list of all stages.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, Index, IndexMut};
use std::sync::{Arc, LazyLock};

use super::build_args::BuildArgs;
use super::env_positions::EnvPositions;
use super::error::Error;
use super::names::Steps;
use super::options::NamedContext;
use super::outline::Captured;
use super::reason::Reason;
use super::scope::Scope;
use crate::dockerfile::{Instruction, Span};
use crate::llb::State;
use crate::oci::{HistoryEntry, Image, Platform};

/// The position of a stage in the list.
pub(super) type StageId = usize;

/// A stage of the Dockerfile, or an image that only `--from` names.
#[derive(Default)]
pub(super) struct Stage<'a> {
    /// The name after AS, in lower case.
    pub(super) name: Option<&'a str>,
    /// The expanded base; a normalised reference once it is known to be an image.
    pub(super) base_name: String,
    /// The FROM line.
    pub(super) from_text: &'a str,
    /// The lines of FROM, or of the COPY that names the image.
    pub(super) span: Option<Span>,
    /// The lines of the first RUN that mounts it. The reference has no position for such an image.
    pub(super) mounted_at: Option<Span>,
    /// The platform: FROM's own until the base is resolved, then the final one.
    pub(super) platform: Option<Arc<Platform>>,
    /// The stage that this one continues.
    pub(super) base: Option<StageId>,
    /// The named context that replaces the stage.
    pub(super) replaced_by: Option<(String, &'a NamedContext)>,
    /// Stages whose files are used, each with the instruction that uses it last.
    pub(super) needs: Vec<(StageId, Span)>,
    /// The instructions, triggers of the base first.
    pub(super) commands: Vec<Command<'a>>,
    /// The counter of its vertices' names.
    pub(super) steps: Steps,
    /// The file system so far.
    pub(super) state: State,
    /// The image config so far.
    pub(super) image: SharedImage,
    /// The positions of the config's variables.
    pub(super) env_positions: EnvPositions,
    /// The unchanged config of the base image.
    pub(super) base_image: Option<Arc<Image>>,
    /// The ARGs so far, those of the base stage first.
    pub(super) args: BuildArgs,
    /// The used paths of the main context.
    pub(super) context_paths: BTreeSet<String>,
    /// The stage that records the used paths of this one: a base stage records those of its
    /// children.
    pub(super) paths_of: StageId,
    /// The used paths of this file system, by it and its children.
    pub(super) used_paths: BTreeSet<String>,
    /// The inputs of a build of the stage, if an outline is requested.
    pub(super) outline: Option<Box<Captured>>,
    /// The progress of the translation.
    pub(super) progress: Progress,
    /// The number of stages (and the result) that will still use its config.
    pub(super) heirs: usize,
    /// True if only `--from` names it, so it is not a stage of the file.
    pub(super) implied: bool,
    /// True if cached results are not used.
    pub(super) ignore_cache: bool,
    /// True if a WORKDIR was given.
    pub(super) workdir_given: bool,
    /// The error that prevents a build, although the whole stage can be checked.
    pub(super) flaw: Option<Error>,
    /// The last CMD, ENTRYPOINT and HEALTHCHECK of this stage.
    pub(super) given: Given,
    /// The parts of this stage that an SBOM scanner scans.
    pub(super) scan: Scan,
}

/// An image config that stages share until one changes it.
#[derive(Clone)]
pub(super) struct SharedImage(pub(super) Arc<Image>);

impl Default for SharedImage {
    /// Returns the empty config. It is shared too, because every stage begins with it.
    fn default() -> Self {
        static EMPTY: LazyLock<Arc<Image>> = LazyLock::new(Arc::default);
        Self(EMPTY.clone())
    }
}

impl Deref for SharedImage {
    type Target = Image;

    fn deref(&self) -> &Image {
        &self.0
    }
}

/// The parts of a stage that an SBOM scanner scans besides the result.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scan {
    /// True for the main context, if the stage is the target.
    pub(super) context: bool,
    /// True for the stage's file system.
    pub(super) stage: bool,
}

impl Scan {
    /// Reads the ARGs of a stage after its last instruction.
    pub(super) fn of(scope: &Scope<'_>, stage: &Stage<'_>) -> Self {
        let is_asked = |argument: &str| {
            let own = stage.args.last_value(argument);
            let value = own.or(scope.global_args.get(argument));
            value.is_some_and(|value| covers(value, &stage.steps.stage))
        };
        Self {
            context: is_asked("BUILDKIT_SBOM_SCAN_CONTEXT"),
            stage: is_asked("BUILDKIT_SBOM_SCAN_STAGE"),
        }
    }
}

/// True if the value is true, or a list that contains the stage's name.
fn covers(value: &str, stage: &str) -> bool {
    match crate::dockerfile::go_bool(value) {
        Some(all) => all,
        None => value.split(',').any(|name| name == stage),
    }
}

/// The progress of a stage's translation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// The base is known.
    pub(super) resolved: bool,
    /// Other stages can use its files.
    pub(super) dispatched: bool,
    /// The triggers of the base stage are in `commands`.
    pub(super) triggers_taken: bool,
    /// All its instructions are dispatched.
    pub(super) finished: bool,
}

/// The lines of instructions of which only the last one has an effect.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Given {
    pub(super) cmd: Option<Span>,
    pub(super) entrypoint: Option<Span>,
    pub(super) healthcheck: Option<Span>,
}

/// An instruction with the stages that it uses.
#[derive(Clone)]
pub(super) struct Command<'a> {
    pub(super) instruction: Source<'a>,
    /// The stage of COPY `--from`, or of each mount of RUN.
    pub(super) sources: Vec<StageId>,
    /// True if it comes from a trigger of the base.
    pub(super) on_build: bool,
}

/// An instruction of the file, or one read from a trigger.
#[derive(Clone)]
pub(super) enum Source<'a> {
    File(&'a Instruction),
    Trigger(Arc<Instruction>),
}

impl Source<'_> {
    pub(super) fn get(&self) -> &Instruction {
        match self {
            Self::File(instruction) => instruction,
            Self::Trigger(instruction) => instruction,
        }
    }
}

impl Stage<'_> {
    pub(super) fn image_mut(&mut self) -> &mut Image {
        Arc::make_mut(&mut self.image.0)
    }

    /// Finishes the stage and drops the data that only its instructions need.
    pub(super) fn finish(&mut self) {
        self.progress.finished = true;
        self.env_positions = EnvPositions::default();
        if self.heirs == 0 {
            self.image = SharedImage::default();
        }
    }

    /// Sets a variable of the config. An existing one keeps its position.
    pub(super) fn set_env(&mut self, key: &str, value: &str) {
        let env = &mut Arc::make_mut(&mut self.image.0).config.env;
        let assignment = [key, "=", value].concat();
        match self
            .env_positions
            .find(env, key)
            .and_then(|at| env.get_mut(at))
        {
            Some(known) => *known = assignment,
            None => env.push(assignment),
        }
    }

    /// Records an error that prevents a build; the first one is kept.
    pub(super) fn flawed(&mut self, reason: Reason, span: Span) {
        self.flaw
            .get_or_insert_with(|| Error::from(reason).at_our(Some(span)));
    }

    /// Applies `change` to the file system.
    pub(super) fn update(&mut self, change: impl FnOnce(State) -> State) {
        let state = std::mem::take(&mut self.state);
        self.state = change(state);
    }

    /// Returns the operating system of the stage's platform; empty if it has none.
    pub(super) fn os(&self) -> &str {
        self.platform.as_ref().map_or("", |platform| &platform.os)
    }

    /// Adds an entry to the image's history. Entries of RUN, COPY and ADD end with the reference's
    /// mark.
    pub(super) fn commit(&mut self, mut text: String, layer: Layer, created: Option<&str>) {
        if layer == Layer::Marked {
            text.push_str(" # buildkit");
        }
        let entry = HistoryEntry {
            created: created.map(str::to_owned),
            created_by: text,
            comment: "buildkit.dockerfile.v0".to_owned(),
            empty_layer: layer == Layer::None,
            ..HistoryEntry::default()
        };
        self.image_mut().history.push(entry);
    }
}

/// The layer that an instruction adds to the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// No layer.
    None,
    /// A layer.
    Plain,
    /// A layer, and the mark in the history entry.
    Marked,
}

/// The most bytes that a translation may produce. BuildKit has no such limit, but its daemon
/// rejects messages of more than 16 MiB; and every RUN copies its environment, so that a file of
/// some 10,000 lines can ask for gigabytes.
const MAX_SIZE: usize = 64 << 20;

/// All stages: those of the file in order, then the images that `--from` names.
#[derive(Default)]
pub(super) struct Stages<'a> {
    list: Vec<Stage<'a>>,
    /// The last stage of each name.
    by_name: BTreeMap<&'a str, StageId>,
    /// The approximate number of bytes produced so far.
    size: usize,
}

impl<'a> Stages<'a> {
    /// Returns an empty list with room for `count` stages.
    pub(super) fn with_capacity(count: usize) -> Self {
        Self {
            list: Vec::with_capacity(count),
            ..Self::default()
        }
    }

    /// Adds a stage. If its base is the name of an earlier stage, in the same case, it continues
    /// that stage.
    pub(super) fn add(&mut self, mut stage: Stage<'a>) -> StageId {
        let id = self.list.len();
        stage.paths_of = id;
        stage.base = self.by_name.get(stage.base_name.as_str()).copied();
        if let Some(name) = stage.name {
            self.by_name.insert(name, id);
        }
        self.list.push(stage);
        id
    }

    /// Counts the bytes that an instruction produced; fails beyond [`MAX_SIZE`].
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Reason> {
        self.size = self.size.saturating_add(bytes);
        match self.size > MAX_SIZE {
            true => Err(Reason::TooLarge {
                limit: MAX_SIZE >> 20,
            }),
            false => Ok(()),
        }
    }

    /// Returns the config and the ARGs of `base` for a stage that continues it. The last user takes
    /// them without a copy.
    pub(super) fn inherit(&mut self, base: StageId) -> (SharedImage, BuildArgs) {
        let stage = &mut self.list[base];
        stage.heirs = stage.heirs.saturating_sub(1);
        // Each variable is set again, even if the config is moved.
        self.size += 16 * stage.image.config.env.len();
        let was_last = stage.heirs == 0 && stage.progress.finished;
        if was_last {
            return (
                std::mem::take(&mut stage.image),
                std::mem::take(&mut stage.args),
            );
        }
        self.size += 16 * (stage.image.history.len() + stage.args.len());
        (stage.image.clone(), stage.args.clone())
    }

    /// Returns the last stage of this name, in any case.
    pub(super) fn by_name(&self, name: &str) -> Option<StageId> {
        match self.by_name.get(name) {
            Some(id) => Some(*id),
            None if name.bytes().any(|byte| byte.is_ascii_uppercase()) || !name.is_ascii() => {
                self.by_name.get(name.to_lowercase().as_str()).copied()
            }
            None => None,
        }
    }

    /// Returns the names of all stages, including `stage-0` and the like.
    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.list
            .iter()
            .map(|stage| stage.steps.stage.as_str())
            .filter(|label| !label.is_empty())
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Stage<'a>> {
        self.list.iter()
    }
}

impl<'a> Index<StageId> for Stages<'a> {
    type Output = Stage<'a>;

    fn index(&self, id: StageId) -> &Stage<'a> {
        &self.list[id]
    }
}

impl<'a> IndexMut<StageId> for Stages<'a> {
    fn index_mut(&mut self, id: StageId) -> &mut Stage<'a> {
        &mut self.list[id]
    }
}
