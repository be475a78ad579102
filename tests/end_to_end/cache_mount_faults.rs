//! Copies of cache mounts that are interrupted, refused, or contain unusual files: nothing is left
//! behind, and nothing is lost silently.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Fault, FaultyRegistry, Finished, Running, folder_of, solvekit, unique};

fn cache_mount(arguments: &[&str]) -> Finished {
    Finished::of(solvekit(["cache-mount"]).args(arguments))
}

fn build(text: &str, flags: &[&str]) -> Finished {
    let context = folder_of(&[("Dockerfile", text)]);
    let build = &mut solvekit(["build", "--progress=plain"]);
    Finished::of(build.args(flags).arg(context.path()))
}

/// Runs a command in a mount.
fn in_mount(id: &str, command: &str) -> Finished {
    let word = unique();
    let mount = format!("--mount=type=cache,id={id},target=/c,sharing=locked");
    build(
        &format!("FROM alpine\nRUN {mount} : {word}; {command}\n"),
        &[],
    )
    .succeeded()
}

/// Removes a mount. After an interruption the daemon keeps it for as long as the container ends.
fn remove(id: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let removed = cache_mount(&["rm", "--id", id]);
        if !removed.stderr.contains("is in use") || Instant::now() > deadline {
            removed.succeeded();
            return;
        }
    }
}

fn import(id: &str, archive: Vec<u8>) -> Finished {
    let command = &mut solvekit(["cache-mount", "import", "--id", id, "--from", "-"]);
    Finished::with_input(command, archive)
}

/// An archive of files.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        archive
            .append_data(&mut header, path, *content)
            .expect("it is written");
    }
    archive.into_inner().expect("it is written")
}

fn content(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let names = entries.map(|it| it.expect("an entry").file_name());
    names.map(|it| it.to_string_lossy().into_owned()).collect()
}

#[test]
fn an_interrupted_export_leaves_nothing_behind() {
    let (id, folder) = (unique(), tempfile::tempdir().expect("a folder"));
    in_mount(&id, "truncate -s 20G /c/large");
    let reference = format!("type=registry,ref=localhost:1/{id}");
    let places = [
        folder.path().join("a.tar").display().to_string(),
        folder.path().join("out").display().to_string(),
        reference,
    ];
    for place in &places {
        let mut export = solvekit(["cache-mount", "export", "--id", &id, "--to", place]);
        let mut running = Running::start(export.env("TMPDIR", folder.path()));
        running.until_true("a file", |_| !content(folder.path()).is_empty());
        running.interrupt();
        running.wait().failed_with(130, &["interrupted"]);
        assert!(
            content(folder.path()).is_empty(),
            "{place}: {:?}",
            content(folder.path())
        );
    }
    remove(&id);
}

#[test]
fn an_interrupted_import_leaves_the_mount_as_it_was() {
    let (id, folder) = (unique(), tempfile::tempdir().expect("a folder"));
    import(&id, archive(&[("kept", b"1")])).succeeded();
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo is there").success());
    let from = format!("type=tar,src={}", pipe.display());
    let mut command = solvekit(["cache-mount", "import", "--id", &id, "--from", &from]);
    let running = Running::start(&mut command);
    let large = vec![7; 64 << 20];
    let mut writer = std::fs::File::options()
        .write(true)
        .open(&pipe)
        .expect("it is read");
    // More than the queues hold, so that a part of it is in the mount.
    let bytes = archive(&[("large", &large)]);
    writer.write_all(&bytes[..32 << 20]).expect("it is read");
    running.interrupt();
    let ended = running
        .wait()
        .failed_with(130, &["the copy was interrupted"]);
    assert!(!ended.stderr.contains("may stay"), "{}", ended.stderr);
    drop(writer);
    in_mount(&id, "[ \"$(ls -A /c)\" = kept ]");
    remove(&id);
}

#[test]
fn an_import_that_fails_leaves_no_part_and_no_new_mount() {
    let id = unique();
    let (large, known) = (vec![7; 16 << 20], archive(&[("kept", b"1")]));
    let whole = archive(&[("large", &large)]);
    let cut_off = whole[..12 << 20].to_vec();
    // The daemon has no such mount afterwards, so the next build does not start with it.
    for bytes in [b"no archive".to_vec(), cut_off.clone()] {
        import(&id, bytes).failed_with(1, &["cannot import the archive"]);
        let absent = cache_mount(&["rm", "--id", &id]);
        absent.failed_with(1, &["no cache mount with the id"]);
    }
    import(&id, known).succeeded();
    import(&id, cut_off).failed_with(1, &["it is cut off"]);
    in_mount(&id, "[ \"$(ls -A /c)\" = kept ]");
    remove(&id);
}

