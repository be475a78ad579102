//! A private certificate authority for a test, made with openssl.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A private authority, a server certificate for `localhost` and 127.0.0.1, and a client
/// certificate. The PEM files are in one folder, with the names for `--tlsdir` (`ca.pem`,
/// `cert.pem` and `key.pem` are the client's).
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// Makes new certificates. Panics if openssl is missing.
    pub fn make() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let made = Self { folder };
        made.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj \
                      /CN=tests -keyout ca.key -out ca.pem",
        );
        std::fs::write(
            made.path("names"),
            "subjectAltName=DNS:localhost,IP:127.0.0.1\n",
        )
        .expect("the folder can be written");
        made.sign("server", "server.pem", "server.key");
        made.sign("client", "cert.pem", "key.pem");
        made
    }

    /// Uses existing files: `ca.pem`, `server.pem` and `server.key`.
    #[allow(dead_code, reason = "not every crate of tests is given some")]
    pub fn of(folder: TempDir) -> Self {
        Self { folder }
    }

    /// The folder with the files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn sign(&self, subject: &str, certificate: &str, key: &str) {
        self.openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={subject} -keyout \
             {key} -out request"
        ));
        self.openssl(&format!(
            "x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile \
             names -out {certificate}"
        ));
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(self.folder.path())
            .output()
            .expect("openssl is installed");
        assert!(
            output.status.success(),
            "openssl {arguments}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
