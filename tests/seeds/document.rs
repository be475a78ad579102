//! Follows a tutorial as a reader: with a private configuration, unique builder names, and the
//! steps printed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{BuilderHome, Engine, Finished, Relay, unique};
use crate::{container, images};

/// The reader of a tutorial, who types its commands.
pub(crate) struct Reader {
    pub(crate) home: BuilderHome,
    /// The engine's socket.
    pub(crate) socket: String,
    relay: Relay,
    word: String,
    /// The remaining commands of the tutorial.
    lines: RefCell<VecDeque<&'static str>>,
}

impl Reader {
    /// Starts a tutorial with these commands, one per line.
    ///
    /// Panics if the daemon is not a Docker Engine, which all tutorials need: a skipped test proves
    /// nothing.
    pub(crate) fn of(document: &str, commands: &'static str) -> Self {
        let engine = Engine::get();
        let socket = engine.host.strip_prefix("docker://");
        let socket = socket.expect("BUILDKIT_HOST is a Docker Engine's, as of `tests/engine up`");
        println!("==== {document}");
        images::provide();
        let home = BuilderHome::with_engine(&format!("unix://{socket}"));
        let certificates = home.path("docker/certs.d").join(&engine.registry_tls);
        fs::create_dir_all(&certificates).expect("it can be made");
        fs::copy(&engine.ca, certificates.join("ca.crt")).expect("the authority is there");
        Self {
            home,
            socket: socket.to_owned(),
            relay: Relay::tcp(),
            word: unique(),
            lines: RefCell::new(commands.lines().collect()),
        }
    }

    /// A name from the tutorial, made unique to this run; for builders.
    pub(crate) fn own(&self, name: &str) -> String {
        format!("{name}-{}", self.word)
    }

    /// A Docker Hub repository of the tutorial, moved to the plain registry.
    pub(crate) fn image(&self, name: &str) -> String {
        format!("{}/{name}-{}", Engine::get().registry, self.word)
    }

    /// The options that lead the stand-in for BuildKit to the engine's. Not part of a tutorial.
    pub(crate) fn upstream(&self) -> String {
        let upstream = self.relay.address().replace("localhost", "127.0.0.1");
        format!("--driver-opt=env.UPSTREAM={upstream},network=host")
    }

    /// A command of the test itself, not of the tutorial.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        println!("  solvekit {}", arguments.join(" "));
        let mut command = self.home.solvekit(arguments);
        command.env("XDG_CONFIG_HOME", self.home.path(""));
        command.env("HOME", self.home.path(""));
        command
    }

    /// Runs such a command, which must succeed.
    pub(crate) fn looks(&self, arguments: &[&str]) -> Finished {
        Finished::of(&mut self.command(arguments)).succeeded()
    }

    /// Runs this command for the next one of the tutorial. It must succeed.
    pub(crate) fn types(&self, arguments: &[&str]) -> Finished {
        self.next();
        self.looks(arguments)
    }

    /// The same in a folder, with `.` as the context, as in the tutorials.
    pub(crate) fn types_in(&self, folder: &Path, arguments: &[&str]) -> Finished {
        self.next();
        Finished::of(self.command(arguments).current_dir(folder)).succeeded()
    }

    /// Skips the next command of the tutorial, which has no counterpart.
    pub(crate) fn leaves_out(&self, why: &str) {
        self.next();
        println!("  left out: {why}");
    }

    /// For a command of the tutorial that runs an image: the engine pulls and runs it. Returns the
    /// output.
    pub(crate) fn runs(&self, image: &str, platform: &str) -> String {
        self.next();
        container::run(&self.socket, image, platform)
    }

    fn next(&self) {
        let line = self.lines.borrow_mut().pop_front();
        println!("$ {}", line.expect("the document has no more commands"));
    }

    /// Checks that all commands of the tutorial were handled.
    pub(crate) fn ends(&self) {
        let left = self.lines.borrow();
        assert!(left.is_empty(), "{left:?}");
    }

    /// `docker login`, with the password on stdin, as the command suggests.
    pub(crate) fn logs_in(&self) {
        self.next();
        let engine = Engine::get();
        let registry = &engine.registry_tls;
        let mut command =
            self.command(&["login", "-u", &engine.user, "--password-stdin", registry]);
        let done = Finished::with_input(&mut command, format!("{}\n", engine.password));
        assert_eq!(done.succeeded().stdout, "Login Succeeded\n");
    }

    /// `docker run --privileged tonistiigi/binfmt --install all`.
    pub(crate) fn installs_emulators(&self, image: &str) {
        let image = format!("--image={image}");
        let done = self.types(&["platforms", "--builder=default", "--install", &image]);
        assert!(
            done.stderr.contains("installing: all OK"),
            "{}",
            done.stderr
        );
        let has = |platform: &str, how: &str| {
            let mut lines = done.stdout.lines();
            lines.any(|line| line.contains(platform) && line.contains(how))
        };
        for (platform, how) in [
            ("linux/amd64", "native"),
            ("linux/386", "native"),
            ("linux/arm/v5", "emulated"),
            ("linux/arm/v7", "emulated"),
            ("linux/arm64", "emulated"),
            ("linux/mips64le", "emulated"),
            ("linux/ppc64le", "emulated"),
            ("linux/s390x", "emulated"),
        ] {
            assert!(has(platform, how), "{platform}\n{}", done.stdout);
        }
    }

    /// `docker buildx rm`.
    pub(crate) fn removes(&self, builder: &str) {
        self.next();
        self.clears(builder);
    }

    /// The same, if the tutorial does not mention it.
    pub(crate) fn clears(&self, builder: &str) {
        let done = self.looks(&["rm", builder]);
        let output = format!("{builder} removed\n");
        assert!(done.stderr.contains(&output), "{}", done.stderr);
        let left = self.looks(&["ls"]);
        assert!(!left.stdout.contains(builder), "{}", left.stdout);
    }
}

impl Drop for Reader {
    /// Leaves no containers behind if the test fails.
    fn drop(&mut self) {
        let all = self.home.run(&["ls", "--format", "{{.Name}}"]);
        for name in all.stdout.lines().filter(|name| name.contains(&self.word)) {
            let _ = self.home.run(&["rm", "--force", name]);
        }
    }
}