#[test]
fn devices_are_left_out_and_attributes_kept() {
    let (id, folder) = (unique(), tempfile::tempdir().expect("a folder"));
    let at = |name: &str| folder.path().join(name).display().to_string();
    let mut bytes = tar::Builder::new(Vec::new());
    let attribute = [("SCHILY.xattr.user.a%3Db", "c".as_bytes())];
    bytes
        .append_pax_extensions(attribute)
        .expect("it is written");
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(0);
    bytes
        .append_data(&mut header, "a", &b""[..])
        .expect("it is written");
    let mut device = tar::Header::new_gnu();
    device.set_entry_type(tar::EntryType::Char);
    device.set_size(0);
    bytes
        .append_data(&mut device, "device", &b""[..])
        .expect("it is written");
    let imported = import(&id, bytes.into_inner().expect("it is written")).succeeded();
    let words = "1 devices and sockets are left out";
    assert!(imported.stderr.contains(words), "{}", imported.stderr);
    in_mount(
        &id,
        "mknod /c/null c 1 3 && mkfifo /c/pipe && [ ! -e /c/device ]",
    );
    let exported = cache_mount(&["export", "--id", &id, "--to", &at("a.tar")]).succeeded();
    assert!(
        exported.stderr.contains("1 devices and sockets"),
        "{}",
        exported.stderr
    );
    let whole = std::fs::read(at("a.tar")).expect("an archive");
    assert!(String::from_utf8_lossy(&whole).contains("SCHILY.xattr.user.a%3Db=c\n"));
    remove(&id);
}

#[test]
fn a_place_that_cannot_be_written_is_an_error() {
    let (id, folder) = (unique(), tempfile::tempdir().expect("a folder"));
    import(&id, archive(&[("a", &[7; 1 << 20])])).succeeded();
    let export = |to: &str| cache_mount(&["export", "--id", &id, "--to", to]);
    export("type=tar,dest=/dev/full").failed_with(1, &["No space left"]);
    let shell = format!(
        "{} cache-mount export --id {id} --to - > /dev/full",
        env!("CARGO_BIN_EXE_solvekit")
    );
    Finished::of(Command::new("sh").args(["-c", &shell])).failed_with(1, &["No space left"]);
    let missing = folder.path().join("no/a.tar").display().to_string();
    export(&missing).failed_with(1, &["cannot write"]);
    let zstd = folder.path().join("a.tar.zst").display().to_string();
    export(&zstd).failed_with(1, &[".zst is not written"]);
    let into = folder.path().join("folder.tar");
    std::fs::create_dir(&into).expect("a folder");
    export(into.to_str().expect("text")).failed_with(1, &["cannot write"]);
    assert_eq!(content(folder.path()), ["folder.tar"]);
    remove(&id);
}

#[test]
fn a_registry_that_refuses_is_distinguished() {
    let (id, metadata) = (unique(), tempfile::tempdir().expect("a folder"));
    import(&id, archive(&[("a", b"1")])).succeeded();
    let denied = Fault::Status("403 Forbidden", "");
    let registry = FaultyRegistry::failing(denied, &["/v2/"], u32::MAX);
    let reference = registry.name(&format!("cache/{id}"));
    let place = format!("type=registry,ref={reference}");
    let export = ["export", "--id", &id, "--to", &place];
    cache_mount(&export).failed_with(77, &["403"]);
    cache_mount(&["import", "--id", &id, "--from", &place]).failed_with(77, &["403"]);
    // Some registries answer like this for an image that does not exist yet.
    let other = format!("{id}-other");
    let text = format!(
        "FROM alpine\nRUN --mount=type=cache,id={other},target=/c,sharing=locked echo {other} > \
         /c/a\n"
    );
    let from = format!("--cache-mount-from=id={other},ref={reference}");
    let built = build(&text, &[&from]).succeeded();
    assert!(
        built.stderr.contains("begins empty: it is missing, or"),
        "{}",
        built.stderr
    );
    // The metadata file is written even if the copy fails.
    let file = metadata.path().join("metadata.json");
    let file = format!("--metadata-file={}", file.display());
    let to = format!("--cache-mount-to=id={other},ref={reference}");
    build(&text, &[&file, &to]).failed_with(77, &["cannot export the cache mount"]);
    assert_eq!(content(metadata.path()), ["metadata.json"]);
    let warned = build(&text, &[&format!("{to},ignore-error=true")]).succeeded();
    assert!(
        warned.stderr.contains("WARNING: cannot export"),
        "{}",
        warned.stderr
    );
    remove(&id);
    remove(&other);
}

