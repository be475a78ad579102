//! The `solvekit` command.

fn main() {}
