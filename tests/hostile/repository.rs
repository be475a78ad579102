//! A cloned repository must not make this client read files outside of it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::{Finished, solvekit};

const SECRET: &str = "hunter2-of-another-folder";

/// A context in a folder with secrets beside it: a file of every name, with a line that is neither
/// an instruction nor a pattern, so that an error would quote it.
fn context() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("context")).unwrap();
    fs::create_dir_all(folder.path().join("outside")).unwrap();
    for name in ["Dockerfile", "Dockerfile.dockerignore", ".dockerignore"] {
        let text = format!("[{SECRET}\n");
        fs::write(folder.path().join("outside").join(name), text).unwrap();
    }
    folder
}

/// Every command that reads a Dockerfile or an ignore file in a context.
fn commands() -> [&'static [&'static str]; 7] {
    [
        &["build", "--progress=plain"],
        &["build", "--check"],
        &["build", "--call=outline"],
        &["build", "--call=targets"],
        &["llb"],
        &["lock", "-o", "/dev/null"],
        &["context", "ls"],
    ]
}

#[track_caller]
fn refused(command: &[&str], arguments: &[&str], context: &Path) {
    let finished = Finished::of(
        solvekit(command)
            .env("BUILDKIT_HOST", "unix:///nonexistent/socket")
            .args(arguments)
            .arg(context),
    );
    let shown = format!(
        "{command:?} {arguments:?}\n{}\n{}",
        finished.stdout, finished.stderr
    );
    assert!(finished.code != Some(0), "{shown}");
    assert!(shown.contains("a symbolic link leads out of"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_dockerfile_that_leads_out_of_its_context_is_not_read() {
    for command in commands() {
        let folder = context();
        let context = folder.path().join("context");
        symlink("../outside/Dockerfile", context.join("Dockerfile")).unwrap();
        refused(command, &[], &context);
    }
}

#[test]
fn a_linked_folder_on_the_way_to_the_dockerfile_leads_nowhere_either() {
    for command in commands() {
        let folder = context();
        let context = folder.path().join("context");
        symlink("../outside", context.join("docker")).unwrap();
        let file = context.join("docker/Dockerfile");
        refused(command, &["-f", file.to_str().unwrap()], &context);
    }
}

#[test]
fn ignore_files_that_lead_out_of_their_context_are_not_read() {
    for (name, target) in [
        (".dockerignore", "../outside/.dockerignore"),
        ("Dockerfile.dockerignore", "../outside/.dockerignore"),
        (".dockerignore", "/dev/zero"),
    ] {
        for command in commands() {
            let folder = context();
            let context = folder.path().join("context");
            fs::write(context.join("Dockerfile"), "FROM scratch\nCOPY . /\n").unwrap();
            symlink(target, context.join(name)).unwrap();
            refused(command, &[], &context);
        }
    }
}

#[test]
fn the_ignore_file_of_a_named_context_leads_nowhere_either() {
    for command in [&["build"][..], &["llb"]] {
        let folder = context();
        let context = folder.path().join("context");
        let other = folder.path().join("other");
        fs::create_dir(&other).unwrap();
        fs::write(
            context.join("Dockerfile"),
            "FROM scratch\nCOPY --from=other . /\n",
        )
        .unwrap();
        symlink("../outside/.dockerignore", other.join(".dockerignore")).unwrap();
        let named = format!("other={}", other.display());
        refused(command, &["--build-context", &named], &context);
    }
}

#[test]
fn a_pipe_in_the_place_of_a_dockerfile_is_refused_and_not_waited_for() {
    let folder = context();
    let context = folder.path().join("context");
    let pipe = rustix::fs::FileType::Fifo;
    for name in ["Dockerfile", ".dockerignore"] {
        let path = context.join(name);
        rustix::fs::mknodat(rustix::fs::CWD, &path, pipe, 0o600.into(), 0).unwrap();
        Finished::of(solvekit(["build", "--check"]).arg(&context))
            .failed_with(1, &[name, "not a regular file"]);
        fs::remove_file(&path).unwrap();
        fs::write(context.join("Dockerfile"), "FROM scratch\n").unwrap();
    }
}

#[test]
fn a_dockerfile_that_the_user_names_is_read_wherever_it_is() {
    let folder = context();
    let context = folder.path().join("context");
    fs::write(folder.path().join("mine"), "FROM scratch\n").unwrap();
    symlink("mine", folder.path().join("link")).unwrap();
    let link = folder.path().join("link");
    Finished::of(
        solvekit(["build", "--check", "-f"])
            .arg(&link)
            .arg(&context),
    )
    .succeeded();
}

/// Bake files, and their default companion files, are found in the working directory, so they can
/// come from a repository too.
#[test]
fn bake_files_that_lead_out_of_the_working_directory_are_not_read() {
    let commands: [&[&str]; 6] = [
        &["bake"],
        &["bake", "--print"],
        &["bake", "--list", "targets"],
        &["bake", "--graph"],
        &["bake", "check"],
        &["bake", "fmt"],
    ];
    for name in ["docker-bake.hcl", "docker-bake.json", "compose.yaml"] {
        let folder = context();
        let context = folder.path().join("context");
        symlink("../outside/Dockerfile", context.join(name)).unwrap();
        for command in commands {
            if name != "docker-bake.hcl" && command[1..] == ["fmt"] {
                continue;
            }
            let finished = Finished::of(solvekit(command).current_dir(&context));
            let printed = "a symbolic link leads out of";
            let hint = format!("-f {name}");
            let finished = finished.failed_with(1, &[printed, &hint]);
            assert!(!finished.stderr.contains("hunter2"), "{}", finished.stderr);
        }
        // A path that the user typed is followed.
        let typed = ["bake", "--print", "-f", name];
        let finished = Finished::of(solvekit(typed).current_dir(&context));
        assert!(finished.stderr.contains("hunter2"), "{}", finished.stderr);
    }
}

#[test]
fn variables_of_a_compose_file_do_not_come_from_outside_through_a_link() {
    let folder = context();
    let context = folder.path().join("context");
    fs::write(folder.path().join("outside/keys"), "key=hunter2\n").unwrap();
    symlink("../outside/keys", context.join(".env")).unwrap();
    let compose =
        "services:\n  app:\n    build:\n      context: .\n      args: {KEY: \"${key}\"}\n";
    fs::write(context.join("compose.yaml"), compose).unwrap();
    let finished = Finished::of(solvekit(["bake", "--print"]).current_dir(&context));
    let finished = finished.failed_with(1, &[".env", "a symbolic link leads out of"]);
    assert!(!finished.stdout.contains("hunter2"), "{}", finished.stdout);
}

#[test]
fn a_check_of_a_bake_file_quotes_no_file_from_outside() {
    let folder = context();
    let context = folder.path().join("context");
    symlink("../outside", context.join("link")).unwrap();
    let outside = folder.path().join("outside/Dockerfile");
    for dockerfile in [
        outside.to_str().unwrap(),
        "../outside/Dockerfile",
        "link/Dockerfile",
    ] {
        let target = serde_json::json!({"context": ".", "dockerfile": dockerfile});
        let text = serde_json::json!({"target": {"default": target}}).to_string();
        fs::write(context.join("docker-bake.json"), text).unwrap();
        for command in [&["bake", "check"][..], &["bake", "--check"], &["bake"]] {
            let finished = Finished::of(
                solvekit(command)
                    .env("BUILDKIT_HOST", "unix:///nonexistent/socket")
                    .current_dir(&context),
            );
            let shown = format!(
                "{command:?} {dockerfile}\n{}{}",
                finished.stdout, finished.stderr
            );
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}

#[test]
fn a_pipe_in_the_place_of_a_bake_file_is_not_waited_for() {
    let folder = context();
    let context = folder.path().join("context");
    let pipe = context.join("docker-bake.json");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, mode, 0).unwrap();
    let finished = Finished::of(solvekit(["bake", "--print"]).current_dir(&context));
    finished.failed_with(1, &["docker-bake.json", "not a regular file"]);
}
