//! Compiles `proto/` into the types of `src/proto.rs`.

fn main() {}
