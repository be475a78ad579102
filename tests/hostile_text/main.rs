//! Commands escape all foreign control characters: every command runs against a daemon, a registry
//! and files whose names and messages are full of them.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, unreachable_pub)]
#[path = "../support/command.rs"]
mod command;
mod commands;
mod daemon;
#[path = "../support/proto.rs"]
mod proto;
mod registry;

/// The hostile text: a title, a cleared screen, C1 controls, reversed text, an overwritten line.
const HOSTILE: &str = "EVIL\x1b]0;pwned\x07\x1b[2J\x1b[1;1H\u{9b}2J\u{85}\u{202e}\u{2066}\u{200f}\r\x08\x7f\u{2028}EVIL";

/// The same as the name of a file or an argument, which cannot contain every character.
const NAME: &str = "EVIL\x1b]0;pwned\x07\x1b[2J\u{9b}2J\u{202e}\rEVIL";
