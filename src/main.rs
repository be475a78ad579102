//! The `solvekit` command: parse the arguments, run, print the error with its hint, exit with its
//! code.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
