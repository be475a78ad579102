//! Policies: any text is loaded or rejected; loaded ones decide about a source of each kind.

#![no_main]

use libfuzzer_sys::fuzz_target;
use solvekit_policy::{Files, ImageFacts, Loader, Platform, Settings, Source};

const SOURCES: &[&str] = &[
    "docker-image://docker.io/library/alpine:3.20",
    "git://github.com/me/app.git#main",
    "https://example.com/a?b=c",
    "local://context",
];

fuzz_target!(|text: &str| {
    let mut loader = Loader::new();
    if loader.add("Dockerfile.rego", text).is_err() || !loader.missing_imports().is_empty() {
        return;
    }
    let Ok(policy) = loader.finish(Settings::default()) else {
        return;
    };
    let platform = Platform::parse("linux/amd64").ok();
    for identifier in SOURCES {
        let mut source = Source::new(*identifier);
        let _ = policy.decide(&source, platform.as_ref(), &Files::default());
        source.image = Some(ImageFacts {
            config: Some(br#"{"config":{"Labels":{"a":"b"}}}"#.to_vec()),
            ..ImageFacts::default()
        });
        let _ = policy.decide(&source, platform.as_ref(), &Files::default());
    }
});
