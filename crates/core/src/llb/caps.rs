//! The LLB capabilities: those that a daemon lists, and those that an op needs.

use std::fmt;

macro_rules! caps {
    ($($(#[$doc:meta])* $name:ident = $text:literal: $feature:literal,)*) => {
        /// One LLB capability of BuildKit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Cap { $(#[doc = concat!("`", $text, "`")] $(#[$doc])* $name,)* }

        const ALL: &[(Cap, &str)] = &[$((Cap::$name, $text),)*];

        impl Cap {
            /// Returns the feature's name, as in "BuildKit v0.13.2 does not know …".
            pub const fn feature(self) -> &'static str {
                match self { $(Cap::$name => $feature,)* }
            }
        }
    };
}

// The name in Rust, the name on the wire, and words of people who write Dockerfiles.
caps! {
    SourceImage = "source.image": "images as sources (FROM, COPY --from)",
    SourceImageResolveMode = "source.image.resolvemode":
        "when to look an image up in its registry (--pull)",
    SourceImageLayerLimit = "source.image.layerlimit": "images cut off after some layers",
    SourceImageChecksum = "source.image.checksum": "images with a checksum",
    SourceLocal = "source.local": "folders of the client",
    SourceLocalUnique = "source.local.unique": "ids of a client's folders",
    SourceLocalSessionId = "source.local.sessionid": "folders of a named session",
    SourceLocalIncludePatterns = "source.local.includepatterns":
        "patterns of files to take from the client's folder",
    SourceLocalFollowPaths = "source.local.followpaths": "single paths out of the client's folder",
    SourceLocalExcludePatterns = "source.local.excludepatterns":
        "patterns of files to leave out (.dockerignore)",
    SourceLocalSharedKeyHint = "source.local.sharedkeyhint":
        "folders that are transferred only where they changed",
    SourceLocalDiffer = "source.local.differ": "how a folder is compared with an earlier transfer",
    SourceMetadataTransfer = "source.local.metadatatransfer":
        "folders of which only the metadata is transferred",
    SourceGit = "source.git": "git repositories",
    SourceGitKeepDir = "source.git.keepgitdir":
        "the .git folder of repositories (ADD --keep-git-dir, BUILDKIT_CONTEXT_KEEP_GIT_DIR)",
    SourceGitFullUrl = "source.git.fullurl": "git repositories by their full URL",
    SourceGitHttpAuth = "source.git.httpauth": "credentials for git over HTTP",
    SourceGitKnownSshHosts = "source.git.knownsshhosts": "the keys of git servers (known_hosts)",
    SourceGitMountSshSock = "source.git.mountsshsock": "SSH agents for git",
    SourceGitSubdir = "source.git.subdir": "folders of git repositories",
    SourceGitChecksum = "source.git.checksum":
        "git repositories with a checksum (ADD --checksum, ?checksum=)",
    SourceGitSkipSubmodules = "source.git.skipsubmodules":
        "git repositories without their submodules (?submodules=false)",
    SourceGitSignatureVerify = "source.git.signatureverify": "signatures of git commits",
    SourceGitMtime = "source.git.mtime":
        "the times of files from git (?mtime=, SOURCE_DATE_EPOCH with a git context)",
    SourceGitFetchByCommit = "source.git.fetchbycommit":
        "git commits that no branch or tag leads to (?fetch-by-commit=)",
    SourceGitBundle = "source.git.bundle": "git bundles",
    SourceGitCheckoutBundle = "source.git.checkoutbundle": "checking out git bundles",
    SourceHttp = "source.http": "downloads (ADD of a URL)",
    SourceHttpAuth = "source.http.auth": "credentials for downloads",
    SourceHttpChecksum = "source.http.checksum": "downloads with a checksum (ADD --checksum)",
    SourceHttpPerm = "source.http.perm": "the mode of downloads (ADD --chmod of a URL)",
    /// (the spelling is the daemon's)
    SourceHttpUidGid = "soruce.http.uidgid": "the owner of downloads (ADD --chown of a URL)",
    SourceHttpHeader = "source.http.header": "headers of downloads",
    SourceHttpSignatureVerify = "source.http.signatureverify": "signatures of downloads",
    SourceImageBlob = "source.imageblob": "single blobs of images",
    SourceOciLayout = "source.ocilayout": "OCI layouts of the client",
    BuildOpLlbFileName = "source.buildop.llbfilename": "nested builds from a file",
    ExecMetaBase = "exec.meta.base": "RUN",
    ExecMetaCgroupParent = "exec.meta.cgroup.parent":
        "the parent of RUN's control group (--cgroup-parent)",
    ExecMetaNetwork = "exec.meta.network": "the network of RUN (--network)",
    ExecMetaNetworkProxy = "exec.meta.network.proxy": "a proxy for RUN's network",
    ExecMetaProxy = "exec.meta.proxyenv":
        "proxy variables (HTTP_PROXY and others as build arguments)",
    ExecMetaSecurity = "exec.meta.security": "RUN --security",
    ExecMetaSecurityDevices = "exec.meta.security.devices.v1":
        "devices for RUN --security=insecure",
    ExecMetaSetsDefaultPath = "exec.meta.setsdefaultpath": "its own default for PATH",
    ExecMetaUlimit = "exec.meta.ulimit": "limits of RUN's processes (--ulimit)",
    ExecMetaCdi = "exec.meta.cdi": "devices for RUN (--device)",
    ExecMetaRemoveMountStubsRecursive = "exec.meta.removemountstubs.recursive":
        "removing the folders that mounts made",
    ExecMetaLinuxResources = "exec.meta.linux.resources": "limits of RUN's memory and processors",
    ExecMountBind = "exec.mount.bind": "RUN --mount=type=bind",
    ExecMountBindReadWriteNoOutput = "exec.mount.bind.readwrite-nooutput":
        "RUN --mount=type=bind,rw whose changes are dropped",
    ExecMountCache = "exec.mount.cache": "RUN --mount=type=cache",
    ExecMountCacheSharing = "exec.mount.cache.sharing":
        "how a cache mount is shared (RUN --mount=type=cache,sharing=)",
    ExecMountSelector = "exec.mount.selector":
        "mounts of a part of a file system (RUN --mount=…,source=)",
    ExecMountTmpfs = "exec.mount.tmpfs": "RUN --mount=type=tmpfs",
    ExecMountTmpfsSize = "exec.mount.tmpfs.size":
        "the size of a tmpfs mount (--shm-size, RUN --mount=type=tmpfs,size=)",
    ExecMountSecret = "exec.mount.secret": "RUN --mount=type=secret",
    ExecMountSsh = "exec.mount.ssh": "RUN --mount=type=ssh",
    ExecMountContentCache = "exec.mount.cache.content": "how the content of a mount is cached",
    ExecCgroupsMounted = "exec.cgroup": "control groups inside RUN",
    ExecSecretEnv = "exec.secretenv": "secrets as variables (RUN --mount=type=secret,env=)",
    ExecValidExitCode = "exec.validexitcode": "other exit codes than 0 as a success",
    FileBase = "file.base": "changes of files without a process (BuildKit 0.5 has them)",
    FileRmWildcard = "file.rm.wildcard": "removing files by pattern",
    FileCopyIncludeExcludePatterns = "file.copy.includeexcludepatterns":
        "patterns of files to copy (COPY --exclude, --parents)",
    FileCopyRequiredPaths = "file.copy.requiredpaths":
        "copies that must find something for each pattern (COPY --parents)",
    FileRmNoFollowSymlink = "file.rm.nofollowsymlink": "removing symbolic links themselves",
    FileCopyAlwaysReplaceExistingDestPaths = "file.copy.alwaysreplaceexistingdestpaths":
        "copies that replace what is in their place",
    FileCopyModeString = "file.copy.modestring": "modes in letters (COPY --chmod=u=rwX)",
    FileSymlinkCreate = "file.symlink.create": "making symbolic links",
    Constraints = "constraints": "conditions on workers",
    Platform = "platform": "platforms",
    MetaIgnoreCache = "meta.ignorecache": "steps that do not use the cache (--no-cache)",
    MetaDescription = "meta.description": "descriptions of steps",
    MetaExportCache = "meta.exportcache": "which steps go into an exported cache",
    RemoteCacheGha = "cache.gha": "caches in GitHub (type=gha)",
    RemoteCacheS3 = "cache.s3": "caches in S3 (type=s3)",
    RemoteCacheAzBlob = "cache.azblob": "caches in Azure (type=azblob)",
    MergeOp = "mergeop": "merging file systems (COPY --link)",
    DiffOp = "diffop": "differences of file systems",
    PassthroughOp = "passthroughop": "steps that hand on what they get",
    Annotations = "exporter.image.annotations": "annotations of images",
    Attestations = "exporter.image.attestations": "attestations of images",
    SourceDateEpoch = "exporter.sourcedateepoch": "the time of what is made (SOURCE_DATE_EPOCH)",
    MultipleExporters = "exporter.multiple": "several outputs of one build",
    SessionExporter = "exporter.session": "outputs that the client makes",
    SourcePolicy = "source.policy": "rules about sources",
    SourcePolicySession = "source.policy.session": "rules about sources that the client decides on",
    GcFreeSpaceFilter = "gc.freespacefilter": "garbage collection by free space",
    HistoryFilters = "history.filter": "filters of the build history",
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
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (cap, _) = ALL.get(rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(*cap)
        })
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
    fn every_capability_has_words_of_its_own() {
        let words: std::collections::BTreeSet<_> = CapSet::all().iter().map(Cap::feature).collect();
        assert_eq!(words.len(), CapSet::all().iter().count());
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
