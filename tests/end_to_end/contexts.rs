//! The parts of a directory that reach the image.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::{Engine, Finished, Pushed, Relay, folder_of, solvekit, unique};

const PLATFORM: &str = "linux/amd64";

#[test]
fn twenty_thousand_files_arrive_and_are_sent_only_once() {
    let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY tree /tree\n")]);
    let word = unique();
    for folder in 0..200 {
        let path = context.path().join(format!("tree/{folder}"));
        fs::create_dir_all(&path).expect("the folder can be written");
        for file in 0..100 {
            fs::write(
                path.join(format!("{file}")),
                format!("{word} {folder}/{file}\n"),
            )
            .expect("the folder can be written");
        }
    }
    let pushed = push("many", context.path());
    let entries = pushed.entries(PLATFORM);
    assert_eq!(
        entries.iter().filter(|line| line.starts_with('-')).count(),
        20_000
    );
    for path in ["0/0", "77/42", "199/99"] {
        assert_eq!(
            pushed.file(PLATFORM, &format!("/tree/{path}")),
            format!("{word} {path}\n")
        );
    }

    fs::write(context.path().join("tree/77/42"), "changed").expect("the folder can be written");
    let again = push("many", context.path());
    assert_eq!(again.file(PLATFORM, "/tree/77/42"), "changed");
    assert_eq!(
        again.file(PLATFORM, "/tree/77/43"),
        format!("{word} 77/43\n")
    );
}

#[test]
fn of_a_monorepo_only_the_copied_folders_are_sent() {
    let context = folder_of(&[(
        "Dockerfile",
        "FROM scratch AS unused\nCOPY other /\nFROM scratch\nCOPY one/src /one/\nCOPY two/*.txt \
         /two/\n",
    )]);
    let noise = |size: usize| unique().repeat(size / unique().len());
    for (path, size) in [
        ("one/src/a", 100_000),
        ("one/tests/b", 6_000_000),
        ("two/c.txt", 100_000),
        ("two/d.bin", 6_000_000),
        ("other/e", 6_000_000),
    ] {
        let path = context.path().join(path);
        fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
        fs::write(path, noise(size)).expect("the folder can be written");
    }
    let relay = Relay::unix();
    let name = format!("{}:latest", Engine::get().name("monorepo"));
    Finished::of(
        solvekit(["--addr", relay.address(), "build", "--platform", PLATFORM])
            .args(["--push", "-t", &name])
            .arg(context.path()),
    )
    .succeeded();
    let mut files = files_in(&Pushed::fetch(&name));
    files.retain(|file| !file.ends_with('/'));
    assert_eq!(files, ["one/a", "two/c.txt"]);
    assert!(
        relay.carried() < 1_000_000,
        "{} bytes were sent",
        relay.carried()
    );
}

