//! `cache-mount` and the related flags of builds on the real daemon: exported content is imported
//! unchanged.

use std::path::Path;

use crate::support::{Engine, Finished, folder_of, solvekit, unique};

/// Fills a mount with one entry of each kind. `{id}` is the mount. The command contains it too,
/// because the daemon's cache does not distinguish steps by their mounts.
const FILL: &str = "\
FROM alpine
RUN --mount=type=cache,id={id},target=/c,sharing=locked{more} echo {id} \\
    && mkdir -p /c/d/e && echo hello > /c/d/e/f \\
    && chown 1000:2000 /c/d/e/f && chmod 4750 /c/d/e/f \\
    && touch -d '2001-02-03 04:05:06' /c/d/e/f && ln -s e/f /c/d/link && ln /c/d/e/f /c/hard \\
    && dd if=/dev/urandom of=/c/big bs=1M count=9 && : > \"/c/odd name\" && chmod 1770 /c/d
";

/// Fails unless all entries exist.
const CHECK: &str = "\
FROM alpine
ARG AGAIN
RUN --mount=type=cache,id={id},target=/c,sharing=locked{more} cd /c && ls -lnR \\
    && [ \"$(cat d/link)\" = hello ] \\
    && [ \"$(stat -c '%a %u %g %Y %h' d/e/f)\" = '4750 1000 2000 981173106 2' ] \\
    && [ hard -ef d/e/f ] && [ \"$(readlink d/link)\" = e/f ] && [ -f 'odd name' ] \\
    && [ \"$(stat -c %a d)\" = 1770 ] && [ \"$(stat -c %s big)\" = 9437184 ]
";

fn build(dockerfile: &str, id: &str, more: &str, flags: &[&str]) -> Finished {
    let text = dockerfile.replace("{id}", id).replace("{more}", more);
    let context = folder_of(&[("Dockerfile", &text)]);
    let again = format!("AGAIN={}", unique());
    let arguments = ["build", "--progress", "plain", "--build-arg", &again];
    Finished::of(
        solvekit(arguments)
            .args(flags)
            .arg(context.path())
            .current_dir(context.path()),
    )
}

fn cache_mount(arguments: &[&str]) -> Finished {
    Finished::of(solvekit(["cache-mount"]).args(arguments))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[test]
fn content_survives_a_pruned_daemon_in_a_folder_an_archive_and_a_registry() {
    let id = unique();
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (archive, packed, out) = (at("a.tar"), at("a.tar.gz"), at("out"));
    let reference = Engine::get().name("cache-mount");
    let registry = format!("type=registry,ref={reference}:1");
    build(FILL, &id, "", &[]).succeeded();
    let listed = cache_mount(&["ls", "--format", "json"]).succeeded().stdout;
    let line = listed.lines().find(|line| line.contains(&id));
    let line: serde_json::Value = serde_json::from_str(line.expect("listed")).expect("JSON");
    assert_eq!(line["ID"], id.as_str());
    assert_eq!(line["Target"], "/c");
    assert_eq!(line["InUse"], false);

    let places = [text(&archive), text(&packed), text(&out), &registry];
    for place in places {
        let exported = cache_mount(&["export", "--id", &id, "--to", place]).succeeded();
        assert!(exported.stderr.contains("7 entries"), "{}", exported.stderr);
    }
    let whole = std::fs::read(&archive).expect("an archive");
    for place in places {
        let removed = cache_mount(&["rm", "--id", &id]).succeeded();
        assert_eq!(removed.stdout.lines().count(), 1, "{}", removed.stdout);
        cache_mount(&["import", "--id", &id, "--from", place]).succeeded();
        build(CHECK, &id, "", &[]).succeeded();
        let again = at("again.tar");
        cache_mount(&["export", "--id", &id, "--to", text(&again)]).succeeded();
        let again = std::fs::read(&again).expect("an archive");
        assert!(again == whole, "{place}: the archive differs");
    }
    // A folder is not overwritten without permission.
    let refused = cache_mount(&["export", "--id", &id, "--to", text(&out)]);
    refused.failed_with(1, &["exists and is not empty", "--replace"]);
    cache_mount(&["export", "--id", &id, "--replace", "--to", text(&out)]).succeeded();
    cache_mount(&["rm", "--id", &id]).succeeded();
}

#[test]
fn archives_go_through_stdout_and_stdin() {
    let id = unique();
    build(FILL, &id, "", &[]).succeeded();
    let (from, to) = (format!("{id}-2"), "type=tar,dest=-");
    let pipe = format!(
        "{0} cache-mount export --id {id} --to {to} | {0} cache-mount import --id {from} --from -",
        env!("CARGO_BIN_EXE_solvekit")
    );
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &pipe]);
    for (name, value) in solvekit(["x"]).get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    Finished::of(&mut command).succeeded();
    build(CHECK, &from, "", &[]).succeeded();
    for id in [&id, &from] {
        cache_mount(&["rm", "--id", id]).succeeded();
    }
}

#[test]
fn a_mount_with_an_owner_is_the_instruction_s_own() {
    let id = unique();
    let more = ",uid=123,gid=45,mode=0711";
    build(FILL, &id, more, &[]).succeeded();
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("a.tar");
    let owner = ["--uid", "123", "--gid", "45", "--mode", "711"];
    let export = ["export", "--id", &id, "--to", text(&archive)];
    let exported = cache_mount(&[&export[..], &owner].concat()).succeeded();
    assert!(exported.stderr.contains("7 entries"), "{}", exported.stderr);
    let import = ["import", "--id", &id, "--from", text(&archive)];
    cache_mount(&["rm", "--id", &id]).succeeded();
    cache_mount(&[&import[..], &owner].concat()).succeeded();
    build(CHECK, &id, more, &[]).succeeded();
    cache_mount(&["rm", "--id", &id]).succeeded();
}

#[test]
fn an_unknown_id_is_answered_with_those_that_exist() {
    let id = unique();
    build(FILL, &id, "", &[]).succeeded();
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("a.tar");
    for arguments in [
        &["export", "--id", "never-was", "--to", text(&archive)][..],
        &["rm", "--id", "never-was"],
    ] {
        let expected = ["no cache mount with the id \"never-was\"", "it has: "];
        cache_mount(arguments).failed_with(1, &expected);
    }
    assert!(!archive.exists());
    cache_mount(&["rm", "--id", &id]).succeeded();
}

/// An archive with these entries: kind, path and target or content.
fn archive(entries: &[(tar::EntryType, &str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (kind, path, more) in entries {
        let is_file = *kind == tar::EntryType::Regular;
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(if is_file { more.len() as u64 } else { 0 });
        let fields = header.as_ustar_mut().expect("ustar");
        fields.name[..path.len()].copy_from_slice(path.as_bytes());
        if !is_file {
            fields.linkname[..more.len()].copy_from_slice(more.as_bytes());
        }
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        if is_file {
            bytes.extend_from_slice(more.as_bytes());
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

#[test]
fn a_damaged_or_hostile_archive_leaves_the_mount_as_it_was() {
    use tar::EntryType::{Directory, Link, Regular, Symlink};
    let id = unique();
    build(FILL, &id, "", &[]).succeeded();
    let folder = tempfile::tempdir().expect("a folder");
    let content = |name: &str| {
        let path = folder.path().join(name);
        cache_mount(&["export", "--id", &id, "--to", text(&path)]).succeeded();
        std::fs::read(&path).expect("an archive")
    };
    let before = content("before.tar");
    let cut_off = before[..before.len() / 2].to_vec();
    let through_link = archive(&[(Symlink, "a", "/etc"), (Regular, "a/x", "1")]);
    let upwards = archive(&[(Regular, "../x", "1")]);
    let link_out = archive(&[(Link, "x", "../../solvekit-cache-mount")]);
    let over_folder = archive(&[(Directory, "a", ""), (Regular, "a", "1")]);
    for (bytes, reason) in [
        (cut_off, "it is cut off"),
        (b"no archive".to_vec(), "not a tar archive"),
        (through_link, "its folder is another kind of file"),
        (upwards, "not one inside of a cache mount"),
        (link_out, "not one inside of a cache mount"),
        (over_folder, "another kind of file"),
    ] {
        let import = &mut solvekit(["cache-mount", "import", "--from", "-", "--id", &id]);
        let expected = [reason, "has the same files as before"];
        Finished::with_input(import, bytes).failed_with(1, &expected);
        assert!(content("after.tar") == before, "{reason}");
    }
    // Later entries replace earlier ones, and folders may be missing.
    let twice = archive(&[
        (Regular, "a/b/x", "1"),
        (Symlink, "a/b/x", "y"),
        (Regular, "/r", "2"),
    ]);
    let import = &mut solvekit(["cache-mount", "import", "--from", "-", "--id", &id]);
    Finished::with_input(import, twice).succeeded();
    let out = folder.path().join("out");
    cache_mount(&["export", "--id", &id, "--to", text(&out)]).succeeded();
    let link = std::fs::read_link(out.join("a/b/x")).expect("a link");
    assert_eq!(link, Path::new("y"));
    assert_eq!(std::fs::read(out.join("r")).expect("a file"), b"2");
    assert!(!out.join("big").exists());
    cache_mount(&["rm", "--id", &id]).succeeded();
}

#[test]
fn builds_begin_with_a_cache_and_leave_it_also_when_they_fail() {
    let id = unique();
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("a.tar");
    let reference = Engine::get().name("cache-mount");
    let from = format!("--cache-mount-from=id={id},ref={reference}");
    let to = format!("--cache-mount-to=id={id},ref={reference}");
    let first = build(FILL, &id, "", &[&from, &to]).succeeded();
    assert!(first.stderr.contains("begins empty"), "{}", first.stderr);
    assert!(
        first.stderr.contains("exported the cache mount"),
        "{}",
        first.stderr
    );
    cache_mount(&["rm", "--id", &id]).succeeded();
    let second = build(CHECK, &id, "", &[&from]).succeeded();
    assert!(
        second.stderr.contains("imported the cache mount"),
        "{}",
        second.stderr
    );
    let third = build(CHECK, &id, "", &[&from]).succeeded();
    assert!(third.stderr.contains("already"), "{}", third.stderr);

    let failing = format!("{CHECK}RUN false # $AGAIN\n");
    let place = format!("--cache-mount-to=id={id},dest={}", text(&archive));
    build(&failing, &id, "", &[&place]).failed_with(1, &["exit code: 1"]);
    assert!(!archive.exists());
    build(&failing, &id, "", &[&format!("{place},on-failure=true")])
        .failed_with(1, &["exit code: 1", "exported the cache mount"]);
    assert!(archive.exists());

    let unused = format!("--cache-mount-to=id={id}-unused,dest=x.tar");
    let warned = build(CHECK, &id, "", &[&unused]).succeeded();
    assert!(
        warned.stderr.contains("no step has used it"),
        "{}",
        warned.stderr
    );
    cache_mount(&["rm", "--id", &id]).succeeded();
}

#[test]
fn bake_copies_mounts_around_all_targets() {
    let id = unique();
    let dockerfile = FILL.replace("{id}", &id).replace("{more}", "");
    let bake = "group \"default\" { targets = [\"a\", \"b\"] }\n\
                target \"a\" {}\ntarget \"b\" { labels = { x = \"y\" } }\n";
    let context = folder_of(&[("Dockerfile", &dockerfile), ("docker-bake.hcl", bake)]);
    let archive = context.path().join("a.tar");
    let to = format!("--cache-mount-to=id={id},dest={}", text(&archive));
    let baked = &mut solvekit(["bake", "--progress", "plain", &to]);
    Finished::of(baked.current_dir(context.path())).succeeded();
    assert!(archive.exists());
    cache_mount(&["rm", "--id", &id]).succeeded();
    let from = format!("--cache-mount-from=id={id},src={}", text(&archive));
    let baked = &mut solvekit(["bake", "--progress", "plain", &from]);
    let baked = Finished::of(baked.current_dir(context.path())).succeeded();
    assert!(
        baked.stderr.contains("imported the cache mount"),
        "{}",
        baked.stderr
    );
    cache_mount(&["rm", "--id", &id]).succeeded();
}
