use std::fs;

use super::*;

use crate::pipeline::inputs::reading::read;
use crate::pipeline::{BuildRequest, DockerfileFrom, Folders, InputStream, MainContext};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn stream(bytes: &[u8]) -> InputStream {
    InputStream::new(std::io::Cursor::new(bytes.to_vec()))
}

fn of(context: MainContext, dockerfile: Option<DockerfileFrom>) -> Result<Inputs, Error> {
    let mut request = BuildRequest::new(context);
    request.dockerfile = dockerfile;
    request.folders = Folders::from_environment();
    read(&request)
}

#[test]
fn the_dockerfile_s_own_ignore_file_wins() {
    let folder = folder(&[
        ("Dockerfile", "FROM scratch\n"),
        (".dockerignore", "a\n"),
        ("Dockerfile.dockerignore", "b\n"),
    ]);
    let inputs = read(&BuildRequest::new(folder.path())).unwrap();
    assert_eq!(inputs.excludes, ["b"]);
    let piped = DockerfileFrom::Stream(stream(b"FROM scratch\n"));
    let inputs = of(folder.path().into(), Some(piped)).unwrap();
    assert_eq!(inputs.excludes, ["a"]);
}

#[test]
fn a_lower_case_dockerfile_is_found() {
    let folder = folder(&[("dockerfile", "FROM scratch\n")]);
    let inputs = read(&BuildRequest::new(folder.path())).unwrap();
    assert_eq!(inputs.source().unwrap().text(), b"FROM scratch\n");
    assert_eq!(inputs.excludes, Vec::<String>::new());
}

#[test]
fn missing_inputs_are_named() {
    let folder = folder(&[("file", "")]);
    let missing = read(&BuildRequest::new(folder.path())).unwrap_err();
    assert!(missing.to_string().contains("Dockerfile"), "{missing}");
    let no_context = read(&BuildRequest::new(folder.path().join("nowhere"))).unwrap_err();
    assert!(no_context.to_string().contains("nowhere"), "{no_context}");
    let not_a_folder = read(&BuildRequest::new(folder.path().join("file"))).unwrap_err();
    assert!(matches!(not_a_folder, Error::ContextNotAFolder { .. }));
}

#[test]
fn a_stream_is_an_archive_or_a_dockerfile() {
    let alone = of(MainContext::Stream(stream(b"FROM scratch\n")), None).unwrap();
    assert!(matches!(alone.context, ContextRead::Empty(_)));
    assert_eq!(alone.source().unwrap().text(), b"FROM scratch\n");
    let archive = b"\x1f\x8b\x08 and so on";
    let packed = of(MainContext::Stream(stream(archive)), Some("a/D".into())).unwrap();
    let attributes = packed.attributes();
    assert!(attributes["context"].starts_with("http://buildkit-session/"));
    assert_eq!(attributes["filename"], "a/D");
    assert!(packed.source().is_none() && !attributes.contains_key("dockerfilekey"));
}

#[test]
fn mistakes_with_streams_are_distinguished() {
    let both = stream(b"FROM scratch\n");
    let twice = of(
        MainContext::Stream(both.clone()),
        Some(DockerfileFrom::Stream(both)),
    );
    assert!(matches!(twice, Err(Error::StreamTwice)));
    let empty = of(MainContext::Stream(stream(b"")), None);
    assert!(matches!(empty, Err(Error::EmptyStream)));
    let two = of(
        MainContext::Stream(stream(b"FROM scratch\n")),
        Some("x".into()),
    );
    assert!(matches!(two, Err(Error::StreamIsNoArchive)));
    let used = stream(b"FROM scratch\n");
    used.take().unwrap();
    let again = of(MainContext::Stream(used), None);
    assert!(matches!(again, Err(Error::StreamUsedUp)));
}

#[test]
fn in_a_fetched_context_only_absolute_paths_are_of_this_machine() {
    let folder = folder(&[("Mine", "FROM scratch\n")]);
    let url: MainContext = "https://host/r.git?ref=main".parse().unwrap();
    let there = of(url.clone(), Some("sub/Mine".into())).unwrap();
    assert_eq!(there.attributes()["filename"], "sub/Mine");
    assert_eq!(
        there.attributes()["frontend.caps"],
        "moby.buildkit.frontend.gitquerystring"
    );
    let here = of(url, Some(folder.path().join("Mine").into())).unwrap();
    let attributes = here.attributes();
    assert_eq!(attributes["filename"], "Mine");
    assert_eq!(attributes["dockerfilekey"], "dockerfile");
    let (directories, _) = here
        .directories(true, &Folders::from_environment())
        .unwrap();
    assert!(directories.get("dockerfile").is_some() && directories.get("context").is_none());
}

#[test]
fn another_frontend_finds_a_piped_dockerfile_in_a_folder() {
    let folder = folder(&[("a", "")]);
    let piped = DockerfileFrom::Stream(stream(b"FROM x\n"));
    let inputs = of(folder.path().into(), Some(piped)).unwrap();
    let (directories, kept) = inputs
        .directories(true, &Folders::from_environment())
        .unwrap();
    let file = directories.get("dockerfile").unwrap().join("Dockerfile");
    assert_eq!(fs::read(&file).unwrap(), b"FROM x\n");
    assert_eq!(inputs.attributes()["filename"], "Dockerfile");
    drop(kept);
    assert!(!file.exists());
}

#[test]
fn named_folders_come_with_their_own_ignore_files() {
    let main = folder(&[("Dockerfile", "FROM scratch\n")]);
    let other = folder(&[(".dockerignore", "*.log\n")]);
    let mut request = BuildRequest::new(main.path());
    request
        .contexts
        .insert("context".to_owned(), other.path().into());
    let image = "docker-image://busybox".parse().unwrap();
    request.contexts.insert("alpine".to_owned(), image);
    let inputs = read(&request).unwrap();
    let attributes = inputs.attributes();
    assert_eq!(attributes["context:context"], "local:_context");
    assert_eq!(attributes["context:alpine"], "docker-image://busybox");
    assert_eq!(inputs.named_excludes()["_context"], ["*.log"]);
    let (directories, _) = inputs.directories(false, &Folders::default()).unwrap();
    assert!(directories.get("_context").is_some());

    let missing = other.path().join("nowhere").into();
    request.contexts.insert("other".to_owned(), missing);
    let error = crate::causes::in_one_line(&read(&request).unwrap_err());
    assert!(
        error.contains("\"other\"") && error.contains("nowhere"),
        "{error}"
    );
}
