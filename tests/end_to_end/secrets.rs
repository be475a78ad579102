//! Secrets and SSH agents: used by RUN, kept nowhere.

use std::os::unix::net::UnixListener;

use crate::support::{Engine, Finished, Pushed, folder_of, solvekit, unique};

#[test]
fn a_secret_reaches_the_step_and_nothing_else() {
    let (word, value) = (unique(), unique());
    let dockerfile = format!(
        "FROM alpine\nRUN --mount=type=secret,id=file,target=/s,mode=0400,uid=7 \
         --mount=type=secret,id=NAMED \
         echo {word}; ls -ln /s | cut -c1-10 > /mode; cat /s /run/secrets/NAMED | sha256sum | cut \
         -c1-64 > /sum\n"
    );
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let outside = folder_of(&[("value", &value)]);
    let name = format!("{}:latest", Engine::get().name("secret"));
    let file = format!("id=file,src={}", outside.path().join("value").display());
    let built = Finished::of(
        solvekit([
            "build",
            "--progress=plain",
            "--push",
            "-t",
            &name,
            "--secret",
            &file,
        ])
        .args(["--secret", "id=NAMED"])
        .env("NAMED", format!("{value}-named"))
        .arg(context.path()),
    )
    .succeeded();
    assert!(!built.stderr.contains(&value), "{}", built.stderr);
    let pushed = Pushed::fetch(&name);
    assert!(!pushed.config("linux/amd64").to_string().contains(&value));
    assert_eq!(pushed.file("linux/amd64", "/mode"), "-r--------\n");
    let sum = pushed.file("linux/amd64", "/sum");
    assert_eq!(sum.trim(), sha256(&format!("{value}{value}-named")));
}

/// A Dockerfile must not get what the user did not pass: the environment is full of tokens.
#[test]
fn a_token_of_the_environment_is_no_secret_of_the_build() {
    for name in [
        "GIT_AUTH_TOKEN",
        "GIT_AUTH_HEADER",
        "GIT_AUTH_TOKEN.example.com",
    ] {
        let dockerfile = format!(
            "FROM alpine\nRUN --mount=type=secret,id={name},required cat /run/secrets/{name} # \
             {}\n",
            unique()
        );
        let context = folder_of(&[("Dockerfile", &dockerfile)]);
        let value = unique();
        let refused = Finished::of(
            solvekit(["build", "--progress=plain"])
                .env(name, &value)
                .arg(context.path()),
        );
        let refused = refused.failed_with(1, &["Dockerfile:2", name]);
        assert!(!refused.stderr.contains(&value), "{}", refused.stderr);
    }
}

/// Daemons before 0.16 do not support secrets as variables: the step is rejected, with its line.
#[test]
fn a_secret_as_a_variable_is_there_or_refused() {
    let dockerfile = format!(
        "FROM alpine\nRUN --mount=type=secret,id=token,env=TOKEN test \"$TOKEN\" = value # {}\n",
        unique()
    );
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let built = Finished::of(
        solvekit(["build", "--secret", "id=token,env=VALUE"])
            .env("VALUE", "value")
            .arg(context.path()),
    );
    if built.code != Some(0) {
        built.failed_with(1, &["Dockerfile:2", "exec.secretenv"]);
    }
}

#[test]
fn a_secret_that_is_needed_and_not_given_is_named_with_its_line() {
    let dockerfile = format!(
        "FROM alpine\nRUN --mount=type=secret,id=npm,required cat /run/secrets/npm # {}\n",
        unique()
    );
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    Finished::of(solvekit(["build"]).arg(context.path()))
        .failed_with(1, &["Dockerfile:2", "secret npm"]);
}

#[test]
fn secrets_that_cannot_be_read_are_reported_before_the_build() {
    let context = folder_of(&[("Dockerfile", "FROM scratch\n")]);
    for (flag, text) in [
        ("id=a,src=/nonexistent/x", "/nonexistent/x"),
        ("id=a,env=NOT_SET_ANYWHERE", "NOT_SET_ANYWHERE is not set"),
        ("id=a,sorce=x", "there is no field \"sorce\""),
    ] {
        Finished::of(solvekit(["build", "--secret", flag]).arg(context.path()))
            .failed_with(1, &[text]);
    }
    // Neither a variable nor a file with this name exists.
    Finished::of(solvekit(["build", "--secret", "id=NOT_HERE_EITHER"]).arg(context.path()))
        .failed_with(
            1,
            &[
                "cannot use NOT_HERE_EITHER as secret",
                "the variable NOT_HERE_EITHER is not set, and so the file was looked for",
                "env=NAME",
            ],
        );
    Finished::of(
        solvekit(["build", "--ssh=default"])
            .env_remove("SSH_AUTH_SOCK")
            .arg(context.path()),
    )
    .failed_with(1, &["SSH_AUTH_SOCK is not set", "ssh-add"]);
    let key = format!(
        "--ssh=default={}",
        context.path().join("Dockerfile").display()
    );
    Finished::of(solvekit(["build", &key]).arg(context.path())).failed_with(
        1,
        &[
            "Dockerfile as a key of SSH agent default",
            "not a private key",
        ],
    );
}

#[test]
fn an_agents_socket_is_in_the_step() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("agent");
    let _agent = UnixListener::bind(&socket).expect("it can be bound");
    let dockerfile = format!(
        "FROM alpine\nRUN --mount=type=ssh,required test -S $SSH_AUTH_SOCK # {}\n",
        unique()
    );
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    Finished::of(
        solvekit(["build", "--ssh=default"])
            .env("SSH_AUTH_SOCK", &socket)
            .arg(context.path()),
    )
    .succeeded();
}

fn sha256(text: &str) -> String {
    let digest = solvekit::oci::Digest::sha256(text.as_bytes());
    digest.as_str().trim_start_matches("sha256:").to_owned()
}
