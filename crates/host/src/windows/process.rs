//! Other programs.

use std::os::windows::process::CommandExt as _;
use std::process::{Child, Command};

const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;

/// Ctrl-C at the terminal does not reach the program, only this one.
pub fn separate(command: &mut Command) {
    command.creation_flags(CREATE_NEW_PROCESS_GROUP);
}

/// Ends a program: Windows has no way to ask one without a window.
pub fn ask_to_end(child: &mut Child) {
    let _ = child.kill();
}
