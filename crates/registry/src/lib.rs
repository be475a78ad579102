//! solvekit-registry: image storage. The distribution API of registries with credentials, OCI image
//! layouts on disk, transfers between them, and multi-platform images.
//!
//! - [`files`] replaces files atomically and opens files inside a folder safely.
//! - [`registry`] reads and writes the manifests and blobs of registries.
//! - [`layout`] reads and writes OCI image layouts in folders.
//! - [`transfer`] moves images between registries, folders and archives.
//! - [`diff`] compares images, down to the files of their layers.
//! - [`imagetools`] inspects multi-platform images and creates them from others.
//! - [`manifest_list`] stores manifest lists until they are pushed, as `docker manifest` does.
//! - [`steps`] reports progress.
//! - [`walk`] limits how much of an image is read.
//! - [`task`] runs blocking work from async code.
#![cfg_attr(test, allow(clippy::unwrap_used))]

use solvekit_core::{oci, template, text};

pub mod files;

pub mod registry;

pub mod layout;

pub mod transfer;

pub mod diff;

pub mod imagetools;

pub mod manifest_list;

pub mod steps;

pub mod walk;

pub mod task;
