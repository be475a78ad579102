//! Progress from a hostile daemon: any steps, transfers, logs, warnings and times are displayed in
//! every mode.

#![no_main]

use libfuzzer_sys::fuzz_target;
use solvekit::progress::{Display, Event, Mode, Options, StatusUpdate};

const MODES: [Mode; 4] = [Mode::Plain, Mode::Tty, Mode::RawJson, Mode::JsonLines];

fuzz_target!(|input: &[u8]| {
    // The wire format is protobuf; the JSON of --progress=rawjson has the same content.
    let updates: Vec<StatusUpdate> = input
        .split(|&byte| byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    for mode in MODES {
        let mut out = Vec::new();
        let mut display = Display::new(mode, &mut out, Options::default());
        for update in &updates {
            display.take(&Event::new(1, update.clone()));
            display.draw();
        }
        let summary = display.finish();
        assert!(summary.ended <= summary.steps);
    }
});
