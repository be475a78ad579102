//! BuildKit's protobuf messages of a graph (package `pb`), for crates that embed definitions in
//! other messages. Not a stable interface: it follows `proto/pb.proto`.
//!
//! The generated code is committed, so that this crate builds without a protobuf compiler.
#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    rust_2018_idioms,
    clippy::all,
    clippy::unwrap_used,
    rustdoc::all
)]

#[rustfmt::skip]
pub mod pb;

/// Converts keys and values to entries of maps whose values are messages.
macro_rules! entries {
    ($($entry:path: $value:path,)*) => {
        $(impl From<(String, $value)> for $entry {
            fn from((key, value): (String, $value)) -> Self {
                Self { key, value: Some(value) }
            }
        })*
    };
}

entries! {
    pb::definition::MetadataEntry: pb::OpMetadata,
    pb::source::LocationsEntry: pb::Locations,
}
