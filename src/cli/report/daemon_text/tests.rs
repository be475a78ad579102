use super::*;

#[test]
fn full_disks_missing_files_and_missing_images_get_a_next_step() {
    let cases = [
        (
            "write /var/lib/x: no space left on device",
            "solvekit prune",
        ),
        (
            "failed to commit b8q to ke4 during finalize: failed to stat active key during \
             commit: snapshot b8q does not exist: not found",
            "--no-cache-filter STAGE",
        ),
        (
            "failed to compute cache key: failed to calculate checksum of ref \
             a::b: \"/x.txt\": not found",
            "/x.txt is not in the build context",
        ),
        (
            "failed to resolve source metadata for docker.io/library/nope:1: \
             docker.io/library/nope:1: not found",
            "imagetools inspect docker.io/library/nope:1;",
        ),
        (
            "failed to resolve source metadata for docker.io/library/alpine:latest: rpc error: \
             code = NotFound desc = blob sha256:76 expected at /var/lib/containerd/blobs/76: \
             blob not found: not found",
            "the daemon knows docker.io/library/alpine:latest but has lost a part of it",
        ),
        (
            "failed to do request: Head \"https://registry-1.docker.io/v2/x/manifests/1\": \
             dial tcp: lookup registry-1.docker.io on 127.0.0.53:53: no such host",
            "does not find the host registry-1.docker.io: ",
        ),
        (
            "Get \"https://r.invalid/v2/\": dial tcp: lookup r.invalid: no such host",
            "does not find the host r.invalid: ",
        ),
    ];
    for (message, part) in cases {
        let hint = for_message(message).unwrap();
        assert!(hint.contains(part), "{hint}");
    }
    assert_eq!(for_message("not found"), None);
}

#[test]
fn plain_http_registries_get_their_configuration_lines() {
    let hint = for_message(
        "failed to do request: Head \"https://reg.example:5000/v2/a/manifests/1\": http: \
         server \
         gave HTTP response to HTTPS client",
    );
    assert!(
        hint.unwrap()
            .contains("[registry.\"reg.example:5000\"]\n    http = true")
    );
}

#[test]
fn refused_pushes_name_the_registry_to_log_in_to() {
    let hint = for_message(
        "failed to push ghcr.io/a/b:1: unexpected status from HEAD request: 401 Unauthorized",
    );
    assert_eq!(
        hint.unwrap(),
        "log in with an account that may push to it: solvekit login ghcr.io"
    );
}

#[test]
fn what_is_not_known_gets_no_hint() {
    assert_eq!(for_message("exit code: 1"), None);
}

#[test]
fn a_git_server_s_refusal_says_what_to_give() {
    let hint = |message: &str| for_git(message).unwrap();
    let no_token = "fatal: could not read Username for 'https://h': terminal prompts disabled";
    assert!(hint(no_token).contains("--secret id=GIT_AUTH_TOKEN"));
    assert!(hint("git@h: Permission denied (publickey).").contains("ssh-add"));
    assert!(hint("no SSH key \"default\" forwarded").contains("--ssh default"));
    assert!(for_git("exit code: 1").is_none());
}

#[test]
fn an_engine_that_cannot_rewrite_times_has_other_ways() {
    let hint = for_message("exporter option \"rewrite-timestamp\" conflicts with \"unpack\"");
    assert!(
        hint.unwrap()
            .contains("type=oci,dest=FILE,rewrite-timestamp=true")
    );
}
