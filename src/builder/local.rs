//! The `local` driver: a local `buildkitd` on a private socket, which runs while a connection to it
//! is used.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use solvekit_host::files::make_private_folder;
use solvekit_host::{owner, process};

use super::{Boot, Contexts, Driver, Error, Node, NodeProblem, files, options, remote};
use crate::client::{Address, Client, ConnectOptions, Endpoint, TimeLimits};
use crate::files::take_at_most;

const DAEMON: &str = "buildkitd";
/// The program that runs the daemon without root.
const ROOTLESS: &str = "rootlesskit";
/// How long to wait for the daemon's first answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// The time in which the daemon must exit.
const GRACE: Duration = Duration::from_secs(10);
/// The configuration's certificate folder in a container; here the files are elsewhere.
const CERTIFICATES: &str = "/etc/buildkit/certs/";

/// A daemon that can be started.
#[derive(Debug, Clone)]
pub(super) struct Local {
    node: Node,
    root: PathBuf,
    /// The folder of its socket and log while it runs.
    temporary: Option<PathBuf>,
    /// True if this program created the folder, and the user did not name it.
    is_own: bool,
}

impl Local {
    pub(super) fn new(node: &Node, contexts: &Contexts) -> Result<Self, Error> {
        super::check_name(&node.name)?;
        let given = options::value(Driver::Local, &node.driver_opts, "root", remote::absolute)?;
        let own = contexts
            .state_folder()
            .map(|folder| folder.join(&node.name));
        let is_own = given.is_none();
        let root = given
            .or(own)
            .ok_or_else(|| unusable(NodeProblem::NoStateFolder))?;
        Ok(Self {
            node: node.clone(),
            root,
            temporary: contexts.temporary_folder().cloned(),
            is_own,
        })
    }

    /// Starts the daemon and connects to it. It stops when the last clone of the client is dropped.
    pub(super) async fn connect(
        &self,
        limits: TimeLimits,
        boot: &Boot<'_>,
    ) -> Result<Client, Error> {
        let mut daemon = self.start()?;
        (boot.say)(&format!(
            "{DAEMON} is started for this command ({}), its state is in {}",
            match owner::is_root() {
                true => "as root",
                false => "without root",
            },
            self.root.display()
        ));
        let mut options = ConnectOptions::new(Address::Buildkit(Endpoint::Unix(daemon.socket())));
        options.limits = limits;
        let until = Instant::now() + PATIENCE;
        loop {
            let problem = match Client::connect(&options).await {
                Ok(client) => return Ok(client.with_companion(Arc::new(daemon))),
                Err(problem) => problem,
            };
            if let Some(output) = daemon.ended() {
                return Err(Error::NotStarted {
                    name: self.node.name.clone(),
                    output,
                });
            }
            if Instant::now() > until {
                return Err(problem.into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Removes the caches, unless the user named their folder.
    pub(super) fn remove_state(&self) -> Result<(), Error> {
        match self.is_own {
            true => match fs::remove_dir_all(&self.root) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(files::failed("remove", &self.root)(error))
                }
                _ => Ok(()),
            },
            false => Ok(()),
        }
    }

    fn start(&self) -> Result<Daemon, Error> {
        files::make_folder(&self.root)?;
        let folder = private_folder(self.temporary.as_deref())?;
        let path = folder.join("log");
        let log = File::create(&path).map_err(files::failed("create", &path))?;
        let errors = log.try_clone().map_err(files::failed("create", &path))?;
        let mut command = match owner::is_root() {
            true => Command::new(DAEMON),
            false => {
                let mut command = Command::new(ROOTLESS);
                command.arg(DAEMON);
                command
            }
        };
        command.arg("--addr").arg(format!(
            "unix://{}",
            folder.join("buildkitd.sock").display()
        ));
        command.arg("--root").arg(&self.root);
        if let Some(config) = self.write_files(&folder)? {
            command.arg("--config").arg(config);
        }
        command.args(&self.node.buildkitd_flags);
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        // Ctrl-C must only reach this program, which ends the build first, then the daemon.
        process::separate(&mut command);
        let program = command.get_program().to_string_lossy().into_owned();
        match command.spawn() {
            Ok(child) => Ok(Daemon { child, folder }),
            Err(error) => {
                let _ = fs::remove_dir_all(&folder);
                Err(match error.kind() {
                    io::ErrorKind::NotFound => Error::NotOnPath { program },
                    _ => Error::NotStarted {
                        name: self.node.name.clone(),
                        output: error.to_string(),
                    },
                })
            }
        }
    }

    /// Writes the configuration's files into the private folder.
    fn write_files(&self, folder: &Path) -> Result<Option<PathBuf>, Error> {
        let here = format!("{}/certs/", folder.display());
        for (name, bytes) in &self.node.files {
            let path = folder.join(name);
            let stays = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
            if !stays {
                return Err(unusable(NodeProblem::FilePath { path: name.clone() }));
            }
            files::make_folder(path.parent().unwrap_or(folder))?;
            let text = String::from_utf8_lossy(bytes).replace(CERTIFICATES, &here);
            fs::write(&path, text).map_err(files::failed("write", &path))?;
        }
        let config = folder.join("buildkitd.toml");
        Ok(self
            .node
            .files
            .contains_key("buildkitd.toml")
            .then_some(config))
    }
}

fn unusable(source: NodeProblem) -> Error {
    Error::Node {
        driver: Driver::Local,
        source,
    }
}

/// Creates a folder that only this user can access.
fn private_folder(parent: Option<&Path>) -> Result<PathBuf, Error> {
    let parent = parent.ok_or_else(|| unusable(NodeProblem::NoTemporaryFolder))?;
    let mut random = [0_u8; 8];
    let _ = getrandom::fill(&mut random);
    let name = format!("solvekit-buildkitd-{:016x}", u64::from_le_bytes(random));
    let path = parent.join(name);
    let made = make_private_folder(&path);
    made.map_err(files::failed("create", &path))?;
    Ok(path)
}

/// A running daemon; dropping it stops the daemon.
#[derive(Debug)]
struct Daemon {
    child: Child,
    folder: PathBuf,
}

impl Daemon {
    fn socket(&self) -> PathBuf {
        self.folder.join("buildkitd.sock")
    }

    /// Returns the end of its log, if it has exited.
    fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        let log = end_of(&self.folder.join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(5)..].join("\n");
        Some(format!("{status}\n{end}").trim().to_owned())
    }
}

/// The bytes at the end of a log that are read.
const LOG: u64 = 64 << 10;

/// Returns the last bytes of a file, however long it is.
fn end_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let skipped = file.metadata()?.len().saturating_sub(LOG);
    file.seek(io::SeekFrom::Start(skipped))?;
    take_at_most(file.take(LOG), LOG)
}

impl Drop for Daemon {
    fn drop(&mut self) {
        process::ask_to_end(&mut self.child);
        let until = Instant::now() + GRACE;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > until {
                let _ = self.child.kill();
                let _ = self.child.wait();
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}
