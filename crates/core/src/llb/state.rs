//! A state: a file system that some vertex makes, with the settings of what runs on it. Every
//! change makes a new state.

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

/// A file system and the settings for what runs on it. Immutable and cheap to clone.
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

/// What an exec op takes from its state.
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
    /// Its own, as the daemon provides it.
    #[default]
    Sandbox,
    /// The host's.
    Host,
    /// None at all.
    None,
}

/// What a process may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// What containers may.
    #[default]
    Sandbox,
    /// Everything.
    Insecure,
}

impl State {
    /// The empty file system.
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

    /// Is this the empty file system?
    pub fn is_scratch(&self) -> bool {
        self.output.is_none()
    }

    /// With an environment variable.
    #[must_use]
    pub fn with_env(self, key: &str, value: &str) -> Self {
        self.with_settings(|settings| Arc::make_mut(&mut settings.env).set(key, value))
    }

    /// With this working directory; a relative one continues the present one.
    #[must_use]
    pub fn with_dir(self, dir: &str) -> Self {
        self.with_settings(|settings| {
            settings.dir = match dir.starts_with('/') {
                true => Arc::from(dir),
                false => Arc::from(path::join(&settings.dir, dir)),
            };
        })
    }

    /// With this user.
    #[must_use]
    pub fn with_user(self, user: &str) -> Self {
        self.with_settings(|settings| settings.user = Some(Arc::from(user)))
    }

    /// With this host name.
    #[must_use]
    pub fn with_hostname(self, hostname: &str) -> Self {
        self.with_settings(|settings| settings.hostname = Some(Arc::from(hostname)))
    }

    /// With this network.
    #[must_use]
    pub fn with_network(self, network: Network) -> Self {
        self.with_settings(|settings| settings.network = network)
    }

    /// For this platform, which is normalised.
    #[must_use]
    pub fn with_platform(self, platform: &Platform) -> Self {
        let platform = Arc::new(platform.normalized());
        self.with_settings(|settings| settings.platform = Some(platform))
    }

    /// With the environment, working directory, user and platform of an image's config, as
    /// processes of that image have them.
    #[must_use]
    pub fn with_image_config(self, image: &Image) -> Self {
        let state = self.with_environment_of(image);
        match image.config.user.as_str() {
            "" => state,
            user => state.with_user(user),
        }
    }

    /// With the environment, working directory and platform of an image's config, but not its
    /// user: BuildKit's own client applies a config like that.
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

    /// The same settings on the file system of another state.
    #[must_use]
    pub fn with_files_of(&self, other: &Self) -> Self {
        self.with_output(other.output.clone())
    }

    /// The environment.
    pub fn env(&self) -> &Env {
        &self.settings.env
    }

    /// The environment, shared.
    pub(crate) fn shared_env(&self) -> Arc<Env> {
        self.settings.env.clone()
    }

    /// The working directory.
    pub fn dir(&self) -> &str {
        &self.settings.dir
    }

    /// The platform, when one was set.
    pub fn platform(&self) -> Option<&Platform> {
        self.settings.platform.as_deref()
    }

    /// Runs a process on this file system.
    #[must_use]
    pub fn run(&self, exec: Exec) -> exec::Run {
        let (output, mounts) = exec::vertex(exec, self.output.clone(), self.settings.clone());
        exec::Run::new(self.with_output(output), mounts)
    }

    /// Makes, copies or removes files in this file system.
    #[must_use]
    pub fn file(&self, file: File, constraints: Constraints) -> Self {
        self.with_output(file::vertex(
            file,
            self.output.clone(),
            &self.settings.dir,
            constraints,
        ))
    }

    /// Marshals the graph that makes this file system.
    ///
    /// # Errors
    /// [`Error`] when a vertex of the graph is not complete: an exec without arguments, a deferred
    /// source that was never given.
    pub fn marshal(&self, options: &MarshalOptions) -> Result<Definition, Error> {
        marshal::marshal(self.output.as_ref(), options)
    }

    /// Identifier and attributes of the source that the file system is made from; none if there is
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
    /// [`State::scratch`]
    fn default() -> Self {
        Self::scratch()
    }
}

/// Lays the states above each other, the last one on top. Scratch states are left out; a single
/// other one is the result itself.
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

/// What `upper` adds to `lower`.
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

/// A source that is used before it is known, as the build context is: which paths are needed shows
/// when all that use it is there.
#[derive(Clone, Debug)]
pub struct Deferred(Output);

impl Deferred {
    /// A source to be given later.
    pub fn new() -> Self {
        Self(Vertex::output(
            Kind::Deferred(OnceLock::new()),
            Constraints::new(),
        ))
    }

    /// The state that stands on it.
    pub fn state(&self) -> State {
        State::on(self.0.clone())
    }

    /// Gives what it stands for; only the first one counts. A scratch state cannot be given.
    pub fn resolve(&self, state: &State) {
        if let (Kind::Deferred(cell), Some(output)) = (&self.0.vertex.kind, &state.output) {
            // A second one is ignored, as documented.
            let _ = cell.set(output.clone());
        }
    }
}

impl Default for Deferred {
    fn default() -> Self {
        Self::new()
    }
}
