//! Lookups and changes in folders of their own, with helpers that are shell scripts.

use std::fs;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::{Stored, login_key};
use super::*;

/// A configuration directory with the given script as the helper `docker-credential-test`.
fn configured(config: &str, script: &str) -> (tempfile::TempDir, Credentials) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.json"), config).unwrap();
    // Another process writes the script: a child of another test could inherit a writable
    // descriptor of it, and the kernel would then refuse to run it.
    let install = r#"printf '#!/bin/sh\n%s\n' "$2" > "$1/docker-credential-test"; chmod +x "$1/docker-credential-test""#;
    let installed = std::process::Command::new("sh")
        .args(["-c", install, "sh"])
        .arg(dir.path())
        .arg(script)
        .status();
    assert!(installed.unwrap().success());
    let mut credentials = Credentials::new(dir.path());
    credentials.helpers = Some(dir.path().to_owned());
    (dir, credentials)
}

// user:file
const FILE: &str = r#"{"auths": {"r.example": {"auth": "dXNlcjpmaWxl"}, "https://index.docker.io/v1/": {"auth": "dXNlcjpmaWxl"}}}"#;
const STORE: &str = r#"{"credsStore": "test", "auths": {"r.example": {"auth": "dXNlcjpmaWxl"}}}"#;

#[tokio::test]
async fn the_file_is_read_at_every_question() {
    let (dir, credentials) = configured(FILE, "exit 1");
    assert_eq!(
        credentials
            .get("r.example")
            .await
            .unwrap()
            .password
            .expose(),
        "file"
    );
    assert!(
        credentials
            .get("other.example")
            .await
            .unwrap()
            .is_anonymous()
    );
    fs::write(dir.path().join("config.json"), "{}").unwrap();
    assert!(credentials.get("r.example").await.unwrap().is_anonymous());
    fs::remove_file(dir.path().join("config.json")).unwrap();
    assert!(credentials.get("r.example").await.unwrap().is_anonymous());
}

