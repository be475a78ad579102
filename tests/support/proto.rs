//! The generated code of the wire, with the servers that fake daemons and collectors implement.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    unused_qualifications,
    rust_2018_idioms,
    clippy::all
)]

include!(concat!(env!("OUT_DIR"), "/mod.rs"));
