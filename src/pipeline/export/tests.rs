use super::*;
use crate::oci::Reference;

const BUILDKITD: DaemonKind = DaemonKind::Buildkitd;
const ENGINE: DaemonKind = DaemonKind::DockerEngine;

#[test]
fn tags_become_the_exporter_s_name() {
    let mut request = BuildRequest::new(".");
    request.tags = vec![
        Reference::parse("localhost:5000/a:1").unwrap(),
        Reference::parse("b:2").unwrap(),
    ];
    request.outputs = vec![Output::push()];
    let exporters = exporters(&request, &request.outputs, BUILDKITD);
    assert_eq!(exporters[0].kind, "image");
    assert_eq!(
        exporters[0].attrs["name"],
        "localhost:5000/a:1,docker.io/library/b:2"
    );
}

#[test]
fn a_push_needs_a_name() {
    let mut request = BuildRequest::new(".");
    request.outputs = vec![Output::push()];
    assert!(matches!(check(&request), Err(Error::PushWithoutName)));
}

#[test]
fn an_engine_keeps_a_tagged_image_and_a_daemon_the_cache_only() {
    let mut request = BuildRequest::new(".");
    assert!(outputs(&request, ENGINE, None).unwrap().is_empty());
    request.keep_unnamed = true;
    assert_eq!(outputs(&request, ENGINE, None).unwrap(), [Output::load()]);
    request.keep_unnamed = false;
    request.tags = vec![Reference::parse("b:2").unwrap()];
    let kept = outputs(&request, ENGINE, None).unwrap();
    assert_eq!(exporters(&request, &kept, ENGINE)[0].kind, "moby");
    assert!(outputs(&request, BUILDKITD, None).unwrap().is_empty());
}

#[test]
fn images_are_loaded_into_an_engine_this_one_or_another() {
    let mut request = BuildRequest::new(".");
    request.outputs = vec![Output::load()];
    assert!(matches!(
        outputs(&request, BUILDKITD, None),
        Err(Error::NoEngineToLoad)
    ));
    let engine = |takes_oci| LoadTarget {
        open: Arc::new(|| Ok(Box::new(io::sink()))),
        takes_oci,
    };
    let elsewhere = |request: &BuildRequest, takes_oci| {
        let outputs = outputs(request, BUILDKITD, Some(&engine(takes_oci)))?;
        Ok::<_, Error>(exporters(request, &outputs, BUILDKITD)[0].kind.clone())
    };
    assert_eq!(elsewhere(&request, false).unwrap(), "docker");
    assert_eq!(elsewhere(&request, true).unwrap(), "oci");
    request.platforms = ["linux/amd64", "linux/arm64"]
        .map(|text| crate::oci::Platform::parse(text).unwrap())
        .into();
    let several = elsewhere(&request, false);
    let refused = matches!(several, Err(Error::SeveralPlatformsForDocker { count: 2 }));
    assert!(refused, "{several:?}");
    assert_eq!(elsewhere(&request, true).unwrap(), "oci");
    request.platforms.clear();
    request.outputs.push(Output::push());
    assert_eq!(outputs(&request, ENGINE, None).unwrap(), [Output::push()]);
    let both = outputs(&request, BUILDKITD, Some(&engine(true)));
    assert_eq!(both.unwrap().len(), 2);
}

#[test]
fn files_are_removed_below_the_working_directory_only() {
    let here = std::env::current_dir().unwrap();
    let below = tempfile::tempdir_in(&here).unwrap();
    std::os::unix::fs::symlink("/etc", below.path().join("link")).unwrap();
    let check = |path: &str| {
        let output = format!("type=local,mode=delete,dest={path}");
        let mut request = BuildRequest::new(".");
        request.outputs = vec![output.parse().unwrap()];
        assert!(check(&request).is_err(), "{path}: no folder was given");
        request.folders = Folders::from_environment();
        check(&request)
    };
    let below = below.path().display();
    for allowed in [
        "target/x/y",
        &format!("{below}"),
        &format!("{below}/new/deep"),
    ] {
        assert!(check(allowed).is_ok(), "{allowed}");
    }
    for refused in [
        ".",
        "..",
        "/tmp",
        "/",
        "target/nowhere/../../..",
        &format!("{below}/link/x"),
    ] {
        assert!(check(refused).is_err(), "{refused}");
    }
}

#[test]
fn a_destination_that_cannot_be_is_reported_before_the_build() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for (kind, path) in [
        (OutputKind::Local, file.clone()),
        (OutputKind::Tar, folder.path().to_owned()),
        (OutputKind::Oci, file.join("x.tar")),
    ] {
        let mut request = BuildRequest::new(".");
        request.outputs = vec![Output::to(kind, path.to_str().unwrap())];
        assert!(matches!(check(&request), Err(Error::Destination { .. })));
    }
}

#[test]
fn what_docker_load_does_not_take_is_reported_before_the_build() {
    let mut request = BuildRequest::new(".");
    request.outputs = vec!["type=docker,dest=x.tar".parse().unwrap()];
    assert!(check(&request).is_ok());
    request.annotations = [("annotation-index.a".to_owned(), "b".to_owned())].into();
    let annotated = check(&request);
    assert!(
        matches!(annotated, Err(Error::IndexAnnotations { .. })),
        "{annotated:?}"
    );
}

#[test]
fn a_cache_s_folder_is_checked_before_the_build() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let mut request = BuildRequest::new(".");
    request.cache_to = vec![CacheEntry {
        kind: "local".to_owned(),
        attrs: [("dest".to_owned(), file.display().to_string())].into(),
    }];
    assert!(matches!(
        check(&request),
        Err(Error::CacheDestination { .. })
    ));
    let ignored = ("ignore-error".to_owned(), "true".to_owned());
    request.cache_to[0].attrs.extend([ignored]);
    assert!(check(&request).is_ok());
}
