//! The release archive and the install script: the same binary gives the same bytes, and nothing is
//! installed if a checksum is wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(script: &str, arguments: &[&str], folder: &Path) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(root.join(script));
    command
        .args(arguments)
        .env("SOURCE_DATE_EPOCH", "1700000000");
    command.env("DOCKER_CONFIG", folder.join("docker"));
    command.output().expect("the script is run")
}

fn succeeded(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The target that the install script selects on this machine.
fn target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// A small program instead of the large one with its debug information.
fn program(folder: &Path) -> PathBuf {
    let path = folder.join("program");
    let text = format!(
        "#!/bin/sh\nexec {} \"$@\"\n",
        env!("CARGO_BIN_EXE_solvekit")
    );
    fs::write(&path, text).expect("it can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is there");
    path
}

fn pack(program: &Path, into: &Path, folder: &Path) -> String {
    let paths = [program, into].map(|path| path.to_str().expect("a path"));
    let arguments = [&*target(), paths[0], paths[1]];
    succeeded(&run("packaging/archive", &arguments, folder))
}

#[test]
fn an_archive_is_reproducible_and_its_install_checks_it() {
    let folder = tempfile::tempdir().expect("it works");
    let folder = folder.path();
    let (first, second) = (folder.join("first"), folder.join("second"));
    let program = program(folder);
    let name = pack(&program, &first, folder);
    pack(&program, &second, folder);
    let name = Path::new(name.trim())
        .file_name()
        .expect("it works")
        .to_owned();
    for file in [name.to_str().expect("it works"), "SHA256SUMS"] {
        let read = |folder: &Path| fs::read(folder.join(file)).expect("it works");
        assert!(read(&first) == read(&second), "{file} differs");
    }

    let bin = folder.join("bin");
    let from = [
        "--from",
        first.to_str().expect("it works"),
        "--to",
        bin.to_str().expect("it works"),
    ];
    let printed = succeeded(&run(
        "install.sh",
        &[&from[..], &["--buildx"]].concat(),
        folder,
    ));
    assert!(printed.contains("installed solvekit v"), "{printed}");
    let version = Command::new(bin.join("solvekit"))
        .arg("version")
        .output()
        .expect("it works");
    assert!(succeeded(&version).starts_with("solvekit v"));
    assert!(folder.join("docker/cli-plugins/docker-buildx").exists());

    fs::write(first.join(&name), "something else").expect("it works");
    fs::remove_dir_all(&bin).expect("it works");
    let refused = run("install.sh", &from, folder);
    assert!(!refused.status.success());
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert!(stderr.contains("does not have the checksum"), "{stderr}");
    assert!(!bin.exists(), "something was installed");
}

#[test]
fn what_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("it works");
    let folder = folder.path();
    fs::write(folder.join("SHA256SUMS"), "").expect("it works");
    let at = folder.to_str().expect("it works");
    for (arguments, text) in [
        (&["--from", at][..], "has no archive for"),
        (
            &["--from", "/no/folder"],
            "there is no /no/folder/SHA256SUMS",
        ),
        (&["--version"], "--version needs a value"),
        (&["--wrong"], "unknown argument --wrong"),
    ] {
        let output = run("install.sh", arguments, folder);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && stderr.contains(text),
            "{arguments:?}: {stderr}"
        );
    }
}
