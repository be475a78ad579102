//! Names of the capabilities in the terms of people who write Dockerfiles.

use super::Cap;

impl Cap {
    /// Returns the feature's name, as in "BuildKit v0.13.2 does not know …".
    pub const fn feature(self) -> &'static str {
        use Cap::*;
        match self {
            SourceImage => "images as sources (FROM, COPY --from)",
            SourceImageResolveMode => "when to look an image up in its registry (--pull)",
            SourceImageLayerLimit => "images cut off after some layers",
            SourceImageChecksum => "images with a checksum",
            SourceLocal => "folders of the client",
            SourceLocalUnique => "ids of a client's folders",
            SourceLocalSessionId => "folders of a named session",
            SourceLocalIncludePatterns => "patterns of files to take from the client's folder",
            SourceLocalFollowPaths => "single paths out of the client's folder",
            SourceLocalExcludePatterns => "patterns of files to leave out (.dockerignore)",
            SourceLocalSharedKeyHint => "folders that are transferred only where they changed",
            SourceLocalDiffer => "how a folder is compared with an earlier transfer",
            SourceMetadataTransfer => "folders of which only the metadata is transferred",
            SourceGit => "git repositories",
            SourceGitKeepDir => {
                "the .git folder of repositories (ADD --keep-git-dir, \
                BUILDKIT_CONTEXT_KEEP_GIT_DIR)"
            }
            SourceGitFullUrl => "git repositories by their full URL",
            SourceGitHttpAuth => "credentials for git over HTTP",
            SourceGitKnownSshHosts => "the keys of git servers (known_hosts)",
            SourceGitMountSshSock => "SSH agents for git",
            SourceGitSubdir => "folders of git repositories",
            SourceGitChecksum => "git repositories with a checksum (ADD --checksum, ?checksum=)",
            SourceGitSkipSubmodules => {
                "git repositories without their submodules (?submodules=false)"
            }
            SourceGitSignatureVerify => "signatures of git commits",
            SourceGitMtime => {
                "the times of files from git (?mtime=, SOURCE_DATE_EPOCH with a git context)"
            }
            SourceGitFetchByCommit => {
                "git commits that no branch or tag leads to (?fetch-by-commit=)"
            }
            SourceGitBundle => "git bundles",
            SourceGitCheckoutBundle => "checking out git bundles",
            SourceHttp => "downloads (ADD of a URL)",
            SourceHttpAuth => "credentials for downloads",
            SourceHttpChecksum => "downloads with a checksum (ADD --checksum)",
            SourceHttpPerm => "the mode of downloads (ADD --chmod of a URL)",
            SourceHttpUidGid => "the owner of downloads (ADD --chown of a URL)",
            SourceHttpHeader => "headers of downloads",
            SourceHttpSignatureVerify => "signatures of downloads",
            SourceImageBlob => "single blobs of images",
            SourceOciLayout => "OCI layouts of the client",
            BuildOpLlbFileName => "nested builds from a file",
            ExecMetaBase => "RUN",
            ExecMetaCgroupParent => "the parent of RUN's control group (--cgroup-parent)",
            ExecMetaNetwork => "the network of RUN (--network)",
            ExecMetaNetworkProxy => "a proxy for RUN's network",
            ExecMetaProxy => "proxy variables (HTTP_PROXY and others as build arguments)",
            ExecMetaSecurity => "RUN --security",
            ExecMetaSecurityDevices => "devices for RUN --security=insecure",
            ExecMetaSetsDefaultPath => "its own default for PATH",
            ExecMetaUlimit => "limits of RUN's processes (--ulimit)",
            ExecMetaCdi => "devices for RUN (--device)",
            ExecMetaRemoveMountStubsRecursive => "removing the folders that mounts made",
            ExecMetaLinuxResources => "limits of RUN's memory and processors",
            ExecMountBind => "RUN --mount=type=bind",
            ExecMountBindReadWriteNoOutput => "RUN --mount=type=bind,rw whose changes are dropped",
            ExecMountCache => "RUN --mount=type=cache",
            ExecMountCacheSharing => {
                "how a cache mount is shared (RUN --mount=type=cache,sharing=)"
            }
            ExecMountSelector => "mounts of a part of a file system (RUN --mount=…,source=)",
            ExecMountTmpfs => "RUN --mount=type=tmpfs",
            ExecMountTmpfsSize => {
                "the size of a tmpfs mount (--shm-size, RUN --mount=type=tmpfs,size=)"
            }
            ExecMountSecret => "RUN --mount=type=secret",
            ExecMountSsh => "RUN --mount=type=ssh",
            ExecMountContentCache => "how the content of a mount is cached",
            ExecCgroupsMounted => "control groups inside RUN",
            ExecSecretEnv => "secrets as variables (RUN --mount=type=secret,env=)",
            ExecValidExitCode => "other exit codes than 0 as a success",
            FileBase => "changes of files without a process (BuildKit 0.5 has them)",
            FileRmWildcard => "removing files by pattern",
            FileCopyIncludeExcludePatterns => {
                "patterns of files to copy (COPY --exclude, --parents)"
            }
            FileCopyRequiredPaths => {
                "copies that must find something for each pattern (COPY --parents)"
            }
            FileRmNoFollowSymlink => "removing symbolic links themselves",
            FileCopyAlwaysReplaceExistingDestPaths => "copies that replace what is in their place",
            FileCopyModeString => "modes in letters (COPY --chmod=u=rwX)",
            FileSymlinkCreate => "making symbolic links",
            Constraints => "conditions on workers",
            Platform => "platforms",
            MetaIgnoreCache => "steps that do not use the cache (--no-cache)",
            MetaDescription => "descriptions of steps",
            MetaExportCache => "which steps go into an exported cache",
            RemoteCacheGha => "caches in GitHub (type=gha)",
            RemoteCacheS3 => "caches in S3 (type=s3)",
            RemoteCacheAzBlob => "caches in Azure (type=azblob)",
            MergeOp => "merging file systems (COPY --link)",
            DiffOp => "differences of file systems",
            PassthroughOp => "steps that hand on what they get",
            Annotations => "annotations of images",
            Attestations => "attestations of images",
            SourceDateEpoch => "the time of what is made (SOURCE_DATE_EPOCH)",
            MultipleExporters => "several outputs of one build",
            SessionExporter => "outputs that the client makes",
            SourcePolicy => "rules about sources",
            SourcePolicySession => "rules about sources that the client decides on",
            GcFreeSpaceFilter => "garbage collection by free space",
            HistoryFilters => "filters of the build history",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llb::CapSet;

    #[test]
    fn every_capability_has_words_of_its_own() {
        let words: std::collections::BTreeSet<_> = CapSet::all().iter().map(Cap::feature).collect();
        assert_eq!(words.len(), CapSet::all().iter().count());
    }
}
