//! solvekit-registry: image storage. The distribution API of registries with credentials, OCI image
//! layouts on disk, and transfers between them.
//!
//! - [`files`] replaces files atomically and opens files inside a folder safely.
//! - [`registry`] reads and writes the manifests and blobs of registries.
//! - [`layout`] reads and writes OCI image layouts in folders.
//! - [`transfer`] moves images between registries, folders and archives.
//! - [`walk`] limits how much of an image is read.
//! - [`task`] runs blocking work from async code.
#![cfg_attr(test, allow(clippy::unwrap_used))]

use solvekit_core::oci;

pub mod files;

pub mod registry;

pub mod layout;

pub mod transfer;

pub mod walk;

pub mod task;
