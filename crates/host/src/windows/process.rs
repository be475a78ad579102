//! Other programs.

use std::os::windows::process::CommandExt as _;
use std::process::{Child, Command};

const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;

/// Separates a program from the terminal's Ctrl-C, which then reaches only this process.
pub fn separate(command: &mut Command) {
    command.creation_flags(CREATE_NEW_PROCESS_GROUP);
}

/// Kills a program: Windows cannot ask a program without a window to end.
pub fn ask_to_end(child: &mut Child) {
    let _ = child.kill();
}
