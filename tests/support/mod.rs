//! Code that the tests with real components share: the engine's environment, a relay in front of
//! its BuildKit, the built command, and an independent inspection of pushed images. It must not use
//! solvekit's own code.

// Each test crate uses only a part of it, as of a library.
#![allow(dead_code, unused_imports, unreachable_pub)]

mod builder_home;
mod certificates;
mod cluster;
mod command;
mod engine;
mod faulty_registry;
mod fixture;
mod frontend_image;
mod git;
mod in_container;
mod own_engine;
mod own_program;
mod peer;
mod pushed;
mod relay;
mod ssh;
mod stand_in;
mod terminal;
mod web;

pub use builder_home::BuilderHome;
pub use certificates::Certificates;
pub use cluster::Cluster;
pub use command::{Finished, Running, called, interrupt, solvekit, with_stack};
pub use engine::{Engine, keep_cache, prune_alone, unique};
pub use faulty_registry::{Fault, FaultyRegistry};
pub use fixture::{copy_of, fixture, folder_of};
pub use frontend_image::frontend_image;
pub use git::{GitDaemon, commit_of, head_of, repository_of, working_tree_of};
pub use in_container::in_container;
pub use own_engine::OwnEngine;
pub use peer::buildx;
pub use pushed::Pushed;
pub use relay::Relay;
pub use ssh::SshServer;
pub use stand_in::stand_in_image;
pub use terminal::OnTerminal;
pub use web::Web;
