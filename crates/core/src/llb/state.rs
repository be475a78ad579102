//! A state: the file system that a vertex outputs, with the settings of processes that run on it.
//! Every change returns a new state.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};

use super::definition::Definition;
use super::env::Env;
use super::exec::Exec;
use super::file::File;
use super::marshal::{self, MarshalOptions};
use super::metadata::Constraints;
use super::path;
use super::vertex::{Kind, Output, Vertex};
use super::{Error, exec, file};
use crate::oci::{Image, Platform};

/// A file system and the settings of processes that run on it. Immutable and cheap to clone.
///
/// ```
/// use solvekit_core::llb::{self, Constraints, Exec, MarshalOptions, ResolveMode, State};
///
/// let base = llb::image("docker.io/library/alpine:3", ResolveMode::Default, Constraints::new());
/// let built = base.with_env("LANG", "C").run(Exec::new(["make"])).root();
/// let definition = built.marshal(&MarshalOptions::default())?;
/// assert_eq!(definition.vertices().len(), 2);
/// # Ok::<(), solvekit_core::llb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct State {
    output: Option<Output>,
    settings: Arc<Settings>,
}

/// The settings that an exec op takes from its state.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(super) env: Arc<Env>,
    pub(super) dir: Arc<str>,
    pub(super) user: Option<Arc<str>>,
    pub(super) hostname: Option<Arc<str>>,
    pub(super) network: Network,
    pub(super) platform: Option<Arc<Platform>>,
}

/// The network of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// A network of its own, provided by the daemon.
    #[default]
    Sandbox,
    /// The host's network.
    Host,
    /// No network.
    None,
}

/// The security mode of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// The restrictions of a container.
    #[default]
    Sandbox,
    /// No restrictions.
    Insecure,
}

impl State {
    /// Returns the empty file system.
    pub fn scratch() -> Self {
        thread_local! {
            static DEFAULTS: Arc<Settings> = Arc::new(Settings {
                env: Arc::new(Env::new()),
                dir: Arc::from("/"),
                user: None,
                hostname: None,
                network: Network::Sandbox,
                platform: None,
            });
        }
        Self {
            output: None,
            settings: DEFAULTS.with(Arc::clone),
        }
    }

    pub(super) fn on(output: Output) -> Self {
        Self {
            output: Some(output),
            ..Self::scratch()
        }
    }

    pub(super) fn with_output(&self, output: Option<Output>) -> Self {
        Self {
            output,
            settings: self.settings.clone(),
        }
    }

