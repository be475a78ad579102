//! Git repositories and a git daemon.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A folder with the bare repository `repo.git`, with these files on the branch `main`.
pub fn repository_of(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let work = working_tree_of(files);
    let bare = folder.path().join("repo.git");
    let bare = bare.to_str().expect("UTF-8");
    git(work.path(), &["clone", "-q", "--bare", ".", bare]);
    git(Path::new(bare), &["update-server-info"]);
    folder
}

/// A folder with these files, all committed.
pub fn working_tree_of(files: &[(&str, &str)]) -> TempDir {
    let work = super::folder_of(files);
    git(work.path(), &["init", "-q", "-b", "main", "."]);
    git(work.path(), &["add", "-A"]);
    git(work.path(), &["commit", "-q", "-m", "first"]);
    work
}

/// The commit that is checked out in a folder.
pub fn head_of(folder: &Path) -> String {
    git(folder, &["rev-parse", "HEAD"])
}

/// The commit of a repository's branch `main`.
pub fn commit_of(repository: &Path) -> String {
    git(&repository.join("repo.git"), &["rev-parse", "main"])
}

#[track_caller]
fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=test", "-c", "user.email=test@example.com"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git is there");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// `git daemon`, which serves the repositories of a folder without authentication.
pub struct GitDaemon {
    process: Child,
    port: u16,
}

impl GitDaemon {
    /// Serves the folder until it is dropped.
    pub fn of(folder: &Path) -> Self {
        let programs = git(folder, &["--exec-path"]);
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        let mut base = std::ffi::OsString::from("--base-path=");
        base.push(folder);
        let process = Command::new(PathBuf::from(programs).join("git-daemon"))
            .args(["--export-all", "--reuseaddr", "--listen=127.0.0.1"])
            .arg(format!("--port={port}"))
            .arg(base)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("git has a daemon");
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the git daemon does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, port }
    }

    /// The URL of the repository, followed by `rest`.
    pub fn url(&self, rest: &str) -> String {
        format!("git://127.0.0.1:{}/repo.git{rest}", self.port)
    }
}

impl Drop for GitDaemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
