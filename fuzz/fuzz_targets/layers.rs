//! Untrusted layers: two archives are compared or rejected.
//!
//! The first two bytes are the offset of the second archive; without one, the first archive is
//! compared with itself.

#![no_main]

use libfuzzer_sys::fuzz_target;
use solvekit::diff::{LayerHow, Options, compare_archives};

fuzz_target!(|input: &[u8]| {
    let [high, low, rest @ ..] = input else {
        return;
    };
    let at = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
    let (left, right) = rest.split_at(at);
    let options = Options::default();
    let there = compare_archives(left, right, &options);
    let back = compare_archives(right, left, &options);
    if let (Ok((how, there)), Ok((how_back, back))) = (there, back) {
        assert_eq!((how, there.total), (how_back, back.total));
    }
    if let Ok((how, diff)) = compare_archives(left, left, &options) {
        assert_eq!((how, diff.total), (LayerHow::Compression, 0));
    }
});
