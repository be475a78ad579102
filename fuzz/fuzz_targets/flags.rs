//! Values of flags and files: any text is parsed or rejected.

#![no_main]

use libfuzzer_sys::fuzz_target;
use solvekit::client::{Address, SourcePolicy};
use solvekit::frontend::Choice;
use solvekit::lock::Lock;
use solvekit::pipeline::{
    Attestations, CacheDirection, Entitlement, MetadataProvenance, Output, csv_fields,
    parse_annotations, parse_bytes, parse_cache,
};

fuzz_target!(|text: &str| {
    if let Ok(fields) = csv_fields(text) {
        // Parsed fields can be written with quotes, and parsed again.
        let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
        let quoted: Vec<String> = fields.iter().map(quoted).collect();
        assert_eq!(
            csv_fields(&quoted.join(",")).expect("quoted fields can be read"),
            fields
        );
    }
    let _ = text.parse::<Output>();
    let _ = text.parse::<Entitlement>();
    let _ = text.parse::<MetadataProvenance>();
    let _ = text.parse::<Choice>();
    let _ = parse_cache(text, CacheDirection::From);
    let _ = parse_cache(text, CacheDirection::To);
    let _ = parse_annotations(&[text.to_owned()]);
    let _ = parse_bytes(text);
    let _ = Attestations::parse(&[text.to_owned()], Some(text), Some(text));
    let _ = Address::parse(text);
    let _ = SourcePolicy::parse(text.as_bytes());
    let _ = Lock::parse(text.as_bytes());
});
