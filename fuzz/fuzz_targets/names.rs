//! Platforms, references and digests: formatted ones parse again, with the same meaning.

#![no_main]

mod short_form;

use libfuzzer_sys::fuzz_target;
use solvekit::oci::{Digest, Platform, PlatformMatcher, Reference};

fuzz_target!(|text: &str| {
    if let Ok(platform) = Platform::parse(text) {
        let normalized = platform.normalized();
        assert_eq!(normalized.normalized(), normalized);
        let matcher = PlatformMatcher::only(&platform);
        // As in the reference, no platform matches an unknown variant of arm64.
        assert!(platform.architecture == "arm64" || matcher.matches(&normalized));
        let _ = Platform::parse(&platform.format_all());
        let _ = Platform::parse(&normalized.to_string());
    }
    if let Ok(reference) = Reference::parse(text) {
        let again = Reference::parse(&reference.to_string()).expect("what is printed can be read");
        assert_eq!(again, reference);
        let familiar = Reference::parse(&reference.familiar());
        match short_form::is_ambiguous(&reference) {
            true => assert_ne!(familiar.ok(), Some(reference.clone())),
            false => assert_eq!(familiar.expect("the short form can be read"), reference),
        }
        let tagged = reference.with_default_tag();
        assert!(tagged.tag().is_some() || tagged.digest().is_some());
    }
    if let Ok(digest) = Digest::parse(text) {
        assert_eq!(digest.as_str(), text);
        assert_eq!(format!("{}:{}", digest.algorithm(), digest.hex()), text);
    }
});