    fn with_settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// True for the empty file system.
    pub fn is_scratch(&self) -> bool {
        self.output.is_none()
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn with_env(self, key: &str, value: &str) -> Self {
        self.with_settings(|settings| Arc::make_mut(&mut settings.env).set(key, value))
    }

    /// Sets the working directory; a relative one is relative to the current one.
    #[must_use]
    pub fn with_dir(self, dir: &str) -> Self {
        if *dir == *self.settings.dir {
            return self;
        }
        self.with_settings(|settings| {
            settings.dir = match dir.starts_with('/') {
                true => Arc::from(dir),
                false => Arc::from(path::join(&settings.dir, dir)),
            };
        })
    }

    /// Sets the user.
    #[must_use]
    pub fn with_user(self, user: &str) -> Self {
        self.with_settings(|settings| settings.user = Some(Arc::from(user)))
    }

    /// Sets the host name.
    #[must_use]
    pub fn with_hostname(self, hostname: &str) -> Self {
        self.with_settings(|settings| settings.hostname = Some(Arc::from(hostname)))
    }

    /// Sets the network.
    #[must_use]
    pub fn with_network(self, network: Network) -> Self {
        if self.settings.network == network {
            return self;
        }
        self.with_settings(|settings| settings.network = network)
    }

    /// Sets the platform, normalised.
    #[must_use]
    pub fn with_platform(self, platform: &Platform) -> Self {
        let platform = Arc::new(platform.normalized());
        self.with_settings(|settings| settings.platform = Some(platform))
    }

    /// Sets the environment, working directory, user and platform of an image's config, for
    /// processes like those of the image.
    #[must_use]
    pub fn with_image_config(self, image: &Image) -> Self {
        let state = self.with_environment_of(image);
        match image.config.user.as_str() {
            "" => state,
            user => state.with_user(user),
        }
    }

    /// Sets the environment, working directory and platform of an image's config, but not its user:
    /// BuildKit's own client applies a config like that.
    #[must_use]
    pub fn with_environment_of(self, image: &Image) -> Self {
        let config = &image.config;
        let mut state = self;
        for assignment in &config.env {
            let (key, value) = assignment.split_once('=').unwrap_or((assignment, ""));
            if !key.is_empty() {
                state = state.with_env(key, value);
            }
        }
        state = state.with_dir(&config.working_dir);
        match image.platform.os.is_empty() || image.platform.architecture.is_empty() {
            true => state,
            false => state.with_platform(&image.platform),
        }
    }

    /// Returns these settings with the file system of another state.
    #[must_use]
    pub fn with_files_of(&self, other: &Self) -> Self {
        self.with_output(other.output.clone())
    }

    /// Sets the variables of an image's config, in their order.
    pub(crate) fn with_assignments(self, assignments: &[String]) -> Self {
        if self.env().ends_with(assignments) {
            return self;
        }
        self.with_settings(|settings| Arc::make_mut(&mut settings.env).set_all(assignments))
    }

    /// Returns the environment.
    pub fn env(&self) -> &Env {
        &self.settings.env
    }

    /// Returns the shared environment.
    pub(crate) fn shared_env(&self) -> Arc<Env> {
        self.settings.env.clone()
    }

    /// Returns the working directory.
    pub fn dir(&self) -> &str {
        &self.settings.dir
    }

    /// Returns the platform, if one is set.
    pub fn platform(&self) -> Option<&Platform> {
        self.settings.platform.as_deref()
    }

    /// Runs a process on this file system.
    #[must_use]
    pub fn run(&self, exec: Exec) -> exec::Run {
        exec::run(exec, self, self.settings.clone())
    }

    /// Creates, copies or removes files in this file system.
    #[must_use]
    pub fn file(&self, file: File, constraints: Constraints) -> Self {
        self.with_output(file::vertex(
            file,
            self.output.clone(),
            &self.settings.dir,
            constraints,
        ))
    }

    /// Marshals the graph of this file system.
    ///
    /// # Errors
    /// [`Error`] if a vertex of the graph is incomplete: an exec without arguments, an unresolved
    /// deferred source.
    pub fn marshal(&self, options: &MarshalOptions) -> Result<Definition, Error> {
        marshal::marshal(self.output.as_ref(), options)
    }

    /// Returns identifier and attributes of the only source of the file system; `None` if there is
    /// no source, or several different ones.
    pub(crate) fn only_source(&self) -> Option<(String, BTreeMap<String, String>)> {
        let mut found = None;
        let mut seen = HashSet::new();
        let mut open: Vec<&Vertex> = Vec::from_iter(self.output.as_ref().map(|on| &*on.vertex));
        while let Some(vertex) = open.pop() {
            if !seen.insert(std::ptr::from_ref(vertex)) {
                continue;
            }
            if let Some(source) = vertex.source() {
                if found.as_ref().is_some_and(|known| *known != source) {
                    return None;
                }
                found = Some(source);
            }
            let inputs = (0..).map_while(|at| vertex.input(at)).flatten();
            open.extend(inputs.map(|input| &*input.vertex));
        }
        found
    }

    pub(super) fn output(&self) -> Option<&Output> {
        self.output.as_ref()
    }
}

impl Default for State {
    /// Returns [`State::scratch`].
    fn default() -> Self {
        Self::scratch()
    }
}

/// Merges the states as layers, the last one on top. Scratch states are ignored; a single other one
/// is the result itself.
pub fn merge(states: &[State], constraints: Constraints) -> State {
    let mut real = states.iter().filter(|state| !state.is_scratch());
    let Some(first) = real.next() else {
        return State::scratch();
    };
    let mut inputs: Vec<Output> = real.filter_map(|state| state.output.clone()).collect();
    if inputs.is_empty() {
        return first.clone();
    }
    inputs.splice(0..0, first.output.clone());
    first.with_output(Some(Vertex::output(Kind::Merge(inputs), constraints)))
}

/// Returns the changes between `lower` and `upper`.
pub fn diff(lower: &State, upper: &State, constraints: Constraints) -> State {
    if lower.is_scratch() {
        return if upper.is_scratch() {
            State::scratch()
        } else {
            upper.clone()
        };
    }
    let kind = Kind::Diff {
        lower: lower.output.clone(),
        upper: upper.output.clone(),
    };
    lower.with_output(Some(Vertex::output(kind, constraints)))
}

/// A source that is used before it is known, for example the build context: its used paths are
/// known only after all users.
#[derive(Clone, Debug)]
pub struct Deferred(Output);

impl Deferred {
    /// Returns an unresolved source.
    pub fn new() -> Self {
        Self(Vertex::output(
            Kind::Deferred(OnceLock::new()),
            Constraints::new(),
        ))
    }

    /// Returns the state of the source.
    pub fn state(&self) -> State {
        State::on(self.0.clone())
    }

    /// Resolves the source; only the first call has an effect. It cannot resolve to a scratch
    /// state.
    pub fn resolve(&self, state: &State) {
        if let (Kind::Deferred(cell), Some(output)) = (&self.0.vertex.kind, &state.output) {
            // A second state is ignored, as documented.
            let _ = cell.set(output.clone());
        }
    }
}

impl Default for Deferred {
    fn default() -> Self {
        Self::new()
    }
}
