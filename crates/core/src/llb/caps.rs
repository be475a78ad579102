//! The LLB capabilities: those that a daemon lists, and those that an op needs.

use std::fmt;

macro_rules! caps {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// One LLB capability of BuildKit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Cap { $(#[doc = concat!("`", $text, "`")] $(#[$doc])* $name,)* }

        const ALL: &[(Cap, &str)] = &[$((Cap::$name, $text),)*];
    };
}

caps! {
    SourceImage = "source.image",
    SourceImageResolveMode = "source.image.resolvemode",
    SourceImageLayerLimit = "source.image.layerlimit",
    SourceImageChecksum = "source.image.checksum",
    SourceLocal = "source.local",
    SourceLocalUnique = "source.local.unique",
    SourceLocalSessionId = "source.local.sessionid",
    SourceLocalIncludePatterns = "source.local.includepatterns",
    SourceLocalFollowPaths = "source.local.followpaths",
    SourceLocalExcludePatterns = "source.local.excludepatterns",
    SourceLocalSharedKeyHint = "source.local.sharedkeyhint",
    SourceLocalDiffer = "source.local.differ",
    SourceMetadataTransfer = "source.local.metadatatransfer",
    SourceGit = "source.git",
    SourceGitKeepDir = "source.git.keepgitdir",
    SourceGitFullUrl = "source.git.fullurl",
    SourceGitHttpAuth = "source.git.httpauth",
    SourceGitKnownSshHosts = "source.git.knownsshhosts",
    SourceGitMountSshSock = "source.git.mountsshsock",
    SourceGitSubdir = "source.git.subdir",
    SourceGitChecksum = "source.git.checksum",
    SourceGitSkipSubmodules = "source.git.skipsubmodules",
    SourceGitSignatureVerify = "source.git.signatureverify",
    SourceGitMtime = "source.git.mtime",
    SourceGitFetchByCommit = "source.git.fetchbycommit",
    SourceGitBundle = "source.git.bundle",
    SourceGitCheckoutBundle = "source.git.checkoutbundle",
    SourceHttp = "source.http",
    SourceHttpAuth = "source.http.auth",
    SourceHttpChecksum = "source.http.checksum",
    SourceHttpPerm = "source.http.perm",
    /// (the spelling is the daemon's)
    SourceHttpUidGid = "soruce.http.uidgid",
    SourceHttpHeader = "source.http.header",
    SourceHttpSignatureVerify = "source.http.signatureverify",
    SourceImageBlob = "source.imageblob",
    SourceOciLayout = "source.ocilayout",
    BuildOpLlbFileName = "source.buildop.llbfilename",
    ExecMetaBase = "exec.meta.base",
    ExecMetaCgroupParent = "exec.meta.cgroup.parent",
    ExecMetaNetwork = "exec.meta.network",
    ExecMetaNetworkProxy = "exec.meta.network.proxy",
    ExecMetaProxy = "exec.meta.proxyenv",
    ExecMetaSecurity = "exec.meta.security",
    ExecMetaSecurityDevices = "exec.meta.security.devices.v1",
    ExecMetaSetsDefaultPath = "exec.meta.setsdefaultpath",
    ExecMetaUlimit = "exec.meta.ulimit",
    ExecMetaCdi = "exec.meta.cdi",
    ExecMetaRemoveMountStubsRecursive = "exec.meta.removemountstubs.recursive",
    ExecMetaLinuxResources = "exec.meta.linux.resources",
    ExecMountBind = "exec.mount.bind",
    ExecMountBindReadWriteNoOutput = "exec.mount.bind.readwrite-nooutput",
    ExecMountCache = "exec.mount.cache",
    ExecMountCacheSharing = "exec.mount.cache.sharing",
    ExecMountSelector = "exec.mount.selector",
    ExecMountTmpfs = "exec.mount.tmpfs",
    ExecMountTmpfsSize = "exec.mount.tmpfs.size",
    ExecMountSecret = "exec.mount.secret",
    ExecMountSsh = "exec.mount.ssh",
    ExecMountContentCache = "exec.mount.cache.content",
    ExecCgroupsMounted = "exec.cgroup",
    ExecSecretEnv = "exec.secretenv",
    ExecValidExitCode = "exec.validexitcode",
    FileBase = "file.base",
    FileRmWildcard = "file.rm.wildcard",
    FileCopyIncludeExcludePatterns = "file.copy.includeexcludepatterns",
    FileCopyRequiredPaths = "file.copy.requiredpaths",
    FileRmNoFollowSymlink = "file.rm.nofollowsymlink",
    FileCopyAlwaysReplaceExistingDestPaths = "file.copy.alwaysreplaceexistingdestpaths",
    FileCopyModeString = "file.copy.modestring",
    FileSymlinkCreate = "file.symlink.create",
    Constraints = "constraints",
    Platform = "platform",
    MetaIgnoreCache = "meta.ignorecache",
    MetaDescription = "meta.description",
    MetaExportCache = "meta.exportcache",
    RemoteCacheGha = "cache.gha",
    RemoteCacheS3 = "cache.s3",
    RemoteCacheAzBlob = "cache.azblob",
    MergeOp = "mergeop",
    DiffOp = "diffop",
    PassthroughOp = "passthroughop",
    Annotations = "exporter.image.annotations",
    Attestations = "exporter.image.attestations",
    SourceDateEpoch = "exporter.sourcedateepoch",
    MultipleExporters = "exporter.multiple",
    SessionExporter = "exporter.session",
    SourcePolicy = "source.policy",
    SourcePolicySession = "source.policy.session",
    GcFreeSpaceFilter = "gc.freespacefilter",
    HistoryFilters = "history.filter",
}

