//! Dispatches the instructions of a stage in order.

mod add;
mod chmod;
mod config;
mod copy;
mod copy_actions;
mod expose;
mod go_format;
mod run;
mod run_mounts;
mod system_path;
mod transfer;
mod variables;
mod workdir;

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::error::Error;
use super::lint::Lint;
use super::onbuild;
use super::reason::Reason;
use super::scope::Scope;
use super::stage::{Command, Layer, Scan, Stage, StageId, Stages};
use super::start;
use crate::dockerfile::{ExpandError, Expansion, Instruction, InstructionKind, Lexer, Linter};
use crate::llb::{Env, State, path};

/// Builds the stage's file system and config. Its base and the stages it uses are done.
pub(super) fn dispatch<'a>(
    scope: &Scope<'a>,
    lint: &mut Lint<'_>,
    stages: &mut Stages<'a>,
    id: StageId,
) -> Result<(), Error> {
    onbuild::inherit(stages, id);
    stages[id].progress.dispatched = true;
    let mut stage = std::mem::take(&mut stages[id]);
    let done = run_all(scope, lint, stages, id, &mut stage);
    stage.scan = Scan::of(scope, &stage);
    stage.finish();
    stages[id] = stage;
    done
}

fn run_all<'a>(
    scope: &Scope<'a>,
    lint: &mut Lint<'_>,
    stages: &mut Stages<'a>,
    id: StageId,
    stage: &mut Stage<'a>,
) -> Result<(), Error> {
    begin(scope, stage)?;
    let commands = std::mem::take(&mut stage.commands);
    let mut done = Ok(());
    for command in &commands {
        let instruction = command.instruction.get();
        let mut step = Step {
            scope,
            lint,
            stages,
            id,
            stage,
            instruction,
            sources: &command.sources,
        };
        if let Err(error) = step.dispatch(command).and_then(|()| step.account()) {
            done = Err(error.at(Some(instruction.span)));
            break;
        }
    }
    stage.commands = commands;
    done
}

/// Initializes the stage from the image config, before its first instruction.
fn begin(scope: &Scope<'_>, stage: &mut Stage<'_>) -> Result<(), Error> {
    if stage.platform.is_none() {
        stage.platform = Some(scope.platforms.target.clone());
    }
    let has_path = |assignment: &String| {
        assignment
            .split_once('=')
            .map_or(assignment.as_str(), |(key, _)| key)
            == "PATH"
    };
    if !stage.image.config.env.iter().any(has_path)
        && let Some(path) = start::default_path(stage.os())
    {
        stage.image_mut().config.env.push(format!("PATH={path}"));
    }
    // A second handle to the image would make the next change copy its whole history.
    let (config, state) = (&stage.image.config, std::mem::take(&mut stage.state));
    let mut state = state.with_assignments(&config.env);
    if let Some(hostname) = scope
        .options
        .hostname
        .as_deref()
        .filter(|name| !name.is_empty())
    {
        state = state.with_hostname(hostname);
    }
    if !config.user.is_empty() {
        state = state.with_user(&config.user);
    }
    let dir = config.working_dir.clone();
    stage.state = state.with_network(scope.options.network);
    if !dir.is_empty() {
        let span = stage.span;
        workdir::enter(stage, &dir).map_err(|reason| Error::from(reason).at(span))?;
    }
    Ok(())
}

/// One instruction of a stage, with everything that it may read and change.
pub(super) struct Step<'s, 'a, 'l> {
    pub(super) scope: &'s Scope<'a>,
    lint: &'s mut Lint<'l>,
    stages: &'s mut Stages<'a>,
    id: StageId,
    pub(super) stage: &'s mut Stage<'a>,
    pub(super) instruction: &'s Instruction,
    pub(super) sources: &'s [StageId],
}

impl<'s> Step<'s, '_, '_> {
    fn dispatch(&mut self, command: &Command<'_>) -> Result<(), Error> {
        use InstructionKind as Kind;
        if self.instruction.invalid_utf8 && reaches_the_graph(&self.instruction.kind) {
            self.stage
                .flawed(Reason::InvalidUtf8, self.instruction.span);
        }
        self.stage.steps.on_build = command.on_build;
        match &self.instruction.kind {
            Kind::Add(add) => add::dispatch(self, add),
            Kind::Arg(arg) => variables::arg(self, arg),
            Kind::Cmd(cmd) => config::cmd(self, cmd),
            Kind::Copy(copy) => copy::dispatch(self, copy),
            Kind::Entrypoint(entrypoint) => config::entrypoint(self, entrypoint),
            Kind::Env(env) => variables::env(self, env),
            Kind::Expose(expose) => expose::dispatch(self, expose),
            Kind::Healthcheck(healthcheck) => config::healthcheck(self, healthcheck),
            Kind::Label(label) => variables::label(self, label),
            Kind::Maintainer(author) => config::maintainer(self, author),
            Kind::Onbuild(trigger) => config::onbuild(self, trigger),
            Kind::Run(run) => run::dispatch(self, run),
            Kind::Shell(shell) => config::shell(self, shell),
            Kind::StopSignal(signal) => config::stop_signal(self, signal),
            Kind::User(user) => config::user(self, user),
            Kind::Volume(volumes) => config::volume(self, volumes),
            Kind::Workdir(dir) => workdir::dispatch(self, dir),
        }
    }

    /// Counts the size of the instruction's results: its history entry has all text expanded, and
    /// RUN copies the environment.
    fn account(&mut self) -> Result<(), Error> {
        let history = self.stage.image.history.last();
        let text = history.map_or(0, |entry| entry.created_by.len());
        let env = match self.instruction.kind {
            InstructionKind::Run(_) => self.stage.state.env().size(),
            _ => 0,
        };
        Ok(self.stages.grow(text + env)?)
    }

