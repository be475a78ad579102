//! Other programs.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process};

/// Separates a program from the terminal's Ctrl-C, which then reaches only this process.
pub fn separate(command: &mut Command) {
    command.process_group(0);
}

/// Asks a program to end (SIGTERM), and does not wait for it.
pub fn ask_to_end(child: &mut Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, Signal::TERM);
    }
}
