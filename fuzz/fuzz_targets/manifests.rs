//! Manifests, indexes and configs from a registry: a parsed one is written back unchanged, and no
//! text makes the parser panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use solvekit::imagetools::Source;
use solvekit::oci::{Descriptor, Index, Manifest, PlatformMatcher};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(index) = serde_json::from_slice::<Index>(bytes) {
        let text = serde_json::to_vec(&index).expect("an index is JSON");
        assert_eq!(
            serde_json::from_slice::<Index>(&text).expect("it is one again"),
            index
        );
        let platforms = index
            .manifests
            .iter()
            .filter_map(|entry| entry.platform.as_ref());
        let platforms: Vec<_> = platforms.collect();
        for wanted in &platforms {
            let best = PlatformMatcher::only(wanted).best(platforms.iter().copied());
            assert!(best.is_none_or(|best| best < platforms.len()));
        }
    }
    if let Ok(manifest) = serde_json::from_slice::<Manifest>(bytes) {
        let text = serde_json::to_vec(&manifest).expect("a manifest is JSON");
        assert_eq!(
            serde_json::from_slice::<Manifest>(&text).expect("it is one again"),
            manifest
        );
    }
    if let Ok(descriptor) = serde_json::from_slice::<Descriptor>(bytes) {
        let text = serde_json::to_vec(&descriptor).expect("a descriptor is JSON");
        assert_eq!(
            serde_json::from_slice::<Descriptor>(&text).expect("it is one again"),
            descriptor
        );
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Source::parse(text);
    }
});
