//! `solvekit cache-mount`: copies the folders of `RUN --mount=type=cache` out of a daemon and into
//! it.

mod around;
mod export;
mod import;
mod ls;
mod rm;

use clap::builder::NonEmptyStringValueParser;
use solvekit::cache_mount::{CacheMount, CacheOwner};
use solvekit::llb::Sharing;

pub(crate) use around::{AroundArgs, NAMESPACE};

use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::{cache_mounts, complete, values};
use crate::cli::environment::Environment;
use crate::cli::interrupt;
use crate::cli::report::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct CacheMountArgs {
    #[command(subcommand)]
    command: CacheMountCommand,
}

#[derive(Debug, clap::Subcommand)]
enum CacheMountCommand {
    /// List the cache mounts of the daemon
    Ls(ls::LsArgs),
    /// Copy a cache mount to a folder, a tar archive or a registry
    Export(export::ExportArgs),
    /// Replace the content of a cache mount
    Import(import::ImportArgs),
    /// Remove a cache mount
    Rm(rm::RmArgs),
}

/// The flags that select a mount.
#[derive(Debug, clap::Args)]
struct MountArgs {
    /// The mount's id= in the Dockerfile, or its target= if it has none
    #[arg(
        long,
        value_name = "ID",
        value_parser = NonEmptyStringValueParser::new(),
        add = complete::cache_mounts()
    )]
    id: String,

    /// The namespace: the value of the build argument BUILDKIT_CACHE_MOUNT_NS
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    namespace: String,
}

/// The flags for mounting it during a copy.
#[derive(Debug, clap::Args)]
struct UseArgs {
    #[command(flatten)]
    mount: MountArgs,

    /// Share it with builds: locked waits until nobody uses it; shared does not wait for builds
    /// that share it; private fails if it is in use
    #[arg(
        long,
        value_name = "MODE",
        default_value = "locked",
        value_parser = cache_mounts::sharing
    )]
    sharing: Sharing,

    /// The uid= of the mount in the Dockerfile
    #[arg(long, value_name = "UID", value_parser = values::number::<u32>(0..=4_294_967_295, 1000))]
    uid: Option<u32>,

    /// The gid= of the mount in the Dockerfile
    #[arg(long, value_name = "GID", value_parser = values::number::<u32>(0..=4_294_967_295, 1000))]
    gid: Option<u32>,

    /// The mode= of the mount in the Dockerfile, in octal
    #[arg(long, value_name = "MODE", value_parser = values::octal)]
    mode: Option<u32>,
}

impl MountArgs {
    fn mount(&self) -> CacheMount {
        let mut mount = CacheMount::new(&self.id);
        mount.namespace.clone_from(&self.namespace);
        mount
    }
}

impl UseArgs {
    fn mount(&self) -> CacheMount {
        let mut mount = self.mount.mount();
        mount.sharing = self.sharing;
        if self.uid.is_some() || self.gid.is_some() || self.mode.is_some() {
            let default = CacheOwner::default();
            mount.owner = Some(CacheOwner {
                uid: self.uid.unwrap_or(default.uid),
                gid: self.gid.unwrap_or(default.gid),
                mode: self.mode.unwrap_or(default.mode),
            });
        }
        mount
    }
}

pub(crate) async fn cmd_cache_mount(
    args: CacheMountArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let cancelled = interrupt::token()?;
    match args.command {
        CacheMountCommand::Ls(args) => {
            interrupt::unless(&cancelled, ls::run(&args, connection, environment)).await
        }
        CacheMountCommand::Export(args) => {
            export::run(&args, connection, environment, &cancelled).await
        }
        CacheMountCommand::Import(args) => {
            import::run(&args, connection, environment, &cancelled).await
        }
        CacheMountCommand::Rm(args) => {
            interrupt::unless(&cancelled, rm::run(&args, connection, environment)).await
        }
    }
}
