//! solvekit-registry: images where they are kept. The distribution API of registries with their
//! credentials, OCI image layouts on disk, and transfers between the two.
//!
//! - [`files`] writes files in one step and opens them beneath a folder.
//! - [`registry`] reads and writes manifests and blobs of registries.
//! - [`layout`] reads and writes OCI image layouts in folders.
//! - [`transfer`] moves images between registries, folders and archives.
//! - [`walk`] has the limits within which an image is read.
//! - [`task`] runs blocking work beside async code.
#![cfg_attr(test, allow(clippy::unwrap_used))]

use solvekit_core::oci;

pub mod files;

pub mod registry;

pub mod layout;

pub mod transfer;

pub mod walk;

pub mod task;
