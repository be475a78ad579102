//! The `solvekit` command: parse the arguments, run, print the error with its hint, exit with its code.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
