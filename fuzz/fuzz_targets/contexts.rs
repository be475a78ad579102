//! Contexts on the command line: any text is parsed or rejected, and no message contains a
//! password.

#![no_main]

use libfuzzer_sys::fuzz_target;
use solvekit::layout::LayoutReference;
use solvekit::pipeline::{DockerfileFrom, MainContext, NamedContext, context_name};

fuzz_target!(|text: &str| {
    let _ = text.parse::<MainContext>();
    let _ = text.parse::<DockerfileFrom>();
    let _ = text.parse::<NamedContext>();
    if let Ok(name) = context_name(text) {
        // Only the short name of an official repository can be an invalid name by itself: 64 digits
        // are the id of an image.
        match context_name(&name) {
            Ok(again) => assert_eq!(again, name),
            Err(error) => assert!(name.len() >= 64, "{error}"),
        }
    }
    if let Ok(layout) = LayoutReference::parse(text) {
        let again = LayoutReference::parse(&layout.to_string());
        assert_eq!(again.expect("what is printed can be read"), layout);
    }
    // The query of a git URL, which has errors of its own.
    let secret = format!("https://me:hunter2@example.com/r.git?{text}");
    if let Err(error) = secret.parse::<MainContext>() {
        assert!(text.contains("hunter2") || !error.to_string().contains("hunter2"));
    }
});
