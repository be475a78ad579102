//! A stage on its way from FROM to its last instruction, and the list of all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::{Index, IndexMut};
use std::sync::Arc;

use super::build_args::BuildArgs;
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
    /// The lines of the first RUN that mounts it. The reference has no place for such an image.
    pub(super) mounted_at: Option<Span>,
    /// The platform: FROM's own until the base is resolved, then the one that counts.
    pub(super) platform: Option<Arc<Platform>>,
    /// The stage that this one continues.
    pub(super) base: Option<StageId>,
    /// The context that takes the stage's place.
    pub(super) replaced_by: Option<(String, &'a NamedContext)>,
    /// Stages whose files are used, each with the instruction that uses it last.
    pub(super) needs: Vec<(StageId, Span)>,
    /// The instructions, triggers of the base first.
    pub(super) commands: Vec<Command<'a>>,
    /// Names and numbers of its vertices.
    pub(super) steps: Steps,
    /// The file system so far.
    pub(super) state: State,
    /// The image config so far.
    pub(super) image: Arc<Image>,
    /// Where the config has its variables, once an ENV of this stage has asked.
    pub(super) env_positions: Option<EnvPositions>,
    /// The base image's config as it was found.
    pub(super) base_image: Option<Arc<Image>>,
    /// The ARGs so far, those of the base stage first.
    pub(super) args: BuildArgs,
    /// What is used of the main context.
    pub(super) context_paths: BTreeSet<String>,
    /// The stage that keeps the used paths of this one: a base stage keeps those of its children.
    pub(super) paths_of: StageId,
    /// What is used of this file system, of it and its children.
    pub(super) used_paths: BTreeSet<String>,
    /// What can be given to a build of it, when that is asked for.
    pub(super) outline: Option<Box<Captured>>,
    /// How far it is.
    pub(super) progress: Progress,
    /// How many will still ask for its config: stages that continue it, and the result.
    pub(super) heirs: usize,
    /// Only `--from` names it; it is not a stage of the file.
    pub(super) implied: bool,
    /// Cached results are not used.
    pub(super) ignore_cache: bool,
    /// A WORKDIR was given.
    pub(super) workdir_given: bool,
    /// What keeps the stage from being built, although all of it can be checked.
    pub(super) flaw: Option<Error>,
    /// Where CMD, ENTRYPOINT and HEALTHCHECK were given last in this stage.
    pub(super) given: Given,
    /// What an SBOM scanner looks at of this stage.
    pub(super) scan: Scan,
}

/// What an SBOM scanner looks at of a stage besides the result.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scan {
    /// The main context, if the stage is the target.
    pub(super) context: bool,
    /// The stage's file system.
    pub(super) stage: bool,
}

impl Scan {
    /// What the arguments of a stage that was gone through say.
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

/// Is it true, or a list with the stage's name?
fn covers(value: &str, stage: &str) -> bool {
    match crate::dockerfile::go_bool(value) {
        Some(all) => all,
        None => value.split(',').any(|name| name == stage),
    }
}

/// How far a stage is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// The base is known.
    pub(super) resolved: bool,
    /// Its files can be used.
    pub(super) dispatched: bool,
    /// The triggers of the base stage are among the commands.
    pub(super) triggers_taken: bool,
    /// All its instructions were gone through.
    pub(super) finished: bool,
}

/// Instructions of which only the last one counts.
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
    /// It comes from a trigger of the base.
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
        Arc::make_mut(&mut self.image)
    }

    /// Ends the stage: what only its instructions need goes.
    pub(super) fn finish(&mut self) {
        self.progress.finished = true;
        self.env_positions = None;
        if self.heirs == 0 {
            self.image = Arc::default();
        }
    }

    /// Sets a variable of the config. One that is there keeps its place.
    pub(super) fn set_env(&mut self, key: &str, value: &str) {
        let env = &mut Arc::make_mut(&mut self.image).config.env;
        let positions = self
            .env_positions
            .get_or_insert_with(|| EnvPositions::of(env));
        let assignment = format!("{key}={value}");
        match positions.0.get(key).and_then(|at| env.get_mut(*at)) {
            Some(known) => *known = assignment,
            None => {
                positions.note(env.len(), &assignment);
                env.push(assignment);
            }
        }
    }

    /// Notes what keeps the stage from being built; the first counts.
    pub(super) fn flawed(&mut self, reason: Reason, span: Span) {
        self.flaw
            .get_or_insert_with(|| Error::from(reason).at_our(Some(span)));
    }

    /// Applies `change` to the file system.
    pub(super) fn update(&mut self, change: impl FnOnce(State) -> State) {
        let state = std::mem::take(&mut self.state);
        self.state = change(state);
    }

    /// The operating system of the stage's platform; empty when it has none.
    pub(super) fn os(&self) -> &str {
        self.platform.as_ref().map_or("", |platform| &platform.os)
    }

    /// Adds a line to the image's history. RUN, COPY and ADD get the reference's mark behind their
    /// text.
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

/// The position of the first assignment of each variable. A name ends at the first `=`.
#[derive(Debug, Default)]
pub(super) struct EnvPositions(HashMap<String, usize>);

impl EnvPositions {
    fn of(env: &[String]) -> Self {
        let mut positions = Self::default();
        for (at, assignment) in env.iter().enumerate() {
            positions.note(at, assignment);
        }
        positions
    }

    fn note(&mut self, at: usize, assignment: &str) {
        let (name, _) = assignment.split_once('=').unwrap_or((assignment, ""));
        self.0.entry(name.to_owned()).or_insert(at);
    }
}

/// What an instruction adds to the image's layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// Nothing.
    None,
    /// A layer.
    Plain,
    /// A layer, and the mark in the history.
    Marked,
}

/// How much a translation may make, in bytes. BuildKit has no such bound, but its daemon takes no
/// message of more than 16 MiB; and every RUN has a copy of its environment, so that a file of some
/// 10,000 lines can ask for gigabytes.
const MAX_SIZE: usize = 64 << 20;

/// All stages: those of the file in order, then the images that `--from` names.
#[derive(Default)]
pub(super) struct Stages<'a> {
    list: Vec<Stage<'a>>,
    /// The last stage of each name.
    by_name: BTreeMap<&'a str, StageId>,
    /// How much was made so far, roughly and in bytes.
    size: usize,
}

impl<'a> Stages<'a> {
    /// Adds a stage. A base that is the name of an earlier stage, in the same case, is that stage.
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

    /// Counts what an instruction made.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Reason> {
        self.size = self.size.saturating_add(bytes);
        match self.size > MAX_SIZE {
            true => Err(Reason::TooLarge {
                limit: MAX_SIZE >> 20,
            }),
            false => Ok(()),
        }
    }

    /// The config and the ARGs of `base`, for a stage that continues it: the last one to ask takes
    /// them.
    pub(super) fn inherit(&mut self, base: StageId) -> (Arc<Image>, BuildArgs) {
        let stage = &mut self.list[base];
        stage.heirs = stage.heirs.saturating_sub(1);
        // Each variable is set again, also where the config is handed on.
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

    /// The last stage of this name, in any case.
    pub(super) fn by_name(&self, name: &str) -> Option<StageId> {
        match self.by_name.get(name) {
            Some(id) => Some(*id),
            None if name.bytes().any(|byte| byte.is_ascii_uppercase()) || !name.is_ascii() => {
                self.by_name.get(name.to_lowercase().as_str()).copied()
            }
            None => None,
        }
    }

    /// The names that stages are called by, `stage-0` and the like among them.
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
