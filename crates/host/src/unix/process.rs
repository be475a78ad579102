//! Other programs.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process};

/// Ctrl-C at the terminal does not reach the program, only this one.
pub fn separate(command: &mut Command) {
    command.process_group(0);
}

/// Asks a program to end, in its own time.
pub fn ask_to_end(child: &mut Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, Signal::TERM);
    }
}
