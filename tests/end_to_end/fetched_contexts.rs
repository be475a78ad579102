//! Contexts that the daemon fetches: git repositories, archives and Dockerfiles by http.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::support::{
    Finished, GitDaemon, SshServer, Web, commit_of, folder_of, frontend_image, repository_of,
    solvekit, unique,
};

/// Builds with these arguments in a new working directory.
fn build(arguments: &[&str], variables: &[(&str, &str)]) -> (Finished, TempDir) {
    let output = tempfile::tempdir().expect("a temporary folder");
    let built = Finished::of(
        solvekit(["build", "--progress=plain", "--platform=local", "-o", "."])
            .args(arguments)
            .envs(variables.iter().copied())
            .current_dir(output.path()),
    );
    (built, output)
}

#[track_caller]
fn holds(output: &TempDir, path: &str, text: &str) {
    let path = output.path().join(path);
    let found = fs::read_to_string(&path);
    assert_eq!(found.ok().as_deref(), Some(text), "{}", path.display());
}

/// A repository with a word in it.
fn repository(word: &str) -> TempDir {
    repository_of(&[
        ("Dockerfile", "FROM scratch\nCOPY . /\n"),
        ("file", word),
        ("sub/dockerfile", "FROM scratch\nCOPY . /\n"),
        ("sub/inner", word),
        ("sub/Other", "FROM scratch\nCOPY file /other\n"),
    ])
}

#[test]
fn a_git_repository_is_a_context_in_all_forms() {
    let word = unique();
    let repository = repository(&word);
    let daemon = GitDaemon::of(repository.path());
    let commit = commit_of(repository.path());
    for (rest, file) in [
        (String::new(), "file"),
        ("#main".to_owned(), "file"),
        (format!("#{commit}"), "file"),
        ("#main:sub".to_owned(), "inner"),
        ("#:sub".to_owned(), "inner"),
        ("?ref=main&subdir=sub".to_owned(), "inner"),
        ("?branch=main".to_owned(), "file"),
    ] {
        let (built, output) = build(&[&daemon.url(&rest)], &[]);
        built.succeeded();
        holds(&output, file, &word);
        assert!(!output.path().join(".git").exists());
    }
    let (built, output) = build(&["-f", "sub/Other", &daemon.url("")], &[]);
    built.succeeded();
    holds(&output, "other", &word);
}

#[test]
fn frontends_in_the_daemon_get_the_repository() {
    let word = unique();
    let repository = repository(&word);
    let daemon = GitDaemon::of(repository.path());
    for frontend in ["dockerfile.v0", frontend_image()] {
        let (built, output) = build(&["--frontend", frontend, &daemon.url("#main:sub")], &[]);
        built.succeeded();
        holds(&output, "inner", &word);
    }
}

#[test]
fn the_folder_of_git_is_kept_when_asked_for() {
    let repository = repository("x");
    let daemon = GitDaemon::of(repository.path());
    let argument = "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1";
    let (built, output) = build(&["--build-arg", argument, &daemon.url("")], &[]);
    built.succeeded();
    assert!(output.path().join(".git/HEAD").exists());
}

#[test]
fn a_dockerfile_of_this_machine_builds_a_repository() {
    let word = unique();
    let repository = repository(&word);
    let daemon = GitDaemon::of(repository.path());
    let here = folder_of(&[("Mine", "FROM scratch\nCOPY file /mine\n")]);
    let path = here.path().join("Mine");
    let path = path.to_str().expect("UTF-8");
    for frontend in ["auto", "dockerfile.v0"] {
        let arguments = ["--frontend", frontend, "-f", path, &daemon.url("")];
        let (built, output) = build(&arguments, &[]);
        built.succeeded();
        holds(&output, "mine", &word);
    }
}

#[test]
fn questions_are_answered_about_a_repository() {
    let repository = repository_of(&[("Dockerfile", "FROM scratch AS base\nFROM base AS app\n")]);
    let daemon = GitDaemon::of(repository.path());
    let targets = Finished::of(&mut solvekit(["build", "--call=targets", &daemon.url("")]));
    let targets = targets.succeeded();
    assert!(targets.stdout.contains("app"), "{}", targets.stdout);
}

#[test]
fn git_over_http_wants_a_token_and_gets_it() {
    let word = unique();
    let repository = repository(&word);
    let token = format!("token-{word}");
    let web = Web::with_authorization(repository.path(), &basic(&token));
    let url = web.url("repo.git");

    let (refused, _) = build(&[&url], &[]);
    let refused = refused.failed_with(1, &[&url, "GIT_AUTH_TOKEN"]);
    assert!(
        !refused.stderr.contains("solvekit login"),
        "{}",
        refused.stderr
    );

    // A variable alone is not sent: the daemon only gets secrets from the command line.
    let variable = [("GIT_AUTH_TOKEN", token.as_str())];
    let (refused, _) = build(&[&url], &variable);
    refused.failed_with(1, &[&url, "--secret id=GIT_AUTH_TOKEN,env=GIT_AUTH_TOKEN"]);

    let arguments = ["--secret", "id=GIT_AUTH_TOKEN,env=GIT_AUTH_TOKEN", &url];
    let (built, output) = build(&arguments, &variable);
    assert!(!built.succeeded().stderr.contains(&token));
    holds(&output, "file", &word);

    let secret = folder_of(&[("token", &token)]);
    let path = secret.path().join("token");
    let secret = format!("id=GIT_AUTH_TOKEN,src={}", path.display());
    let fresh = format!("{url}#main:sub");
    let (built, output) = build(&["--secret", &secret, &fresh], &[]);
    built.succeeded();
    holds(&output, "inner", &word);
}