    /// Expands the variables of a word, with the stage's current environment.
    pub(super) fn expand<'w>(&mut self, word: &'w str) -> Result<Cow<'w, str>, Error> {
        self.expand_with(&self.scope.lexer, word)
    }

    pub(super) fn expand_with<'w>(
        &mut self,
        lexer: &Lexer,
        word: &'w str,
    ) -> Result<Cow<'w, str>, Error> {
        let expanded = lexer.expand(word, self.stage.state.env());
        Ok(self.checked(expanded)?.text)
    }

    /// Reports variables that are not set to the linter.
    fn checked<'w>(
        &mut self,
        expanded: Result<Expansion<'w>, ExpandError>,
    ) -> Result<Expansion<'w>, ExpandError> {
        let unmatched = match &expanded {
            Ok(expansion) => &expansion.unmatched,
            Err(error) => &error.unmatched,
        };
        for name in unmatched {
            let declared = self.stage.args.contains(name);
            if !declared && !variables::NOT_IN_ENVIRONMENT.contains(&name.as_str()) {
                let known = self.stage.state.env().keys();
                self.lint
                    .with(|linter| linter.undefined_variable(self.instruction, name, known));
            }
        }
        expanded
    }

    /// Reports a finding about this instruction.
    pub(super) fn lint(&mut self, report: impl FnOnce(&mut Linter, &Instruction)) {
        self.lint.with(|linter| report(linter, self.instruction));
    }

    /// Reports a source that `.dockerignore` excludes from the context.
    pub(super) fn lint_source(&mut self, source: &str) {
        self.lint
            .ignored_source(self.scope.options, self.instruction, source);
    }

    /// Expands the variables of a mount's value.
    pub(super) fn expand_mount_value(&mut self, word: &str) -> Result<String, ExpandError> {
        let expanded = self.scope.lexer.expand(word, self.stage.state.env());
        Ok(self.checked(expanded)?.text.into_owned())
    }

    /// Returns the instruction as it is shown: the keyword in capitals, variables expanded where
    /// possible.
    pub(super) fn shown(&self) -> Cow<'s, str> {
        shown(
            &self.scope.lexer,
            &self.instruction.original,
            self.stage.state.env(),
        )
    }

    /// Adds an entry to the image's history.
    pub(super) fn commit(&mut self, text: String, layer: Layer) {
        self.stage.commit(text, layer, self.scope.created());
    }

    /// Returns the current state of the stage that a `--from` names.
    pub(super) fn source(&self, id: StageId) -> Source<'_> {
        let stage: &Stage<'_> = if id == self.id {
            self.stage
        } else {
            &self.stages[id]
        };
        Source {
            state: &stage.state,
            dispatched: stage.progress.dispatched,
        }
    }

    /// Records that `path` of the main context is used.
    pub(super) fn use_context_path(&mut self, path: &str) {
        insert(&mut self.stage.context_paths, &path::rooted(path));
    }

    /// Records that `path` of a stage is used.
    pub(super) fn use_stage_path(&mut self, id: StageId, path: &str) {
        let owner = if id == self.id {
            self.stage.paths_of
        } else {
            self.stages[id].paths_of
        };
        self.note(owner, &path::rooted(path));
    }

    /// Records that any file of this stage may be used.
    pub(super) fn use_all_paths(&mut self) {
        self.note(self.stage.paths_of, "/");
    }

    fn note(&mut self, owner: StageId, path: &str) {
        let paths = if owner == self.id {
            &mut self.stage.used_paths
        } else {
            &mut self.stages[owner].used_paths
        };
        insert(paths, path);
    }
}

/// Adds a path that may be there already.
fn insert(paths: &mut BTreeSet<String>, path: &str) {
    if !paths.contains(path) {
        paths.insert(path.to_owned());
    }
}

/// True if the instruction's text becomes part of a vertex: its own or that of a later RUN.
fn reaches_the_graph(kind: &InstructionKind) -> bool {
    use InstructionKind::{Add, Arg, Copy, Env, Run, User, Workdir};
    matches!(
        kind,
        Add(_) | Arg(_) | Copy(_) | Env(_) | Run(_) | User(_) | Workdir(_)
    )
}

/// The state of a stage that another one uses.
pub(super) struct Source<'s> {
    pub(super) state: &'s State,
    pub(super) dispatched: bool,
}

/// Returns a command line as the vertex's name shows it.
pub(super) fn shown<'t>(lexer: &Lexer, text: &'t str, env: &Env) -> Cow<'t, str> {
    let expanded = lexer
        .expand(text, env)
        .map_or(Cow::Borrowed(text), |expansion| expansion.text);
    super::names::upper_first_word(expanded)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::oci::{HistoryEntry, Image};
    use crate::translate::stage::SharedImage;
    use crate::translate::{Options, ResolvedImages};

    #[test]
    fn a_stage_begins_without_a_copy_of_its_history() {
        let dockerfile = crate::dockerfile::parse(b"FROM scratch\n").unwrap();
        let (options, images) = (Options::default(), ResolvedImages::new());
        let mut lint = Lint::new(None);
        let scope = Scope::new(&dockerfile, &options, &images, &mut lint).unwrap();
        let mut image = Image::default();
        image.history.push(HistoryEntry::default());
        image.config.working_dir = "/work".to_owned();
        let mut stage = Stage {
            image: SharedImage(Arc::new(image)),
            ..Stage::default()
        };
        let history = stage.image.history.as_ptr();
        begin(&scope, &mut stage).unwrap();
        assert_eq!(stage.image.history.as_ptr(), history);
        assert_eq!(stage.state.dir(), "/work");
    }
}
