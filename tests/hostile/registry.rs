//! Registries that send endless answers, redirect elsewhere, or fail for a while, used by the
//! command.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use serde_json::json;
use solvekit::oci::{Descriptor, media_type};

/// A registry on a local port, which answers a request line with status, headers and body.
struct Registry {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Registry {
    fn of(answer: impl Fn(&str, usize) -> (u16, String, Vec<u8>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &log, &*answer));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Returns status, media type and body for a path and the number of the request.
type Answer = dyn Fn(&str, usize) -> (u16, String, Vec<u8>);

fn serve(mut stream: TcpStream, log: &Mutex<Vec<String>>, answer: &Answer) {
    let mut question = vec![0; 16 << 10];
    let read = stream.read(&mut question).unwrap_or_default();
    let question = String::from_utf8_lossy(&question[..read]).into_owned();
    let line = question.lines().next().unwrap_or_default();
    // The client tries TLS first.
    let Some(line) = line.strip_suffix(" HTTP/1.1") else {
        return;
    };
    let count = {
        let mut log = log.lock().unwrap();
        log.push(line.to_owned());
        log.len() - 1
    };
    let (status, headers, body) = answer(line, count);
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Answer\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    let _ = stream.write_all(head.as_bytes());
    if !line.starts_with("HEAD") {
        let _ = stream.write_all(&body);
    }
}

fn solvekit(args: &[&str], variables: &[(&str, &str)]) -> Output {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_solvekit"));
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "DOCKER_AUTH_CONFIG",
    ] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command
        .args(args)
        .env("HOME", home.path())
        .env("DOCKER_CONFIG", home.path())
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Seven nested indexes, each containing the next one forty times, above one image.
fn nested() -> Registry {
    let config = json!({"os": "linux", "architecture": "amd64"}).to_string();
    let config_at = Descriptor::of(
        "application/vnd.oci.image.config.v1+json",
        config.as_bytes(),
    );
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "config": config_at, "layers": []
    });
    let mut contents = vec![(config_at, config)];
    let mut lowest = manifest.to_string();
    let mut at = Descriptor::of(media_type::OCI_MANIFEST, lowest.as_bytes());
    for _ in 0..7 {
        contents.push((at.clone(), lowest));
        let index = json!({
            "schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": vec![&at; 40]
        });
        lowest = index.to_string();
        at = Descriptor::of(media_type::OCI_INDEX, lowest.as_bytes());
    }
    contents.push((at.clone(), lowest));
    Registry::of(move |line, _| {
        let name = line.rsplit('/').next().unwrap_or_default();
        let mut all = contents.iter();
        let found = match name {
            "1" => contents.last(),
            digest => all.find(|(known, _)| known.digest.as_str() == digest),
        };
        match found {
            Some((known, text)) => {
                let headers = format!(
                    "Content-Type: {}\r\nDocker-Content-Digest: {}\r\n",
                    known.media_type, known.digest
                );
                (200, headers, text.clone().into_bytes())
            }
            None => (404, String::new(), Vec::new()),
        }
    })
}

#[test]
fn every_index_is_asked_for_once() {
    for command in [
        &["imagetools", "inspect", "--format", "{{json .Image}}"][..],
        &["imagetools", "create", "--dry-run"],
        &["manifest", "inspect", "--insecure", "--verbose"],
    ] {
        let registry = nested();
        let name = format!("{}/a:1", registry.address);
        let output = solvekit(&[command, &[name.as_str()]].concat(), &[]);
        assert!(output.status.success(), "{command:?}: {}", stderr(&output));
        let asked = registry.asked().len();
        assert!(asked <= 60, "{command:?}: {asked} requests");
    }
}

#[test]
fn a_registry_that_fails_for_a_while_is_retried_and_that_is_reported() {
    let index = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": []});
    let registry = Registry::of(move |_, count| {
        let kind = format!("Content-Type: {}\r\n", media_type::OCI_INDEX);
        match count {
            0 => (503, String::new(), Vec::new()),
            _ => (200, kind, index.to_string().into_bytes()),
        }
    });
    let name = format!("{}/a:1", registry.address);
    let output = solvekit(&["imagetools", "inspect", &name], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let printed = format!("{} answers 503: trying again in ", registry.address);
    assert!(stderr(&output).contains(&printed), "{}", stderr(&output));
}

#[test]
fn proxies_come_from_the_environment_and_are_named() {
    let proxy = [("HTTPS_PROXY", "http://me:hunter2@127.0.0.1:1")];
    let output = solvekit(&["imagetools", "inspect", "r.test/a:1"], &proxy);
    let text = stderr(&output);
    assert!(
        text.contains("cannot reach the registry r.test through the proxy 127.0.0.1:1"),
        "{text}"
    );
    assert!(!text.contains("hunter2"), "{text}");
    let without = [proxy[0], ("NO_PROXY", "other.test, .r.test, r.test:443")];
    let output = solvekit(&["imagetools", "inspect", "r.test/a:1"], &without);
    let text = stderr(&output);
    assert!(text.contains("cannot reach the registry r.test"), "{text}");
    assert!(!text.contains("through the proxy"), "{text}");
}

#[test]
fn a_token_server_in_plain_http_elsewhere_is_refused_with_a_hint() {
    let registry = Registry::of(|_, _| {
        let challenge = "WWW-Authenticate: Bearer realm=\"http://auth.test/token\"\r\n";
        (401, challenge.to_owned(), Vec::new())
    });
    let name = format!("{}/a:1", registry.address);
    let output = solvekit(&["imagetools", "inspect", &name], &[]);
    let text = stderr(&output);
    assert!(
        text.contains("leads to auth.test over plain HTTP"),
        "{text}"
    );
    let hint = format!("--insecure-registry {}", registry.address);
    assert!(text.contains(&hint), "{text}");
}

#[test]
fn a_second_image_for_a_platform_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["one", "two"].map(|name| {
        let path = folder.path().join(name);
        let blobs = path.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).unwrap();
        let config = json!({"os": "linux", "architecture": "amd64", "author": name}).to_string();
        let at = Descriptor::of(
            "application/vnd.oci.image.config.v1+json",
            config.as_bytes(),
        );
        std::fs::write(blobs.join(at.digest.hex()), config).unwrap();
        let manifest = json!({"schemaVersion": 2, "config": at, "layers": []}).to_string();
        let at = Descriptor::of(media_type::OCI_MANIFEST, manifest.as_bytes());
        std::fs::write(blobs.join(at.digest.hex()), manifest).unwrap();
        let index = json!({"schemaVersion": 2, "manifests": [at]}).to_string();
        std::fs::write(path.join("index.json"), index).unwrap();
        format!("oci-layout://{}", path.display())
    });
    let both = ["imagetools", "create", "--dry-run", &names[0], &names[1]];
    let output = solvekit(&both, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stderr(&output);
    assert!(text.contains("several images for linux/amd64"), "{text}");
    let output = solvekit(&both[..4], &[]);
    assert!(
        !stderr(&output).contains("several images"),
        "{}",
        stderr(&output)
    );
    let unknown = format!("{}:other", names[0]);
    let output = solvekit(&["imagetools", "inspect", &unknown], &[]);
    assert!(!output.status.success());
    assert!(
        stderr(&output).contains("has no image \"other\""),
        "{}",
        stderr(&output)
    );
}
