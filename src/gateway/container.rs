//! Containers on file systems of a build, to run programs in: [`Bridge::container`].

use std::ops::Range;

use bytes::Bytes;

use super::files::{file_range, invalid_stat};
use super::process::{self, Process, ProcessRequest};
use super::{Bridge, Error, FileInfo, Ref, caps};
use crate::client::{Failure, failed, platform_to_proto};
use crate::llb::{HostIp, Network, Secret, Sharing, SshSocket};
use crate::oci::Platform;
use crate::proto::moby::buildkit::v1::frontend as proto;
use crate::proto::pb;
use crate::session;

/// A container to create. [`ContainerRequest::on`] has one file system.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ContainerRequest {
    /// The mounts; one target must be `/`.
    pub mounts: Vec<ContainerMount>,
    /// The network of its processes.
    pub network: Network,
    /// The platform of its programs; `None` is the daemon's own.
    pub platform: Option<Platform>,
    /// The name of its machine; empty for the daemon's default.
    pub hostname: String,
    /// Lines of `/etc/hosts`.
    pub extra_hosts: Vec<HostIp>,
}

/// A file system in a container.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerMount(pb::Mount);

/// A container in the daemon. The first process is its main process: when it ends, the others end
/// too. All processes also end when one of them fails, and then no other can be started.
///
/// The daemon keeps the container until [`Container::release`], or until the build ends.
#[derive(Debug)]
pub struct Container {
    bridge: Bridge,
    id: String,
}

impl ContainerRequest {
    /// A container whose root is a result. Files that its processes write are lost with it.
    pub fn on(root: &Ref) -> Self {
        Self {
            mounts: vec![ContainerMount::bind("/", root)],
            ..Self::default()
        }
    }
}

impl ContainerMount {
    /// A writable mount of a result.
    pub fn bind(target: impl Into<String>, result: &Ref) -> Self {
        Self::result(target, result.id())
    }

    /// A mount of a result, given by its id in the daemon, for example one of
    /// [`OperationDetail::mount_ids`](crate::client::OperationDetail).
    pub fn result(target: impl Into<String>, id: &str) -> Self {
        Self(pb::Mount {
            dest: target.into(),
            result_id: id.to_owned(),
            ..Default::default()
        })
    }

    /// A cache mount of the daemon.
    pub fn cache(target: impl Into<String>, id: impl Into<String>, sharing: Sharing) -> Self {
        let sharing = match sharing {
            Sharing::Shared => pb::CacheSharingOpt::Shared,
            Sharing::Private => pb::CacheSharingOpt::Private,
            Sharing::Locked => pb::CacheSharingOpt::Locked,
        };
        let cache = pb::CacheOpt {
            id: id.into(),
            sharing: sharing.into(),
        };
        Self(pb::Mount {
            cache_opt: Some(cache),
            ..mount(target, pb::MountType::Cache)
        })
    }

    /// A file system in memory; 0 is the daemon's default size in bytes.
    pub fn tmpfs(target: impl Into<String>, size: i64) -> Self {
        Self(pb::Mount {
            tmpfs_opt: Some(pb::TmpfsOpt { size }),
            ..mount(target, pb::MountType::Tmpfs)
        })
    }

    /// A secret of the session as a file.
    pub fn secret(target: impl Into<String>, secret: &Secret) -> Self {
        let options = pb::SecretOpt {
            id: secret.id.clone(),
            uid: secret.uid,
            gid: secret.gid,
            mode: secret.mode,
            optional: secret.optional,
        };
        Self(pb::Mount {
            secret_opt: Some(options),
            ..mount(target, pb::MountType::Secret)
        })
    }

    /// The socket of an SSH agent of the session.
    pub fn ssh(socket: &SshSocket) -> Self {
        let options = pb::SshOpt {
            id: socket.id.clone(),
            uid: socket.uid,
            gid: socket.gid,
            mode: socket.mode,
            optional: socket.optional,
        };
        Self(pb::Mount {
            ssh_opt: Some(options),
            ..mount(socket.target.as_str(), pb::MountType::Ssh)
        })
    }

