//! Contexts on the command line: any text is parsed or rejected, and no message contains a
//! password.

#![no_main]

mod short_form;

use libfuzzer_sys::fuzz_target;
use solvekit::layout::LayoutReference;
use solvekit::oci::Reference;
use solvekit::pipeline::{DockerfileFrom, MainContext, NamedContext, context_name};

fuzz_target!(|text: &str| {
    let _ = text.parse::<MainContext>();
    let _ = text.parse::<DockerfileFrom>();
    let _ = text.parse::<NamedContext>();
    if let Ok(name) = context_name(text) {
        let reference = Reference::parse(text).expect("the name of a context is a reference");
        if !short_form::is_ambiguous(&reference) {
            assert_eq!(context_name(&name).expect("the short form is a name"), name);
        }
    }
    if let Ok(layout) = LayoutReference::parse(text) {
        let again = LayoutReference::parse(&layout.to_string());
        // As in the reference, a default tag is printed, and then it is a given one.
        let given = LayoutReference {
            is_default_tag: false,
            ..layout
        };
        assert_eq!(again.expect("what is printed can be read"), given);
    }
    // The query of a git URL, which has errors of its own.
    let secret = format!("https://me:hunter2@example.com/r.git?{text}");
    if let Err(error) = secret.parse::<MainContext>() {
        assert!(text.contains("hunter2") || !error.to_string().contains("hunter2"));
    }
});