#[test]
fn modes_times_links_and_odd_names_are_kept_and_owners_are_not() {
    let context = folder_of(&[
        ("Dockerfile", "FROM scratch\nCOPY tree /tree\n"),
        ("tree/program", &unique()),
        ("tree/secret", "s"),
        ("tree/größe und Maß", "non-ASCII"),
        (
            "tree/a-b/1",
            "sorts before a/1 by bytes, after it by components",
        ),
        ("tree/a/1", "1"),
    ]);
    let tree = context.path().join("tree");
    let mode = |name: &str, mode| {
        fs::set_permissions(tree.join(name), fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    mode("program", 0o4755);
    mode("secret", 0o600);
    symlink("program", tree.join("link")).expect("the folder can be written");
    symlink("/nowhere/at/all", tree.join("broken")).expect("the folder can be written");
    fs::hard_link(tree.join("program"), tree.join("twin")).expect("the folder can be written");
    run(
        "touch",
        &["-d", "2001-02-03 04:05:06.789 UTC"],
        &tree.join("program"),
    );
    run("chown", &["1234:5678"], &tree.join("secret"));

    let pushed = push("kept", context.path());
    let entries = pushed.entries(PLATFORM);
    let line = |path: &str| {
        let found = entries
            .iter()
            .find(|line| line.contains(&format!(" tree/{path}")));
        found
            .unwrap_or_else(|| panic!("{path} is not in {entries:#?}"))
            .as_str()
    };
    assert!(line("program").starts_with("-rwsr-xr-x 0/0"));
    assert!(line("program").contains("2001-02-03 04:05:06"));
    assert!(line("secret").starts_with("-rw------- 0/0"));
    assert!(line("link").ends_with("link -> program"));
    assert!(line("broken").ends_with("broken -> /nowhere/at/all"));
    assert_eq!(pushed.file(PLATFORM, "/tree/größe und Maß"), "non-ASCII");
    assert_eq!(pushed.file(PLATFORM, "/tree/a/1"), "1");
    assert!(pushed.file(PLATFORM, "/tree/a-b/1").starts_with("sorts"));
    assert!(entries.iter().any(|line| line.contains(" tree/twin")));
}

#[test]
fn a_large_file_arrives_whole() {
    let context = folder_of(&[(
        "Dockerfile",
        "FROM busybox\nCOPY . /in\nRUN sha256sum /in/large | cut -c1-64 > /sum\n",
    )]);
    let large = context.path().join("large");
    run(
        "dd",
        &["if=/dev/urandom", "bs=1M", "count=100"],
        Path::new(&format!("of={}", large.display())),
    );
    let sum = Command::new("sha256sum")
        .arg(&large)
        .output()
        .expect("sha256sum is there");
    let sum = String::from_utf8_lossy(&sum.stdout)[..64].to_owned();
    assert_eq!(
        push("large", context.path()).file(PLATFORM, "/sum").trim(),
        sum
    );
}

#[test]
fn ignored_files_stay_here_and_exceptions_do_not() {
    let context = folder_of(&[
        ("Dockerfile", "FROM scratch\nCOPY . /in\n"),
        (
            ".dockerignore",
            "# a comment\nnode_modules\n*.log\n!important.log\n**/cache/*\n",
        ),
        ("node_modules/left-pad/index.js", "ignored"),
        ("app.log", "ignored"),
        ("important.log", "kept"),
        ("deep/er/cache/1", "ignored"),
        ("deep/er/app.log", "kept: the pattern has no **"),
        ("kept", "kept"),
    ]);
    let files = files_in(&push("ignored", context.path()));
    assert_eq!(
        files,
        [
            "in/.dockerignore",
            "in/Dockerfile",
            "in/deep/er/app.log",
            "in/important.log",
            "in/kept"
        ]
    );
}

#[test]
fn an_ignore_file_beside_the_dockerfile_comes_before_the_contexts_own() {
    let context = folder_of(&[
        ("build/web.Dockerfile", "FROM scratch\nCOPY . /in\n"),
        (
            "build/web.Dockerfile.dockerignore",
            "build\n.dockerignore\n",
        ),
        (".dockerignore", "kept\n"),
        ("kept", "kept"),
    ]);
    let name = format!("{}:latest", Engine::get().name("beside"));
    let file = context.path().join("build/web.Dockerfile");
    Finished::of(
        solvekit(["build", "--platform", PLATFORM, "-t", &name, "--push", "-f"])
            .arg(file)
            .arg(context.path()),
    )
    .succeeded();
    assert_eq!(files_in(&Pushed::fetch(&name)), ["in/kept"]);
}

#[track_caller]
fn push(what: &str, context: &Path) -> Pushed {
    let name = format!("{}:latest", Engine::get().name(what));
    Finished::of(solvekit(["build", "--platform", PLATFORM, "-t", &name, "--push"]).arg(context))
        .succeeded();
    Pushed::fetch(&name)
}

/// The paths of the regular files, sorted.
fn files_in(pushed: &Pushed) -> Vec<String> {
    let mut files: Vec<_> = pushed
        .entries(PLATFORM)
        .iter()
        .filter(|line| line.starts_with('-'))
        .filter_map(|line| line.split_whitespace().nth(5).map(str::to_owned))
        .collect();
    files.sort();
    files
}

#[track_caller]
fn run(program: &str, arguments: &[&str], path: &Path) {
    let output = Command::new(program).args(arguments).arg(path).output();
    assert!(output.expect("it is there").status.success());
}