    /// Sets the initial content: a cache mount has a separate folder for each result, which starts
    /// as a copy of it.
    #[must_use]
    pub fn from_result(mut self, result: &Ref) -> Self {
        self.0.result_id = result.id().to_owned();
        self
    }

    /// Mounts only this path of the result.
    #[must_use]
    pub fn selecting(mut self, path: impl Into<String>) -> Self {
        self.0.selector = path.into();
        self
    }

    /// Makes the mount read-only.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.0.readonly = true;
        self
    }

    /// Returns the path in the container.
    pub fn target(&self) -> &str {
        &self.0.dest
    }

    /// Copies the mount of a step, with a result instead of its input.
    pub(crate) fn of_step(mount: &pb::Mount, result_id: &str) -> Self {
        Self(pb::Mount {
            dest: mount.dest.clone(),
            selector: mount.selector.clone(),
            readonly: mount.readonly,
            mount_type: mount.mount_type,
            tmpfs_opt: mount.tmpfs_opt,
            cache_opt: mount.cache_opt.clone(),
            secret_opt: mount.secret_opt.clone(),
            ssh_opt: mount.ssh_opt.clone(),
            result_id: result_id.to_owned(),
            ..Default::default()
        })
    }
}

fn mount(target: impl Into<String>, kind: pb::MountType) -> pb::Mount {
    pb::Mount {
        dest: target.into(),
        mount_type: kind.into(),
        ..Default::default()
    }
}

