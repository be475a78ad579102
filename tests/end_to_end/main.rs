//! The built command against a real BuildKit and real registries. `export $(tests/engine up golang)` comes first.

#[path = "../support/mod.rs"]
mod support;

mod eight_platforms;