#[tokio::test]
async fn docker_hub_has_one_entry_under_all_its_names() {
    let (_dir, credentials) = configured(FILE, "exit 1");
    for name in ["docker.io", "index.docker.io", "registry-1.docker.io"] {
        assert_eq!(
            credentials.get(name).await.unwrap().username,
            "user",
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_environment_wins_and_the_file_fills_in() {
    let (_dir, credentials) = configured(FILE, "exit 1");
    // me:env
    let json = r#"{"auths": {"r.example": {"auth": "bWU6ZW52"}}}"#;
    let credentials = credentials.with_auth_config(json).unwrap();
    assert_eq!(
        credentials
            .get("r.example")
            .await
            .unwrap()
            .password
            .expose(),
        "env"
    );
    assert_eq!(
        credentials
            .get("docker.io")
            .await
            .unwrap()
            .password
            .expose(),
        "file"
    );
    let error = Credentials::none()
        .with_auth_config(r#"{"auths": {"r.example": {}}}"#)
        .unwrap_err();
    assert!(matches!(error, Error::MalformedAuth { .. }), "{error}");
}

#[tokio::test]
async fn a_helper_gets_the_key_and_its_answer_holds_for_a_while() {
    let script = r#"echo run >> "$(dirname "$0")/runs"; printf '{"Username":"%s","Secret":"s3cret"}' "$1-$(cat)""#;
    let (dir, credentials) = configured(STORE, script);
    for _ in 0..2 {
        let credential = credentials.get("docker.io").await.unwrap();
        assert_eq!(credential.username, "get-https://index.docker.io/v1/");
        assert_eq!(credential.password.expose(), "s3cret");
    }
    assert_eq!(
        fs::read_to_string(dir.path().join("runs")).unwrap(),
        "run\n"
    );
}

#[tokio::test]
async fn a_helpers_token_is_an_identity_token() {
    let (_dir, credentials) = configured(STORE, r#"echo '{"Username":"<token>","Secret":"t"}'"#);
    let credential = credentials.get("r.example").await.unwrap();
    assert_eq!(
        (
            credential.username.as_str(),
            credential.identity_token.expose()
        ),
        ("", "t")
    );
}

/// Returns the user name of the credential; `None` if anonymous.
async fn user(credentials: &Credentials, registry: &str, repository: &str) -> Option<String> {
    let found = match repository {
        "" => credentials.get(registry).await.unwrap(),
        path => credentials.get_for(registry, path).await.unwrap(),
    };
    (!found.is_anonymous()).then_some(found.username)
}

/// Entries with user names and a trivial password.
fn auths(users: &[(&str, &str)]) -> String {
    let entries = users.iter().map(|(key, user)| {
        let auth = STANDARD.encode(format!("{user}:x"));
        ((*key).to_owned(), serde_json::json!({ "auth": auth }))
    });
    let entries: serde_json::Map<_, _> = entries.collect();
    serde_json::json!({ "auths": entries }).to_string()
}

#[tokio::test]
async fn the_longest_part_of_a_path_wins() {
    let config = auths(&[
        ("r.example", "all"),
        ("r.example/team", "team"),
        ("r.example/team/app", "app"),
        ("s.example/only", "part"),
        ("https://u.example/v1/", "url"),
        ("https://index.docker.io/v1/", "hub"),
        ("docker.io/me", "me"),
    ]);
    let (_dir, credentials) = configured(&config, "exit 1");
    for (registry, repository, expected) in [
        ("r.example", "", Some("all")),
        ("r.example", "x", Some("all")),
        ("r.example", "team", Some("team")),
        ("r.example", "team/other", Some("team")),
        ("r.example", "team/app/part", Some("app")),
        ("r.example", "teammate", Some("all")),
        ("s.example", "other", None),
        ("s.example", "only/x", Some("part")),
        // As docker does when only the host is known.
        ("s.example", "", Some("part")),
        ("u.example", "x", Some("url")),
        ("docker.io", "me/app", Some("me")),
        ("docker.io", "library/alpine", Some("hub")),
    ] {
        let found = user(&credentials, registry, repository).await;
        assert_eq!(found.as_deref(), expected, "{registry} {repository}");
    }
}

#[tokio::test]
async fn podmans_files_fill_in_and_are_read_anew() {
    let (dir, credentials) = configured(FILE, "exit 1");
    let [first, second] = ["first.json", "second.json"].map(|name| dir.path().join(name));
    let credentials = credentials.with_auth_file(&first).with_auth_file(&second);
    fs::write(
        &second,
        auths(&[("r.example/a", "second"), ("p.example", "second")]),
    )
    .unwrap();
    assert_eq!(user(&credentials, "r.example", "a").await.unwrap(), "user");
    assert_eq!(
        user(&credentials, "p.example", "a").await.unwrap(),
        "second"
    );
    fs::write(
        &first,
        auths(&[("p.example/a", "first"), ("docker.io", "hub")]),
    )
    .unwrap();
    assert_eq!(user(&credentials, "p.example", "a").await.unwrap(), "first");
    fs::write(&first, "[").unwrap();
    let error = credentials.get("p.example").await.unwrap_err().to_string();
    assert!(error.contains("first.json"), "{error}");
}

#[tokio::test]
async fn a_helper_is_asked_for_parts_that_it_was_given() {
    let script = r#"echo "$1-$(cat)" >> "$(dirname "$0")/runs"; echo credentials not found in native keychain; exit 1"#;
    let config = r#"{"credsStore": "test", "auths": {"r.example/team": {}}}"#;
    let (dir, credentials) = configured(config, script);
    assert_eq!(user(&credentials, "r.example", "team/a/b").await, None);
    let runs = fs::read_to_string(dir.path().join("runs")).unwrap();
    assert_eq!(runs, "get-r.example/team\nget-r.example\n");
}

fn text(dir: &tempfile::TempDir) -> String {
    fs::read_to_string(dir.path().join("config.json")).unwrap()
}

#[tokio::test]
async fn what_is_stored_is_found_and_what_is_erased_is_gone() {
    use std::os::unix::fs::PermissionsExt as _;
    let config = "{\n  \"unknown\": [1.0],\n  \"auths\": {},\n  \"proxies\": {}\n}\n";
    let (dir, credentials) = configured(config, "exit 1");
    let stored = Credential::of_user("me", Secret::new("pa:ss\"wörd"));
    for (key, registry, repository) in [
        ("r.example", "r.example", "a"),
        ("s.example/team", "s.example", "team/app"),
        (login_key("").as_str(), "docker.io", "library/alpine"),
    ] {
        let place = credentials.store(key, &stored).await.unwrap();
        assert_eq!(place, Stored::InFile(dir.path().join("config.json")));
        let found = credentials.get_for(registry, repository).await.unwrap();
        assert_eq!(found, stored, "{key}");
    }
    let mode = fs::metadata(dir.path().join("config.json")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    for key in ["r.example", "s.example/team", login_key("").as_str()] {
        assert!(credentials.erase(key).await.unwrap());
        assert!(!credentials.erase(key).await.unwrap());
    }
    assert_eq!(text(&dir), config);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[tokio::test]
async fn helpers_are_given_what_is_stored() {
    let script = r#"cat > "$(dirname "$0")/$1""#;
    let (dir, credentials) = configured(r#"{"credHelpers": {"r.example": "test"}}"#, script);
    let stored = Credential::of_user("me", Secret::new("s3cret"));
    let place = credentials.store("r.example", &stored).await.unwrap();
    assert_eq!(place, Stored::ByHelper("docker-credential-test".to_owned()));
    let printed: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.path().join("store")).unwrap()).unwrap();
    let expected =
        serde_json::json!({"ServerURL": "r.example", "Username": "me", "Secret": "s3cret"});
    assert_eq!(printed, expected);
    assert!(text(&dir).contains("\"r.example\": {}") && !text(&dir).contains("auth\""));
    assert!(credentials.erase("r.example").await.unwrap());
    assert_eq!(
        fs::read_to_string(dir.path().join("erase")).unwrap(),
        "r.example"
    );
    assert!(!text(&dir).contains("\"r.example\": {}"));
}

#[tokio::test]
async fn a_helper_that_fails_to_store_is_named_and_nothing_is_kept() {
    let (dir, credentials) = configured(STORE, "cat; exit 1");
    let stored = Credential::of_user("me", Secret::new("s3cret"));
    let error = credentials.store("r.example", &stored).await.unwrap_err();
    let error = error.to_string();
    assert!(error.contains("docker-credential-test"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
    assert_eq!(text(&dir), STORE);
}

#[tokio::test]
async fn the_default_helper_is_taken_for_the_first_login_only() {
    let script = "cat > /dev/null";
    let stored = Credential::of_user("me", Secret::new("s3cret"));
    for (config, by_helper) in [("{}", true), ("", true), (FILE, false)] {
        let (dir, credentials) = configured(config, script);
        let credentials = credentials.with_default_helper("test");
        let place = credentials.store("new.example", &stored).await.unwrap();
        assert_eq!(matches!(place, Stored::ByHelper(_)), by_helper, "{config}");
        assert_eq!(text(&dir).contains("credsStore"), by_helper);
    }
}

#[tokio::test]
async fn logins_at_the_same_time_are_all_kept() {
    let (dir, _) = configured("{}", "exit 1");
    let mut logins = tokio::task::JoinSet::new();
    for number in 0..20 {
        let credentials = Credentials::new(dir.path());
        logins.spawn(async move {
            let stored = Credential::of_user("me", Secret::new("x"));
            credentials
                .store(&format!("r{number}.example"), &stored)
                .await
                .unwrap();
        });
    }
    logins.join_all().await;
    assert_eq!(text(&dir).matches("\"auth\"").count(), 20);
}

#[tokio::test]
async fn a_configuration_that_is_broken_or_a_link_is_respected() {
    let stored = Credential::of_user("me", Secret::new("x"));
    for broken in ["[]", "{\"auths\": 1}", "nonsense"] {
        let (dir, credentials) = configured(broken, "exit 1");
        let error = credentials.store("r.example", &stored).await.unwrap_err();
        assert!(matches!(error, Error::ParseConfig { .. }), "{error}");
        assert_eq!(text(&dir), broken);
    }
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real.json");
    std::os::unix::fs::symlink(&real, folder.path().join("config.json")).unwrap();
    let credentials = Credentials::new(folder.path());
    credentials.store("r.example", &stored).await.unwrap();
    assert!(fs::read_to_string(&real).unwrap().contains("r.example"));
    let link = fs::symlink_metadata(folder.path().join("config.json")).unwrap();
    assert!(link.is_symlink());
    let error = Credentials::none().erase("r.example").await.unwrap_err();
    assert!(matches!(error, Error::NoFolder), "{error}");
    let error = Credentials::new("/proc/nowhere")
        .store("r.example", &stored)
        .await;
    assert!(error.unwrap_err().to_string().contains("/proc/nowhere"));
}

#[tokio::test]
async fn a_slow_helper_is_awaited_and_its_message_is_reported() {
    let script = "echo 'open https://sso.example' >&2; sleep 0.5; echo 'thank you' >&2; sleep 0.1; \
                  echo '{\"Username\": \"me\", \"Secret\": \"s\"}'";
    let (dir, _) = configured(STORE, script);
    let lines: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&lines);
    let notifier = Notifier::new(move |line| seen.lock().unwrap().push(line.to_owned()));
    let helper = Helper {
        directory: Some(dir.path()),
        suffix: "test",
        key: "r.example",
        quiet: Duration::from_millis(200),
        notifier: Some(&notifier),
    };
    assert_eq!(helper.get().await.unwrap().unwrap().username, "me");
    assert_eq!(
        *lines.lock().unwrap(),
        [
            "waiting for the credential helper docker-credential-test (r.example)",
            "open https://sso.example",
            "thank you",
        ]
    );
}

#[tokio::test]
async fn a_helper_that_nobody_waits_for_any_more_is_killed() {
    let (dir, credentials) = configured(STORE, "echo $$ >\"${0%/*}/pid\"; exec sleep 1000");
    let pid = dir.path().join("pid");
    let asked = tokio::time::timeout(Duration::from_secs(1), credentials.get("r.example")).await;
    assert!(asked.is_err());
    let pid = fs::read_to_string(pid).unwrap();
    let state = std::path::PathBuf::from(format!("/proc/{}/cmdline", pid.trim()));
    for _ in 0..50 {
        if fs::read(&state).unwrap_or_default().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the helper still runs");
}

#[tokio::test]
async fn what_a_failing_helper_says_on_stderr_is_in_the_error() {
    let script = "echo 'SSO session expired' >&2; echo 'run aws sso login' >&2; exit 1";
    let (_dir, credentials) = configured(STORE, script);
    let error = credentials.get("r.example").await.unwrap_err().to_string();
    assert_eq!(
        error,
        "the credential helper docker-credential-test failed for r.example: \
         SSO session expired; run aws sso login"
    );
}

#[tokio::test]
async fn a_helper_without_credentials_leaves_none_and_a_broken_one_is_an_error() {
    let (_dir, credentials) = configured(
        STORE,
        "echo credentials not found in native keychain; exit 1",
    );
    assert!(credentials.get("r.example").await.unwrap().is_anonymous());

    let (_dir, credentials) = configured(STORE, "echo the store is locked; exit 1");
    let error = credentials.get("r.example").await.unwrap_err().to_string();
    assert_eq!(
        error,
        "the credential helper docker-credential-test failed for r.example: the store is locked"
    );

    let (_dir, credentials) =
        configured(STORE, "echo '{\"Username\":\"u\",\"Secret\":[\"s3cret\"]}'");
    let error = credentials.get("r.example").await.unwrap_err().to_string();
    assert!(error.ends_with("its answer is not understood"), "{error}");
}

#[tokio::test]
async fn a_helper_that_is_not_installed_is_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("config.json"),
        r#"{"credHelpers": {"r.example": "nowhere"}}"#,
    )
    .unwrap();
    let error = Credentials::new(dir.path())
        .get("r.example")
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("docker-credential-nowhere"),
        "{error}"
    );
}

#[test]
fn nothing_secret_is_printed() {
    let credential = Credential {
        username: "me".into(),
        password: Secret::new("s3cret"),
        ..Credential::default()
    };
    assert!(!format!("{credential:?}").contains("s3cret"));
    let json = r#"{"auths": {"r.example": {"auth": "bWU6ZW52"}}}"#;
    let credentials = Credentials::none().with_auth_config(json).unwrap();
    assert!(!format!("{credentials:?}").contains("bWU6ZW52"));
}
