//! Policies for the sources of a build, written in Rego, with the semantics of docker buildx.
//!
//! A policy is a file like `Dockerfile.rego` whose `data.docker.decision` allows or denies a
//! source. This crate loads policies and decides; it does no I/O. The caller provides files and
//! information about sources: [`Policy::decide`] returns a decision, or the information that is
//! missing.
//!
//! ```
//! use solvekit_policy::{Answer, Files, Loader, Platform, Settings, Source};
//!
//! let mut loader = Loader::new();
//! loader.add(
//!     "Dockerfile.rego",
//!     "package docker\ndecision := {\"allow\": input.image.repo == \"alpine\"}",
//! )?;
//! let policy = loader.finish(Settings::default())?;
//! let source = Source::new("docker-image://docker.io/library/busybox:latest");
//! let platform = Platform::parse("linux/amd64")?;
//! let question = policy.decide(&source, Some(&platform), &Files::default())?;
//! let Answer::Decision(decision) = question.answer else { panic!("nothing is needed") };
//! assert!(!decision.is_allowed());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod attestation;
mod check;
mod config;
mod decision;
mod error;
mod escapes;
mod evaluate;
mod facts;
mod field;
mod format;
mod functions;
mod git;
mod git_object;
mod input;
mod load;
mod nesting;
mod pgp;
mod provenance;
mod rewrite;
mod signature;
mod source;
mod ssh_signature;
mod state;
mod tester;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use config::{DisabledWithOthers, LogLevel, PolicyConfig, PolicySet, combine};
pub use decision::{Action, Decision, DenyMessage};
pub use error::{Error, Place};
pub use evaluate::{Answer, Capabilities, Evaluation, Needs, Settings};
pub use facts::{Chain, GitFacts, HttpFacts, ImageFacts, SuffixedDigest};
pub use field::{ChecksumRequest, HashAlgorithm, Request};
pub use git::GitError;
pub use input::{
    Actor, Commit, Completeness, ConfigSource, Env, Git, Http, Image, Input, Local, PgpSignature,
    Provenance, SshSignature, Tag,
};
pub use load::{Loader, Policy};
pub use provenance::PREDICATE_TYPES;
pub use solvekit_core::oci::Platform;
pub use source::{Described, Source, SourceError};
pub use tester::{TestCase, TestResult};

/// The JSON schema of the input document and of decisions.
pub const JSON_SCHEMA: &str = include_str!("schema.json");

/// The default policy: images that Docker publishes for builds must be signed.
pub const DEFAULT_POLICY: &str = include_str!("default.rego");

/// The name of the default policy in messages.
pub const DEFAULT_POLICY_FILE: &str = "buildx_default_policy.rego";

/// Files beside a policy, by the path in the policy; `None` if the file does not exist.
pub type Files = BTreeMap<String, Option<Arc<[u8]>>>;
