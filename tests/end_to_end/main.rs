//! The built command against a real BuildKit and real registries. `export $(tests/engine up golang)` comes first.

#[path = "../support/mod.rs"]
mod support;

mod annotations;
mod attestations;
mod bad_input;
mod builders;
mod cache_records;
mod calls;
mod capabilities;
mod container_builders;
mod context_listing;
mod contexts;
mod credentials;
mod documents;
mod eight_platforms;
mod entitlements;
mod examples;
mod fetched_contexts;
mod frontends;
mod history;
mod imagetools;
mod inside;
mod interruptions;
mod keep_going;
mod kubernetes;
mod layouts;
mod locks;
mod logins;
mod machine_output;
mod manifests;
mod metadata;
mod named_contexts;
mod nodes;
mod outputs;
mod piped_contexts;
mod platforms;
mod plugin;
mod programs;
mod registry_faults;
mod results;
mod sboms;
mod secrets;
mod shared_cache;
mod transfers;
mod transports;
