//! `solvekit bake URL`: definitions that the daemon fetches, and their access to this machine.

use tempfile::TempDir;

use super::fetched_contexts::basic;
use crate::support::{Finished, GitDaemon, Web, folder_of, repository_of, solvekit, unique};

fn bake(folder: &TempDir, arguments: &[&str]) -> Finished {
    let mut command = solvekit(["bake", "--progress=plain"]);
    Finished::of(command.current_dir(folder.path()).args(arguments))
}

fn definition(word: &str) -> TempDir {
    repository_of(&[
        (
            "dir/docker-bake.hcl",
            r#"
            variable "TEXT" { default = "there" }
            target "default" {
              context = "app"
              contexts = { more = "more" }
              output = ["out"]
              args = { TEXT = TEXT }
            }
            target "here" {
              context = BAKE_CMD_CONTEXT
              dockerfile-inline = "FROM scratch\nCOPY word /\n"
              output = ["out"]
            }
            target "outside" {
              contexts = { more = "cwd://.." }
              dockerfile-inline = "FROM scratch\nCOPY --from=more /* /\n"
            }
            "#,
        ),
        ("dir/compose.yaml", "include: [/etc/passwd.yaml]\n"),
        (
            "dir/app/Dockerfile",
            "FROM alpine AS build\nARG TEXT\nCOPY --from=more word /\nRUN echo $TEXT >> /word\n\
             FROM scratch\nCOPY --from=build /word /\n",
        ),
        ("dir/more/word", &format!("{word}\n")),
    ])
}

#[test]
fn relative_contexts_are_folders_of_the_repository() {
    let word = unique();
    let repository = definition(&word);
    let daemon = GitDaemon::of(repository.path());
    let url = daemon.url("#main:dir");
    let folder = folder_of(&[(
        "local.hcl",
        r#"target "default" { args = { TEXT = "changed" } }"#,
    )]);
    let named = [url.as_str(), "-f", "docker-bake.hcl"];
    bake(&folder, &named).succeeded();
    let out = folder.path().join("out/word");
    assert_eq!(
        std::fs::read_to_string(&out).expect("it was written"),
        format!("{word}\nthere\n")
    );
    let both = [
        url.as_str(),
        "-f",
        "docker-bake.hcl",
        "-f",
        "cwd://local.hcl",
    ];
    bake(&folder, &both).succeeded();
    assert_eq!(
        std::fs::read_to_string(&out).expect("it was written"),
        format!("{word}\nchanged\n")
    );
    let printed = bake(&folder, &[&named[..], &["--print"]].concat()).succeeded();
    let printed: serde_json::Value = serde_json::from_str(&printed.stdout).expect("JSON");
    assert_eq!(
        printed["target"]["default"]["context"],
        daemon.url("#main:dir/app")
    );
}