#[test]
fn a_password_in_a_url_is_used_and_not_shown() {
    let word = unique();
    let repository = repository(&word);
    let token = format!("token-{word}");
    let wanted = basic(&token).replace("basic", "Basic");
    let web = Web::with_authorization(repository.path(), &wanted);
    let login = format!("http://x-access-token:{token}@");
    let url = web.url("repo.git").replace("http://", &login);
    let (built, output) = build(&[&url], &[]);
    let built = built.succeeded();
    holds(&output, "file", &word);
    assert!(!built.stderr.contains(&token), "{}", built.stderr);
}

#[test]
fn tokens_and_headers_are_for_one_host() {
    let word = unique();
    let repository = repository(&word);
    let header = format!("Bearer {word}");
    let web = Web::with_authorization(repository.path(), &header);
    let url = web.url("repo.git");
    let variable = [("HEADER", header.as_str())];
    let secret = |host: &str| format!("id=GIT_AUTH_HEADER.{host},env=HEADER");
    let (refused, _) = build(&["--secret", &secret("example.com"), &url], &variable);
    refused.failed_with(1, &[&url]);
    let (built, output) = build(&["--secret", &secret(&web.host()), &url], &variable);
    built.succeeded();
    holds(&output, "file", &word);
}

#[test]
fn git_over_ssh_uses_the_key() {
    let word = unique();
    let repository = repository(&word);
    let server = SshServer::start();
    let bare = repository.path().join("repo.git");
    let url = server.url(&bare);
    let (refused, _) = build(&[&url], &[]);
    refused.failed_with(1, &["cannot fetch the build context", "--ssh default"]);

    let key = format!("default={}", server.key().display());
    let (built, output) = build(&["--ssh", &key, &url], &[]);
    built.succeeded();
    holds(&output, "file", &word);

    let named = format!("code={url}#main:sub");
    let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY --from=code inner /\n")]);
    let path = context.path().to_str().expect("UTF-8");
    let (built, output) = build(&["--ssh", &key, "--build-context", &named, path], &[]);
    built.succeeded();
    holds(&output, "inner", &word);

    let stranger = SshServer::start();
    let wrong = format!("default={}", stranger.key().display());
    let other = format!("{url}#main");
    let (refused, _) = build(&["--ssh", &wrong, &other], &[]);
    refused.failed_with(1, &["Permission denied", "ssh-add"]);
}

#[test]
fn archives_and_dockerfiles_are_downloaded() {
    let word = unique();
    let context = folder_of(&[
        ("Dockerfile", "FROM scratch\nCOPY file /\n"),
        ("file", &word),
    ]);
    let served = tempfile::tempdir().expect("a temporary folder");
    for (name, option) in [
        ("a.tar", "--no-recursion"),
        ("a.tgz", "--gzip"),
        ("a.xz", "--xz"),
    ] {
        let made = Command::new("tar")
            .arg("-cf")
            .arg(served.path().join(name))
            .arg(option)
            .arg("-C")
            .arg(context.path())
            .args(["Dockerfile", "file"])
            .status();
        assert!(made.expect("tar is there").success());
    }
    let alone = format!("FROM busybox\nRUN echo {word} > /w\nFROM scratch\nCOPY --from=0 /w /\n");
    fs::write(served.path().join("alone"), alone).expect("it is ours");
    let web = Web::of(served.path());
    for name in ["a.tar", "a.tgz", "a.xz"] {
        let (built, output) = build(&[&web.url(name)], &[]);
        built.succeeded();
        holds(&output, "file", &word);
    }
    for frontend in ["auto", "dockerfile.v0"] {
        let (built, output) = build(&["--frontend", frontend, &web.url("alone")], &[]);
        built.succeeded();
        holds(&output, "w", &format!("{word}\n"));
    }
}