#[test]
fn an_image_of_somebody_else_is_not_imported() {
    let id = unique();
    let image = crate::support::Engine::get().name("no-cache-mount");
    build("FROM busybox\n", &["--push", "-t", &image]).succeeded();
    let place = format!("type=registry,ref={image}");
    let imported = cache_mount(&["import", "--id", &id, "--from", &place]);
    imported.failed_with(1, &["is not an exported cache mount"]);
    let text = format!(
        "FROM busybox\nRUN --mount=type=cache,id={id},target=/c,sharing=locked touch /c/a\n"
    );
    let from = format!("--cache-mount-from=id={id},ref={image}");
    build(&text, &[&from]).failed_with(1, &["cannot import the cache mount"]);
}

#[test]
fn replacing_a_folder_keeps_it_until_the_new_one_is_there() {
    let (id, folder) = (unique(), folder_of(&[("out/old", "1")]));
    let out = folder.path().join("out");
    let to = out.to_str().expect("text");
    let export = ["export", "--id", &id, "--replace", "--to", to];
    cache_mount(&export).failed_with(1, &["no cache mount with the id"]);
    assert_eq!(content(&out), ["old"]);
    import(&id, archive(&[("new", b"1")])).succeeded();
    cache_mount(&export).succeeded();
    assert_eq!(content(&out), ["new"]);
    remove(&id);
}

/// The ids of the daemon's mounts.
fn ids() -> Vec<String> {
    let listed = cache_mount(&["ls", "--format", "json"]).succeeded().stdout;
    let id = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).expect("JSON");
        record["ID"].as_str().expect("an id").to_owned()
    };
    listed.lines().map(id).collect()
}

#[test]
fn ids_with_slashes_spaces_quotes_and_unicode_are_kept_as_they_are() {
    let word = unique();
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("a.tar").display().to_string();
    let odd = [
        "a/b",
        "/a",
        "a//b/",
        "ü \"q\" \\ ☃",
        "it's",
        "a\u{1b}[31m\n\tb",
        " with id \"x\"",
    ];
    let all = odd.map(|odd| format!("{odd}{word}"));
    for id in &all {
        import(id, archive(&[("a", id.as_bytes())])).succeeded();
    }
    let listed = ids();
    for id in &all {
        assert!(listed.contains(id), "{id:?} is not among {listed:?}");
    }
    let table = cache_mount(&["ls"]).succeeded().stdout;
    assert!(!table.contains('\u{1b}'), "{table:?}");
    for id in &all {
        cache_mount(&["export", "--id", id, "--to", &to]).succeeded();
        let bytes = std::fs::read(&to).expect("the archive");
        let mut exported = tar::Archive::new(bytes.as_slice());
        let mut content = String::new();
        for entry in exported.entries().expect("an archive") {
            let mut entry = entry.expect("an entry");
            if entry.path().expect("a path").ends_with("a") {
                entry.read_to_string(&mut content).expect("a text");
            }
        }
        assert_eq!(content, *id);
        remove(id);
    }
    let listed = ids();
    assert!(all.iter().all(|id| !listed.contains(id)), "{listed:?}");
}

#[test]
fn a_build_and_a_copy_mean_the_same_mount_by_an_id_with_slashes_and_quotes() {
    let word = unique();
    for (id, in_dockerfile) in [
        (format!("a/b{word}"), format!("id=a/b{word}")),
        (format!("/{word}/"), format!("id=/{word}/")),
        (
            format!("it is \u{fc}{word}"),
            format!("\"id=it is \u{fc}{word}\""),
        ),
        (format!("/c/{word}"), String::new()),
    ] {
        import(&id, archive(&[("a", b"1")])).succeeded();
        let fields = match in_dockerfile.is_empty() {
            // Without an id it is the target.
            true => format!("type=cache,sharing=locked,target=/c/{word}"),
            false => format!("type=cache,sharing=locked,{in_dockerfile},target=/c/{word}"),
        };
        let text =
            format!("FROM alpine\nRUN --mount={fields} ls /c/{word} && [ -e /c/{word}/a ]\n");
        build(&text, &[]).succeeded();
        remove(&id);
    }
    // An id that begins with a slash is not the id without it.
    import(&word, archive(&[("a", b"1")])).succeeded();
    let absent = cache_mount(&["rm", "--id", &format!("/{word}")]);
    absent.failed_with(1, &["no cache mount with the id"]);
    remove(&word);
}