#[test]
fn files_here_are_read_only_where_the_command_is_run() {
    let word = unique();
    let repository = definition(&word);
    let daemon = GitDaemon::of(repository.path());
    let url = daemon.url("#main:dir");
    let folder = folder_of(&[("work/word", &word), ("secret", "s")]);
    let run = |arguments: &[&str]| {
        let mut command = solvekit(["bake", "--progress=plain", &url]);
        command.current_dir(folder.path().join("work"));
        Finished::of(command.args(arguments))
    };
    run(&["-f", "docker-bake.hcl", "here"]).succeeded();
    let out = folder.path().join("work/out/word");
    assert_eq!(std::fs::read_to_string(out).expect("it was written"), word);
    let refused = run(&["-f", "docker-bake.hcl", "outside"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("--allow=fs.read=.."),
        "{}",
        refused.stderr
    );
    let included = run(&["--print"]);
    assert_eq!(included.code, Some(1));
    let reason = "reads no files of this machine";
    assert!(included.stderr.contains(reason), "{}", included.stderr);
}

#[test]
fn what_is_not_there_is_reported_with_the_place() {
    let repository = definition("word");
    let daemon = GitDaemon::of(repository.path());
    let folder = folder_of(&[]);
    let missing = bake(&folder, &[&daemon.url("#main:dir"), "-f", "other.hcl"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("other.hcl"), "{}", missing.stderr);
    let none = bake(&folder, &[&daemon.url("#main:dir/more")]);
    assert!(
        none.stderr.contains("there is no bake file"),
        "{}",
        none.stderr
    );
    let branch = bake(&folder, &[&daemon.url("#nowhere")]);
    assert!(
        branch
            .stderr
            .contains("cannot read the bake file of git://"),
        "{}",
        branch.stderr
    );
}

#[test]
fn the_login_for_a_definition_is_named_by_its_variable() {
    let token = unique();
    let repository = repository_of(&[
        (
            "docker-bake.hcl",
            r#"target "default" {
              dockerfile-inline = "FROM scratch"
            }"#,
        ),
        ("file", &token),
    ]);
    let web = Web::with_authorization(repository.path(), &basic(&token));
    let url = web.url("repo.git");
    let here = folder_of(&[]);
    let refused = bake(&here, &[&url]);
    let refused = refused.failed_with(1, &[&url, "set BUILDX_BAKE_GIT_AUTH_TOKEN"]);
    assert!(!refused.stderr.contains("--secret"), "{}", refused.stderr);

    let mut command = solvekit(["bake", "--print", &url]);
    command.env("BUILDX_BAKE_GIT_AUTH_TOKEN", &token);
    let printed = Finished::of(command.current_dir(here.path())).succeeded();
    assert!(
        printed.stdout.contains("dockerfile-inline"),
        "{}",
        printed.stdout
    );
    assert!(!printed.stderr.contains(&token), "{}", printed.stderr);
}

#[test]
fn a_definition_over_http_is_a_file_or_an_archive() {
    let word = unique();
    let bake_file = format!(
        r#"
        variable "TEXT" {{ default = "there" }}
        target "default" {{
          dockerfile-inline = "FROM alpine AS run\nARG TEXT\nRUN echo {word} $TEXT > /word\nFROM scratch\nCOPY --from=run /word /\n"
          args = {{ TEXT = TEXT }}
          output = ["out"]
        }}
        "#
    );
    let served = folder_of(&[
        ("docker-bake.hcl", &bake_file),
        ("packed/dir/docker-bake.hcl", &bake_file),
        (
            "packed/other.json",
            r#"{"target": {"default": {"args": {"TEXT": "other"}}}}"#,
        ),
        ("wrong.hcl", "target \"default\" { tags = [\"\" }\n"),
    ]);
    let packed = std::process::Command::new("tar")
        .args(["-czf", "project.tar.gz", "-C", "packed", "."])
        .current_dir(served.path())
        .status();
    assert!(packed.expect("tar is there").success());
    let web = Web::of(served.path());
    let folder = folder_of(&[]);
    let out = folder.path().join("out/word");
    let written = || std::fs::read_to_string(&out).expect("it was written");

    bake(&folder, &[&web.url("docker-bake.hcl")]).succeeded();
    assert_eq!(written(), format!("{word} there\n"));
    let archive = web.url("project.tar.gz");
    let files = ["-f", "dir/docker-bake.hcl", "-f", "other.json"];
    bake(&folder, &[&[archive.as_str()], &files[..]].concat()).succeeded();
    assert_eq!(written(), format!("{word} other\n"));

    let wrong = bake(&folder, &["--print", &web.url("wrong.hcl")]);
    wrong.failed_with(1, &["wrong.hcl:1"]);
    let missing = bake(&folder, &["--print", &web.url("nowhere.hcl")]);
    missing.failed_with(1, &["cannot read the bake file of", "nowhere.hcl", "404"]);
    let absent = bake(&folder, &["--print", &archive, "-f", "absent.hcl"]);
    absent.failed_with(1, &["absent.hcl"]);
}

#[test]
fn a_private_definition_wants_a_token_or_a_header_and_gets_it() {
    let word = unique();
    let repository = definition(&word);
    let token = format!("token-{word}");
    let web = Web::with_authorization(repository.path(), &basic(&token));
    let url = web.url("repo.git#main:dir");
    let folder = folder_of(&[]);
    let run = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = solvekit(["bake", "--progress=plain", &url, "-f", "docker-bake.hcl"]);
        command.current_dir(folder.path()).args(arguments);
        Finished::of(command.envs(variables.iter().copied()))
    };
    let refused = run(&[], &["--print"]);
    refused.failed_with(
        1,
        &["cannot read the bake file of", "BUILDX_BAKE_GIT_AUTH_TOKEN"],
    );
    let variable = ("BUILDX_BAKE_GIT_AUTH_TOKEN", token.as_str());
    let printed = run(&[variable], &["--print"]).succeeded();
    assert!(
        printed.stdout.contains("repo.git#main:dir/app"),
        "{}",
        printed.stdout
    );
    // The variable is for the definition only: a private context needs a secret of its own.
    run(&[variable], &[]).failed_with(1, &["GIT_AUTH_TOKEN"]);
    let own = ["--set=*.secrets=id=GIT_AUTH_TOKEN,env=TOKEN"];
    let built = run(&[variable, ("TOKEN", &token)], &own).succeeded();
    assert!(!built.stderr.contains(&token), "{}", built.stderr);
    let out = std::fs::read_to_string(folder.path().join("out/word"));
    assert_eq!(out.expect("it was written"), format!("{word}\nthere\n"));
}

#[test]
fn a_header_of_a_private_definition_is_sent_to_its_host() {
    let repository = definition("word");
    let header = format!("Bearer {}", unique());
    let web = Web::with_authorization(repository.path(), &header);
    let url = web.url("repo.git#main:dir");
    let folder = folder_of(&[]);
    let mut command = solvekit(["bake", "--print", &url, "-f", "docker-bake.hcl"]);
    command.current_dir(folder.path());
    command.env("BUILDX_BAKE_GIT_AUTH_HEADER", &header);
    let printed = Finished::of(&mut command).succeeded();
    assert!(
        printed.stdout.contains("repo.git#main:dir/app"),
        "{}",
        printed.stdout
    );
    assert!(!printed.stderr.contains(&header), "{}", printed.stderr);
}
