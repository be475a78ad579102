//! An SSH server that accepts one key.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The server insists on a dedicated user and on a folder in `/run`. It gets both in a private view
/// of the file system: the machine's users and folders are unchanged.
const START: &str = "
    set -e
    mount --make-rprivate /
    mount --bind passwd /etc/passwd
    mount -t tmpfs none /run
    mkdir /run/sshd
    export LD_LIBRARY_PATH=$LIBRARIES
    exec \"$SSHD\" -D -f /dev/null -p $PORT -h \"$PWD/host\" -o ListenAddress=127.0.0.1 \\
        -o AuthorizedKeysFile=\"$PWD/key.pub\" -o UsePAM=no -o StrictModes=no -o PidFile=none \\
        -o PermitRootLogin=yes -o PasswordAuthentication=no
";
const USERS: &str =
    "root:x:0:0:root:/root:/bin/sh\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n";

/// An SSH server that runs until it is dropped.
pub struct SshServer {
    process: Child,
    folder: TempDir,
    port: u16,
}

impl SshServer {
    /// Starts the program in `SSHD`, with new keys.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["host", "key"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f", name])
                .current_dir(folder.path())
                .status();
            assert!(made.expect("ssh-keygen is there").success());
        }
        std::fs::write(folder.path().join("passwd"), USERS).expect("it is ours");
        let program =
            std::env::var("SSHD").expect("SSHD is not set: run `export $(tests/engine up)` first");
        let root = Path::new(&program).ancestors().nth(3).expect("unpacked");
        let libraries = ["lib", "usr/lib"].map(|part| {
            let folder = root.join(part).join("x86_64-linux-gnu");
            folder.display().to_string()
        });
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        // Runs as root, which the engine needs anyway.
        let process = Command::new("unshare")
            .args(["--mount", "sh", "-c", START])
            .current_dir(folder.path())
            .env("PORT", port.to_string())
            .env("LIBRARIES", libraries.join(":"))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("util-linux is there");
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the SSH server does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self {
            process,
            folder,
            port,
        }
    }

    /// The URL of a git repository on this machine.
    pub fn url(&self, path: &Path) -> String {
        format!("ssh://root@127.0.0.1:{}{}", self.port, path.display())
    }

    /// The file of the accepted key.
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key")
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
