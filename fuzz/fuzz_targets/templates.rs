//! Templates of `--format`: any text is parsed or rejected, and a parsed one renders the same text,
//! or the same error, twice.

#![no_main]

use libfuzzer_sys::fuzz_target;
use solvekit::template::{Json, Struct, Template, Value};

fuzz_target!(|text: &str| {
    let Ok(template) = Template::parse(text) else {
        return;
    };
    let value = value();
    for json in [Json::Compact, Json::Indented] {
        let shown = template
            .render(&value, json)
            .map_err(|error| error.to_string());
        let again = template
            .render(&value, json)
            .map_err(|error| error.to_string());
        assert_eq!(shown, again);
    }
    // A field that is used without its name could not be skipped.
    if text.contains("Platforms") {
        let _ = template.mentions("Platforms");
    }
});

fn value() -> Value {
    let node = |name: &str| {
        Struct::new()
            .field("Name", "name", name)
            .field("Size", "size", 1_234_567_i64)
            .field("Platforms", "platforms", vec!["linux/amd64", "linux/arm64"])
    };
    let nodes = vec![
        Value::from(node("one")),
        Value::from(node("two \u{1b}[31m")),
    ];
    Value::from(
        node("root")
            .field("Nodes", "nodes", nodes)
            .field("Running", "running", true),
    )
}
