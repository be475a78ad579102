//! Compares bytes and digests to those of BuildKit's Go client for the same graphs.

use std::sync::Arc;

use super::*;
use crate::oci::Platform;

fn digests(state: &State) -> Vec<String> {
    let definition = state.marshal(&MarshalOptions::default()).unwrap();
    definition
        .vertices()
        .iter()
        .map(|vertex| vertex.digest_str().to_owned())
        .collect()
}

fn alpine_edge() -> State {
    let reference = "docker.io/library/alpine:edge@sha256:6fc088e3bba6e045f70b8f5348d24b56747e2285b5c074e3b1a9259c38b01d2e";
    image(reference, ResolveMode::Default, Constraints::new())
}

#[test]
fn image_and_run_have_the_reference_s_digests() {
    let command = "apk add --update ansible openssh-client &&     rm -rf /var/cache/apk/*";
    let state = alpine_edge()
        .with_env("PATH", DEFAULT_PATH)
        .with_env("ANSIBLE_VERSION", "2.7.0-r1")
        .run(Exec::new(["/bin/sh", "-c", command]))
        .root();
    assert_eq!(
        digests(&state),
        [
            "sha256:e22c78d485b6935e61dad072bb4ba00cb5d8bad4bb00da5c00bf55a13e14bfbe",
            "sha256:6a5db52b63bcc50b22d0d6b45643c5d9da17d6829bff0a3926cf57a041b6cf0d",
        ]
    );
    let definition = state.marshal(&MarshalOptions::default()).unwrap();
    assert_eq!(
        definition.terminal().unwrap().digest.as_str(),
        "sha256:baa43659ee894bd39dcbde05c2de59445b22430d6213a52157943e4e99d0e5ed"
    );
    assert_eq!(definition.head_str(), Some(digests(&state)[1].as_str()));
}

#[test]
fn empty_attribute_values_are_written() {
    let state = http("https://x", &Http::default(), Constraints::new());
    let op = state
        .marshal(&MarshalOptions::default())
        .unwrap()
        .vertices()[0]
        .op()
        .clone();
    assert_eq!(&op[..], b"\x5a\x00\x1a\x0b\x0a\x09https://x");
    let unnamed = local("c", &Local::default(), Constraints::new());
    let op = unnamed
        .marshal(&MarshalOptions::default())
        .unwrap()
        .vertices()[0]
        .op()
        .clone();
    assert!(op.windows(4).any(|bytes| bytes == b"que\x12"), "{op:?}");
}

#[test]
fn equal_vertices_become_one_and_their_metadata_is_merged() {
    let with = |name: &str| {
        let named = Constraints::new().named(name).at(Location {
            file: Arc::default(),
            ranges: Arc::from([]),
        });
        alpine_edge()
            .run(Exec::new(["true"]).constraints(named))
            .root()
    };
    let merged = State::scratch()
        .file(
            File::new().copy(&with("one"), "/", "/a", Copy::default()),
            Constraints::new(),
        )
        .file(
            File::new().copy(&with("two"), "/", "/b", Copy::default()),
            Constraints::new(),
        );
    let definition = merged.marshal(&MarshalOptions::default()).unwrap();
    assert_eq!(definition.vertices().len(), 4);
    let run = &definition.vertices()[1];
    assert_eq!(run.locations().len(), 2);
    // The second copy's inputs are walked base first, so "one" is marshalled before "two".
    assert_eq!(run.metadata().name(), Some("two"));
}

#[test]
fn scratch_has_an_empty_definition() {
    let definition = State::scratch()
        .with_env("A", "b")
        .marshal(&MarshalOptions::default())
        .unwrap();
    assert!(definition.is_empty());
    assert_eq!(definition.head(), None);
    assert!(merge(&[State::scratch(), State::scratch()], Constraints::new()).is_scratch());
}

#[test]
fn deferred_sources_are_what_they_are_given() {
    let context = Deferred::new();
    let file = || File::new().copy(&context.state(), "/a", "/b", Copy::default());
    let state = State::scratch().file(file(), Constraints::new());
    assert_eq!(
        state.marshal(&MarshalOptions::default()).unwrap_err(),
        Error::UnresolvedSource
    );
    context.resolve(&alpine_edge());
    assert_eq!(
        digests(&state),
        digests(&State::scratch().file(
            File::new().copy(&alpine_edge(), "/a", "/b", Copy::default()),
            Constraints::new()
        ))
    );
}

#[test]
fn long_chains_neither_marshal_nor_drop_by_recursion() {
    let mut state = alpine_edge();
    for step in 0..50_000 {
        state = state.run(Exec::new([step.to_string()])).root();
    }
    assert_eq!(
        state
            .marshal(&MarshalOptions::default())
            .unwrap()
            .vertices()
            .len(),
        50_001
    );
}

#[test]
fn a_daemon_without_default_path_gets_one_in_the_environment() {
    let state = State::scratch().run(Exec::new(["true"])).root();
    let old = MarshalOptions {
        caps: CapSet::EMPTY,
        ..MarshalOptions::default()
    };
    let definition = state.marshal(&old).unwrap();
    let text = String::from_utf8_lossy(definition.vertices()[0].op()).into_owned();
    assert!(text.contains("PATH=/usr/local/sbin"));
    assert!(
        !definition.vertices()[0]
            .caps()
            .contains(Cap::ExecMetaSetsDefaultPath)
    );
}

#[test]
fn the_state_s_platform_is_normalised_and_the_source_s_is_not() {
    let platform = Platform::parse("linux/arm64/v8").unwrap();
    let state = image(
        "docker.io/library/a:1",
        ResolveMode::Default,
        Constraints::new().on(platform),
    );
    assert_eq!(state.platform().unwrap().variant, "");
    let source = state.marshal(&MarshalOptions::default()).unwrap();
    assert!(
        source.vertices()[0]
            .op()
            .windows(2)
            .any(|bytes| bytes == b"v8")
    );
    let run = state
        .run(Exec::new(["true"]))
        .root()
        .marshal(&MarshalOptions::default())
        .unwrap();
    assert!(
        !run.vertices()[1]
            .op()
            .windows(2)
            .any(|bytes| bytes == b"v8")
    );
}

#[test]
fn writable_mounts_are_outputs_numbered_by_target() {
    let data = alpine_edge();
    let run = State::scratch().run(
        Exec::new(["true"])
            .mount(Mount::bind("/z", &data))
            .mount(Mount::bind("/a", &data).read_only(true))
            .mount(Mount::cache("/c", &State::scratch(), "id", Sharing::Locked))
            .mount(Mount::bind("/b", &data)),
    );
    assert!(run.mounted("/a").is_none() && run.mounted("/c").is_none());
    let index = |target: &str| run.mounted(target).unwrap().output().unwrap().index;
    assert_eq!((index("/b"), index("/z")), (1, 2));
    assert_eq!(run.clone().root().output().unwrap().index, 0);
}

#[test]
fn a_step_and_its_inputs_can_ignore_the_cache() {
    let run = |state: &State, command: &str| state.run(Exec::new(["sh", "-c", command])).root();
    let first = run(&alpine_edge(), "first");
    let last = run(&run(&first, "second"), "third");
    let before = last.marshal(&MarshalOptions::default()).unwrap();
    let digests = digests(&last);
    let mut definition = before.clone();
    definition.ignore_cache_of(&[digests[2].clone()].into());
    let ignoring = definition.vertices().iter();
    let ignoring: Vec<bool> = ignoring.map(|it| it.metadata().ignore_cache).collect();
    assert_eq!(ignoring, [false, true, true, false]);
    assert!(definition.ops().eq(before.ops()));
}