#[test]
fn what_cannot_be_fetched_is_named() {
    let repository = repository("x");
    let daemon = GitDaemon::of(repository.path());
    let web = Web::of(repository.path());
    let refused = |arguments: &[&str], texts: &[&str]| {
        build(arguments, &[]).0.failed_with(1, texts);
    };
    refused(
        &[&daemon.url("#no-such-branch")],
        &[
            "cannot fetch the build context",
            "no-such-branch",
            "URL#main:folder",
        ],
    );
    refused(
        &["-f", "no/such/file", &daemon.url("")],
        &["no/such/file", "absolute path"],
    );
    let missing = web.url("missing.tar");
    refused(&[&missing], &["cannot fetch", &missing, "404"]);
    refused(&[&daemon.url("?color=red")], &["unknown key", "color"]);
    refused(&["ftp://host/a.tar"], &["unknown scheme \"ftp\"", "git"]);
    refused(&["./no-such-folder"], &["no-such-folder"]);
    let secret = web
        .url("missing.tar")
        .replace("http://", "http://me:hunter2@");
    let (failed, _) = build(&[&secret], &[]);
    let failed = failed.failed_with(1, &["cannot fetch"]);
    let error = failed
        .stderr
        .lines()
        .filter(|line| line.starts_with("ERROR"));
    assert!(
        !error.collect::<String>().contains("hunter2"),
        "{}",
        failed.stderr
    );
}

/// The header that git sends for a token.
pub(crate) fn basic(token: &str) -> String {
    use base64::Engine as _;
    let encoded =
        base64::engine::general_purpose::STANDARD.encode(format!("x-access-token:{token}"));
    format!("basic {encoded}")
}

#[test]
fn the_epoch_of_an_archive_without_a_time_is_that_of_its_newest_file() {
    let text = "FROM busybox\nARG SOURCE_DATE_EPOCH\nRUN echo $SOURCE_DATE_EPOCH > /epoch\n";
    let files = folder_of(&[("Dockerfile", text)]);
    let served = tempfile::tempdir().expect("a temporary folder");
    let packed = Command::new("tar")
        .args(["--mtime=@1600000000", "-czf"])
        .arg(served.path().join("context.tgz"))
        .args(["-C".as_ref(), files.path().as_os_str()])
        .arg("Dockerfile")
        .status();
    assert!(packed.is_ok_and(|packed| packed.success()));
    let web = Web::of(served.path());
    let epoch = ["--build-arg", "SOURCE_DATE_EPOCH=context"];
    let (built, output) = build(&[epoch[0], epoch[1], &web.url("context.tgz")], &[]);
    built.succeeded();
    holds(&output, "epoch", "1600000000\n");
}

#[test]
fn a_named_context_is_what_a_source_policy_makes_of_its_image() {
    let word = unique();
    let served = folder_of(&[("file", &word)]);
    let web = Web::of(served.path());
    let url = web.url("file");
    let policy = format!(
        r#"{{"rules": [{{"action": "CONVERT",
            "selector": {{"identifier": "docker-image://docker.io/library/{word}:latest"}},
            "updates": {{"identifier": "{url}"}}}}]}}"#
    );
    let context = folder_of(&[
        ("Dockerfile", "FROM scratch\nCOPY --from=other / /\n"),
        ("policy.json", &policy),
    ]);
    let path = context.path().to_string_lossy();
    let file = context.path().join("policy.json");
    let variables = [(
        "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY",
        file.to_str().expect("a UTF-8 path"),
    )];
    let other = format!("--build-context=other=docker-image://{word}");
    let (built, output) = build(&[&other, &path], &variables);
    built.succeeded();
    holds(&output, "context", &word);
}

#[test]
fn what_is_found_before_a_syntax_error_is_shown_with_it() {
    let files = folder_of(&[("Dockerfile", "FROM scratch as a\nRUNN x\n")]);
    let shown = ["FromAsCasing", "unknown instruction \"RUNN\""];
    let path = files.path().to_string_lossy();
    build(&[&path], &[]).0.failed_with(1, &shown);
    let repository = repository_of(&[("Dockerfile", "FROM scratch as a\nRUNN x\n")]);
    let daemon = GitDaemon::of(repository.path());
    build(&[&daemon.url("")], &[]).0.failed_with(1, &shown);
}

/// While a build is running, only a Dockerfile that the daemon fetches is parsed.
#[test]
fn warnings_before_a_mistake_reach_the_daemon_and_are_shown() {
    let repository = repository_of(&[(
        "Dockerfile",
        &format!(
            "FROM scratch as odd\nLABEL word={}\nNOSUCH thing\n",
            unique()
        ),
    )]);
    let daemon = GitDaemon::of(repository.path());
    let url = daemon.url("");
    let (failed, _) = build(&[&url], &[]);
    failed.failed_with(1, &["1 warning found", "FromAsCasing", "NOSUCH"]);

    let listed = Finished::of(&mut solvekit([
        "history",
        "ls",
        "--format",
        "{{.Ref}} {{.Name}}",
    ]));
    let listed = listed.succeeded().stdout;
    let port = url
        .rsplit(':')
        .next()
        .and_then(|rest| rest.split('/').next());
    let port = port.expect("a port");
    let reference = listed.lines().find(|line| line.contains(port));
    let reference = reference
        .and_then(|line| line.split(' ').next())
        .expect("the build is listed");
    let logs = ["history", "logs", "--progress=rawjson", reference];
    let logs = Finished::of(&mut solvekit(logs)).succeeded();
    let events = format!("{}{}", logs.stdout, logs.stderr);
    // "FromAsCasing" in Go's encoding of bytes.
    assert!(events.contains("RnJvbUFzQ2FzaW5n"), "{events}");
}