/// Capabilities that BuildKit's `solver/pb/caps.go` defines but never registers, each with one that
/// is registered since the same release (v0.17 and v0.11).
const UNLISTED: [(Cap, Cap); 2] = [
    (Cap::FileCopyModeString, Cap::ExecValidExitCode),
    (Cap::ExecMetaRemoveMountStubsRecursive, Cap::SourcePolicy),
];

impl Cap {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        ALL[self as usize].1
    }

    /// Returns the capability of this name, if it is known.
    pub fn from_name(name: &str) -> Option<Self> {
        ALL.iter()
            .find(|(_, text)| *text == name)
            .map(|(cap, _)| *cap)
    }

    const fn bit(self) -> u128 {
        1 << self as u32
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of capabilities; copying it is free.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct CapSet(u128);

impl CapSet {
    /// No capability.
    pub const EMPTY: Self = Self(0);

    /// Every capability that this version knows: those of a daemon at least as new as BuildKit
    /// v0.32.
    pub fn all() -> Self {
        ALL.iter().map(|(cap, _)| *cap).collect()
    }

    /// Returns the capabilities of these names; unknown names are ignored.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().filter_map(Cap::from_name).collect()
    }

    /// Returns the capabilities of a daemon that lists these names. Some of BuildKit's capabilities
    /// are never listed; the daemon has those if it lists another one of the same release.
    pub fn from_daemon<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let listed = Self::from_names(names);
        let unlisted = UNLISTED.iter();
        let unlisted = unlisted.filter(|(_, sign)| listed.contains(*sign));
        unlisted.fold(listed, |caps, (cap, _)| caps.with(*cap))
    }

    /// True if `cap` is in the set.
    pub const fn contains(self, cap: Cap) -> bool {
        self.0 & cap.bit() != 0
    }

    /// Returns the set with `cap`.
    #[must_use]
    pub const fn with(self, cap: Cap) -> Self {
        Self(self.0 | cap.bit())
    }

    /// Returns the set without `cap`.
    #[must_use]
    pub const fn without(self, cap: Cap) -> Self {
        Self(self.0 & !cap.bit())
    }

    /// Returns the capabilities that are in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn insert(&mut self, cap: Cap) {
        self.0 |= cap.bit();
    }

    /// True if the set has no capability.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Iterates over the capabilities, in the order of [`Cap`].
    pub fn iter(self) -> impl Iterator<Item = Cap> {
        ALL.iter()
            .map(|(cap, _)| *cap)
            .filter(move |cap| self.contains(*cap))
    }
}

impl FromIterator<Cap> for CapSet {
    fn from_iter<I: IntoIterator<Item = Cap>>(caps: I) -> Self {
        caps.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for CapSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Cap::as_str)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_capability_fits_the_set_and_has_one_name() {
        assert!(ALL.len() <= 128);
        for (at, (cap, name)) in ALL.iter().enumerate() {
            assert_eq!(*cap as usize, at);
            assert_eq!(Cap::from_name(name), Some(*cap));
        }
    }

    #[test]
    fn capabilities_that_no_daemon_lists_are_known_by_others_of_the_same_release() {
        let older = CapSet::from_daemon(["file.base", "source.policy"]);
        assert!(!older.contains(Cap::FileCopyModeString));
        assert!(older.contains(Cap::ExecMetaRemoveMountStubsRecursive));
        let newer = CapSet::from_daemon(["file.base", "exec.validexitcode"]);
        assert!(newer.contains(Cap::FileCopyModeString));
    }

    #[test]
    fn names_that_are_unknown_are_left_out() {
        let caps = CapSet::from_names(["mergeop", "from.the.future"]);
        assert_eq!(caps.iter().collect::<Vec<_>>(), [Cap::MergeOp]);
    }
}
