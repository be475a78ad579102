//! The capabilities that a daemon offers to frontends.

use std::collections::BTreeSet;

use crate::{llb::CapSet, proto::moby::buildkit::v1::apicaps::ApiCap};

pub(super) const FRONTEND_INPUTS: &str = "frontend.inputs";
pub(super) const RETURN: &str = "return";
pub(super) const RETURN_MAP: &str = "returnmap";
pub(super) const REF_ARRAY: &str = "proto.refarray";
pub(super) const READ_DIR: &str = "readdir";
pub(super) const STAT_FILE: &str = "statfile";
pub(super) const SOURCE_META: &str = "source.metaresolver";
pub(super) const EVALUATE: &str = "gateway.evaluate";
pub(super) const SOLVE_EVALUATE: &str = "gateway.solve.evaluate";
pub(super) const WARNINGS: &str = "gateway.warnings";
pub(super) const EXEC: &str = "gateway.exec";
pub(super) const EXEC_EXTRA_HOSTS: &str = "gateway.exec.extrahosts";
pub(super) const EXEC_SECRET_ENV: &str = "gateway.exec.secretenv";
pub(super) const EXEC_SIGNALS: &str = "gateway.exec.signals";
pub(super) const EXEC_FILES: &str = "gateway.exec.filesystem";
pub(super) const ATTESTATIONS: &str = "reference.attestations";

/// A daemon's capabilities, by their ids on the wire.
#[derive(Debug, Clone, Default)]
pub struct Capabilities {
    /// The LLB capabilities: supported operations and options.
    pub llb: CapSet,
    gateway: BTreeSet<String>,
    llb_names: BTreeSet<String>,
}

impl Capabilities {
    pub(super) fn new(gateway: Vec<ApiCap>, llb: Vec<ApiCap>) -> Self {
        let enabled = |caps: Vec<ApiCap>| -> BTreeSet<String> {
            caps.into_iter()
                .filter(|cap| cap.enabled)
                .map(|cap| cap.id)
                .collect()
        };
        let llb_names = enabled(llb);
        Self {
            llb: CapSet::from_daemon(llb_names.iter().map(String::as_str)),
            gateway: enabled(gateway),
            llb_names,
        }
    }

    /// Returns true if the gateway has a capability, for example `gateway.warnings`.
    pub fn has(&self, id: &str) -> bool {
        self.gateway.contains(id)
    }

    /// Returns true if LLB has a capability, including ones unknown to this library;
    /// [`Capabilities::llb`] has the known ones.
    pub fn has_llb(&self, id: &str) -> bool {
        self.llb_names.contains(id)
    }
}
