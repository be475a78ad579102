use std::os::unix::fs::symlink;

use super::*;

/// A context in a folder with secrets beside it.
fn hostile() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path().canonicalize().unwrap();
    let context = top.join("context");
    fs::create_dir(&context).unwrap();
    fs::create_dir(top.join("outside")).unwrap();
    for name in [
        "secret",
        "outside/Dockerfile",
        "outside/Dockerfile.dockerignore",
    ] {
        fs::write(top.join(name), "[hunter2").unwrap();
    }
    symlink("../outside", context.join("linked")).unwrap();
    (folder, context)
}

fn in_full(error: &Error) -> String {
    crate::causes::in_one_line(error)
}

#[test]
fn a_dockerfile_of_the_context_does_not_lead_out_of_it() {
    let (_folder, context) = hostile();
    symlink("../secret", context.join("Dockerfile")).unwrap();
    symlink(context.join("../secret"), context.join("Absolute")).unwrap();
    for name in ["Dockerfile", "Absolute", "linked/Dockerfile"] {
        let error = dockerfile(&context.join(name), &context).unwrap_err();
        assert!(matches!(error, Error::LeadsOut { .. }), "{name}: {error}");
        assert!(!in_full(&error).contains("hunter2"), "{error}");
    }
    fs::write(context.join("Real"), "FROM scratch\n").unwrap();
    symlink("Real", context.join("Inside")).unwrap();
    assert_eq!(
        dockerfile(&context.join("Inside"), &context).unwrap(),
        b"FROM scratch\n"
    );
}

#[test]
fn a_path_that_was_typed_is_the_user_s_to_follow() {
    let (_folder, context) = hostile();
    let top = context.parent().unwrap();
    symlink("secret", top.join("typed")).unwrap();
    assert_eq!(
        dockerfile(&top.join("typed"), &context).unwrap(),
        b"[hunter2"
    );
    // A path that leads into the context is checked like a file of the context from there on.
    symlink("../secret", context.join("Dockerfile")).unwrap();
    symlink("context/Dockerfile", top.join("through")).unwrap();
    let error = dockerfile(&top.join("through"), &context).unwrap_err();
    assert!(matches!(error, Error::LeadsOut { .. }), "{error}");
}

#[test]
fn an_ignore_file_leads_nowhere_and_is_a_file() {
    for target in ["../secret", "/dev/zero", "linked/Dockerfile"] {
        let (_folder, context) = hostile();
        symlink(target, context.join(".dockerignore")).unwrap();
        let error = ignore_file(&context, None).unwrap_err();
        assert!(matches!(error, Error::LeadsOut { .. }), "{target}: {error}");
        assert!(!in_full(&error).contains("hunter2"), "{error}");
    }
    let (_folder, context) = hostile();
    let own = context.join("linked/Dockerfile");
    let error = ignore_file(&context, Some(&own)).unwrap_err();
    assert!(matches!(error, Error::LeadsOut { .. }), "{error}");
    fs::create_dir(context.join(".dockerignore")).unwrap();
    let error = ignore_file(&context, None).unwrap_err();
    assert!(matches!(error, Error::NotRegular { .. }), "{error}");

    // Beside a Dockerfile that the user typed.
    let (_folder, context) = hostile();
    let own = context.with_file_name("outside").join("Other");
    symlink("../secret", own.with_file_name("Other.dockerignore")).unwrap();
    let error = ignore_file(&context, Some(&own)).unwrap_err();
    assert!(matches!(error, Error::LeadsOut { .. }), "{error}");
}

#[test]
fn a_huge_ignore_file_is_refused_by_its_size() {
    let (_folder, context) = hostile();
    fs::write(context.join(".dockerignore"), "a\n".repeat(600_000)).unwrap();
    let error = ignore_file(&context, None).unwrap_err();
    assert!(
        in_full(&error).contains("larger than the limit of 1 MiB"),
        "{error}"
    );
}

#[test]
fn a_malformed_pattern_is_an_error_of_its_file() {
    for pattern in ["[", "a\\", "!", " ! "] {
        let (_folder, context) = hostile();
        fs::write(context.join(".dockerignore"), pattern).unwrap();
        let error = ignore_file(&context, None).unwrap_err();
        assert!(
            matches!(error, Error::IgnorePatterns { .. }),
            "{pattern}: {error}"
        );
    }
}

#[test]
fn the_nearest_path_is_found_at_any_depth() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("service/images")).unwrap();
    fs::write(folder.path().join("service/images/Dockerfile"), "").unwrap();
    let near = |path: &str, wanted: fn(&Path) -> bool| {
        let path = folder.path().join(path);
        let error = fs::metadata(&path).unwrap_err();
        let near = near(&path, &error, wanted)?;
        let near = near.strip_prefix(folder.path()).unwrap();
        Some(near.to_str().unwrap().to_owned())
    };
    let is_dir = |path: &Path| path.is_dir();
    let is_file = |path: &Path| path.is_file();
    assert_eq!(near("servce", is_dir).as_deref(), Some("service"));
    assert_eq!(
        near("servce/images", is_dir).as_deref(),
        Some("service/images")
    );
    assert_eq!(
        near("service/images/dockerfil", is_file).as_deref(),
        Some("service/images/Dockerfile")
    );
    assert_eq!(near("service/images/dockerfil", is_dir), None);
    assert_eq!(near("entirely/else", is_dir), None);
}
