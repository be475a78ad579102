//! The request of one part: its platforms, a push by digest, and its own cache. Pure.

use std::collections::BTreeSet;

use super::caches;
use super::stage::Stage;
use crate::client::DaemonKind;
use crate::oci::{Platform, Reference};
use crate::pipeline::{BuildRequest, OnFailure, Output, OutputKind};

/// Returns the result that one daemon must create, as text; `None` if parts can be combined.
pub(super) fn together(request: &BuildRequest) -> Option<String> {
    let outputs = request.outputs.iter();
    if outputs
        .clone()
        .filter(|output| is_assembled(output))
        .count()
        > 1
    {
        return Some("an image for several outputs".to_owned());
    }
    let what = outputs.clone().find_map(|output| match output.kind {
        OutputKind::Tar => Some("an archive of files (type=tar)"),
        OutputKind::Docker if output.destination.is_some() => {
            Some("an image in a file (type=docker)")
        }
        OutputKind::Docker => Some("an image that is loaded into its engine"),
        OutputKind::Local if output.deletes() => {
            Some("a folder that is emptied before (mode=delete)")
        }
        _ => None,
    });
    what.map(str::to_owned)
}

/// True if this client combines the parts of an output.
pub(super) fn is_assembled(output: &Output) -> bool {
    output.pushes() || output.kind == OutputKind::Oci
}

/// True if the parts must wait for each other before they export. Pushes move no tag, but files of
/// some platforms must not appear without the others.
pub(super) fn waits(request: &BuildRequest) -> bool {
    let only_pushes = request.outputs.iter().all(Output::pushes);
    !only_pushes || request.on_failure == OnFailure::Finish
}

/// Returns the request of some platforms. No daemon should keep an image without a tag: an engine
/// would show it, and containerd fails if two builds name it at the same time.
pub(super) fn request(
    whole: &BuildRequest,
    platforms: &[Platform],
    daemon: DaemonKind,
    stage: Option<&Stage>,
) -> BuildRequest {
    let mut part = whole.clone();
    part.platforms = platforms.to_vec();
    for output in part.outputs.iter_mut().filter(|output| output.pushes()) {
        let repositories: BTreeSet<String> =
            whole.names(output).iter().map(Reference::name).collect();
        let repositories: Vec<String> = repositories.into_iter().collect();
        let is_asked_for = |key| output.attributes.contains_key(key);
        let stores = is_asked_for("store") || is_asked_for("unpack");
        let mut set = |key: &str, value: String| {
            output.attributes.insert(key.to_owned(), value);
        };
        set("name", repositories.join(","));
        set("push-by-digest", "true".to_owned());
        if daemon.keeps_images() || !stores {
            set("store", "false".to_owned());
        }
    }
    let layouts = part
        .outputs
        .iter_mut()
        .filter(|it| it.kind == OutputKind::Oci);
    for (output, stage) in layouts.zip(stage) {
        stage.part(output, platforms);
    }
    caches::of_part(&mut part, platforms);
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(output: &str, tags: &[&str]) -> BuildRequest {
        let mut request = BuildRequest::new(".");
        request.tags = tags
            .iter()
            .map(|tag| Reference::parse(tag).unwrap())
            .collect();
        request.outputs = vec![output.parse().unwrap()];
        request
    }

    #[test]
    fn a_part_is_pushed_by_digest_to_each_repository_once() {
        let whole = pushed("type=registry", &["a.test/x:1", "a.test/x:2", "b.test/y:1"]);
        let platforms = [Platform::parse("linux/arm64").unwrap()];
        let part = request(&whole, &platforms, DaemonKind::Buildkitd, None);
        let attributes = &part.outputs[0].attributes;
        assert_eq!(attributes["name"], "a.test/x,b.test/y");
        assert_eq!(attributes["push-by-digest"], "true");
        assert_eq!(part.platforms, platforms);
    }

    #[test]
    fn only_a_daemon_without_images_keeps_a_part_that_it_is_asked_to_store() {
        let platforms = [Platform::parse("linux/arm64").unwrap()];
        for (output, daemon, store) in [
            ("type=registry", DaemonKind::Buildkitd, Some("false")),
            (
                "type=registry,store=true",
                DaemonKind::Buildkitd,
                Some("true"),
            ),
            ("type=registry,unpack=true", DaemonKind::Buildkitd, None),
            ("type=registry", DaemonKind::DockerEngine, Some("false")),
            (
                "type=registry,store=true",
                DaemonKind::DockerEngine,
                Some("false"),
            ),
        ] {
            let part = request(&pushed(output, &["a.test/x:1"]), &platforms, daemon, None);
            let found = part.outputs[0].attributes.get("store");
            assert_eq!(found.map(String::as_str), store, "{output} {daemon:?}");
        }
    }

    #[test]
    fn names_of_the_output_go_before_tags() {
        let whole = pushed(
            r#"type=image,"name=a.test/x:1,a.test/z",push=true"#,
            &["b.test/y:1"],
        );
        let names = whole.names(&whole.outputs[0]);
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a.test/x:1", "a.test/z:latest"]);
    }

    #[test]
    fn files_wait_and_pushes_do_not() {
        assert!(!waits(&pushed("type=registry", &["a.test/x"])));
        assert!(waits(&pushed("type=local,dest=x", &[])));
        let mut finish = pushed("type=registry", &["a.test/x"]);
        finish.on_failure = OnFailure::Finish;
        assert!(waits(&finish));
    }
}
