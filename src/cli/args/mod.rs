//! Flags become the library's own request types here. Several commands share each file.

pub(crate) mod attestations;
pub(crate) mod builder;
pub(crate) mod caches;
pub(crate) mod complete;
pub(crate) mod connection;
pub(crate) mod contexts;
pub(crate) mod default_load;
pub(crate) mod explain;
pub(crate) mod git_repository;
pub(crate) mod git_source;
pub(crate) mod github;
pub(crate) mod headings;
pub(crate) mod images;
pub(crate) mod legacy;
pub(crate) mod nodes;
pub(crate) mod normalize;
pub(crate) mod of_dockerfile;
pub(crate) mod permissions;
pub(crate) mod places;
pub(crate) mod policy;
pub(crate) mod proxies;
pub(crate) mod registries;
pub(crate) mod reports;
pub(crate) mod resources;
pub(crate) mod secrets;
pub(crate) mod values;