impl Bridge {
    /// Creates a container on results of this build. If the future is dropped, the container is
    /// released as soon as it is there.
    ///
    /// ```no_run
    /// # async fn example(bridge: solvekit::gateway::Bridge, base: solvekit::gateway::Ref)
    /// # -> Result<(), solvekit::gateway::Error> {
    /// use solvekit::gateway::{ContainerRequest, ProcessRequest};
    ///
    /// let container = bridge.container(&ContainerRequest::on(&base)).await?;
    /// let mut process = container.start(&ProcessRequest::new(["cat", "/etc/os-release"])).await?;
    /// while let Some(output) = process.next().await? {
    ///     println!("{}", String::from_utf8_lossy(&output.data));
    /// }
    /// println!("{:?}", process.exit());
    /// container.release().await
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::MissingCapability`] if the daemon has no such containers; [`Error::Client`] if a
    /// result cannot be computed or mounted.
    pub async fn container(&self, request: &ContainerRequest) -> Result<Container, Error> {
        let call = "creating a container";
        self.need(caps::EXEC).await?;
        if !request.extra_hosts.is_empty() {
            self.need(caps::EXEC_EXTRA_HOSTS).await?;
        }
        let network = match request.network {
            Network::Sandbox => pb::NetMode::Unset,
            Network::Host => pb::NetMode::Host,
            Network::None => pb::NetMode::None,
        };
        let hosts = request.extra_hosts.iter().map(|host| pb::HostIp {
            host: host.host.clone(),
            ip: host.ip.clone(),
        });
        let id = session::new_id()?;
        let message = proto::NewContainerRequest {
            container_id: id.clone(),
            mounts: request.mounts.iter().map(|mount| mount.0.clone()).collect(),
            network: network.into(),
            platform: request.platform.as_ref().map(platform_to_proto),
            extra_hosts: hosts.collect(),
            hostname: request.hostname.clone(),
            ..Default::default()
        };
        let bridge = self.clone();
        let creating = async move {
            let mut calls = bridge.calls();
            let created = calls.new_container(bridge.request(message)).await;
            created.map_err(failed(call))?;
            Ok(Container { bridge, id })
        };
        let release = |unwanted: Container| async move {
            // If this fails, the end of the build releases it.
            let _ = unwanted.release().await;
        };
        self.creations.run(creating, release).await
    }

    /// True if files of a container can be read without running a program in it.
    pub fn reads_containers(&self) -> bool {
        self.capabilities().has(caps::EXEC_FILES)
    }
}

impl Container {
    /// The id, which is part of the daemon's names for the container's folders.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Starts a process. The first one is the container's main process.
    ///
    /// # Errors
    /// [`Error::Client`] if the container is released. A program that cannot be started is an
    /// [exit](Process::exit) with a failure.
    pub async fn start(&self, request: &ProcessRequest) -> Result<Process, Error> {
        process::start(&self.bridge, &self.id, request).await
    }

    /// Reads a file of a mount, by the mount's index in the request.
    ///
    /// # Errors
    /// [`Error::MissingCapability`] for daemons before 0.29; [`Error::Client`] if it does not
    /// exist.
    pub async fn read_file(
        &self,
        mount: usize,
        path: &str,
        range: Option<Range<u64>>,
    ) -> Result<Bytes, Error> {
        self.bridge.need(caps::EXEC_FILES).await?;
        let message = proto::ReadFileRequest {
            r#ref: self.id.clone(),
            file_path: path.to_owned(),
            range: range.map(file_range),
            mount_index: index(mount),
        };
        let mut calls = self.bridge.calls();
        let answer = calls
            .read_file_container(self.bridge.request(message))
            .await;
        let answer = answer.map_err(failed("reading a file of a container"))?;
        Ok(answer.into_inner().data)
    }

    /// Returns the entries of a folder of a mount.
    ///
    /// # Errors
    /// As [`Container::read_file`].
    pub async fn read_dir(&self, mount: usize, path: &str) -> Result<Vec<FileInfo>, Error> {
        self.bridge.need(caps::EXEC_FILES).await?;
        let message = proto::ReadDirRequest {
            r#ref: self.id.clone(),
            dir_path: path.to_owned(),
            include_pattern: String::new(),
            mount_index: index(mount),
        };
        let mut calls = self.bridge.calls();
        let answer = calls.read_dir_container(self.bridge.request(message)).await;
        let answer = answer.map_err(failed("reading a folder of a container"))?;
        let entries = answer.into_inner().entries.into_iter();
        Ok(entries.map(FileInfo::from).collect())
    }

    /// Returns the metadata of a path of a mount; symbolic links are not followed.
    ///
    /// # Errors
    /// As [`Container::read_file`].
    pub async fn stat_file(&self, mount: usize, path: &str) -> Result<FileInfo, Error> {
        let call = "looking at a file of a container";
        self.bridge.need(caps::EXEC_FILES).await?;
        let message = proto::StatFileRequest {
            r#ref: self.id.clone(),
            path: path.to_owned(),
            mount_index: index(mount),
        };
        let mut calls = self.bridge.calls();
        let answer = calls
            .stat_file_container(self.bridge.request(message))
            .await;
        let stat = answer.map_err(failed(call))?.into_inner().stat;
        stat.map(FileInfo::from).ok_or_else(|| invalid_stat(call))
    }

    /// Removes the container and ends its processes.
    ///
    /// # Errors
    /// [`Error::Client`] if the call fails, or the build is over.
    pub async fn release(self) -> Result<(), Error> {
        let message = proto::ReleaseContainerRequest {
            container_id: self.id,
        };
        let mut calls = self.bridge.calls();
        let released = calls.release_container(self.bridge.request(message)).await;
        let released = released.map_err(failed("releasing a container"));
        match released {
            // The daemon also reports the exit code of a process, which the process has reported
            // already.
            Err(error) if error.failure().and_then(Failure::exit_code).is_some() => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(()),
        }
    }
}

fn index(mount: usize) -> i32 {
    i32::try_from(mount).unwrap_or(i32::MAX)
}
