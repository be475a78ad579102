//! Bytes from a hostile daemon to an SSH agent, cut anywhere: the answer to each message is a list,
//! a signature or a failure.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/ssh/ed25519");
const KINDS: [u8; 3] = [5, 12, 14];

fuzz_target!(|input: &[u8]| {
    let (first, frames) = input.split_first().unwrap_or((&1, &[]));
    let Ok(answers) = solvekit::fuzzing::answer_agent(Path::new(KEY), frames, usize::from(*first))
    else {
        return;
    };
    for answer in answers {
        let (length, message) = answer.split_at(4);
        let length = u32::from_be_bytes(length.try_into().expect("four bytes"));
        assert_eq!(usize::try_from(length), Ok(message.len()));
        assert!(KINDS.contains(&message[0]), "{message:?}");
    }
});
