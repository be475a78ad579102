//! Bake files in compose: any bytes are evaluated and planned, or rejected.

#![no_main]

mod bake;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let environment = bake::environment();
    if let Some(evaluation) = bake::evaluate("compose.yaml", bytes, &environment) {
        bake::plan(&evaluation, &[], &environment);
    }
});
