//! `buildkitd.toml`: any bytes are accepted or rejected. An accepted file is valid TOML with its
//! certificates moved, is accepted a second time, and only names paths below the daemon's folder.

#![no_main]

use std::path::{Component, Path};

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(config) = solvekit::fuzzing::checked_config(bytes) else {
        return;
    };
    for name in config.files.keys() {
        let mut parts = Path::new(name).components();
        assert!(
            parts.all(|part| matches!(part, Component::Normal(_))),
            "{name:?}"
        );
    }
    let written = &config.files["buildkitd.toml"];
    let again = solvekit::fuzzing::checked_config(written).expect("what is written is accepted");
    assert_eq!(again.unknown, config.unknown);
    assert_eq!(again.entitlements, config.entitlements);
    assert_eq!(again.files.len(), config.files.len());
});
