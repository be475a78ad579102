//! `--cache-mount-from` and `--cache-mount-to`: fills cache mounts before a build, and exports them
//! after it.

use std::io;

use solvekit::cache_mount::{Error, list};
use solvekit::client::Client;
use solvekit::progress::Mode;
use solvekit::registry::FailureKind;
use tokio_util::sync::CancellationToken;

use super::export::{counted, described, export_noting, holder};
use super::import::import_noting;
use crate::cli::args::cache_mounts::{Copied, Direction};
use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::interrupt::{self, EXIT_INTERRUPTED};
use crate::cli::report::usage::copy_failure;
use crate::cli::report::{Failure, display};

/// The build argument with the namespace of cache mounts' ids.
pub(crate) const NAMESPACE: &str = "BUILDKIT_CACHE_MOUNT_NS";

// The flags of `build` and `bake`.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = crate::cli::args::headings::CACHES)]
pub(crate) struct AroundArgs {
    /// Fill a cache mount before the build, if the daemon does not have it: id=ID, then
    /// ref=NAME (a registry) or src=PATH (a folder or tar archive)
    /// [,replace=true][,ignore-error=true][,sharing=…][,uid=…]; repeatable
    #[arg(long, value_name = "MOUNT")]
    cache_mount_from: Vec<String>,

    /// Copy a cache mount after the build: id=ID, then ref=NAME (a registry) or dest=PATH (a
    /// folder, .tar or .tar.gz)
    /// [,on-failure=true][,replace=true][,ignore-error=true][,sharing=…][,uid=…]; repeatable
    #[arg(long, value_name = "MOUNT")]
    cache_mount_to: Vec<String>,
}

impl AroundArgs {
    /// True if any mount is copied.
    pub(crate) fn is_asked_for(&self) -> bool {
        !(self.cache_mount_from.is_empty() && self.cache_mount_to.is_empty())
    }
}

/// The copies before and after a build.
#[derive(Debug)]
pub(crate) struct AroundBuild<'a> {
    from: Vec<Copied>,
    to: Vec<Copied>,
    registries: &'a RegistryArgs,
    environment: &'a Environment,
    mode: Mode,
}

impl AroundArgs {
    /// Parses the flags, for a build with this value of `BUILDKIT_CACHE_MOUNT_NS`.
    pub(crate) fn parse<'a>(
        &self,
        namespace: &str,
        mode: Mode,
        registries: &'a RegistryArgs,
        environment: &'a Environment,
    ) -> Result<AroundBuild<'a>, Failure> {
        let parse = |texts: &[String], direction| {
            let texts = texts.iter().filter(|text| !text.is_empty());
            let parsed = texts.map(|text| Copied::parse(text, direction, namespace));
            parsed.collect::<Result<Vec<_>, _>>()
        };
        Ok(AroundBuild {
            from: parse(&self.cache_mount_from, Direction::From)?,
            to: parse(&self.cache_mount_to, Direction::To)?,
            registries,
            environment,
            mode,
        })
    }
}

impl AroundBuild<'_> {
    fn say(&self, line: &str) {
        display::boot(self.mode, line);
    }

    /// Fills the mounts on all nodes that build. A missing source is not an error: the first build
    /// of a pipeline has none.
    pub(crate) async fn before(
        &self,
        clients: &[Client],
        cancelled: &CancellationToken,
    ) -> Result<(), Failure> {
        for copied in &self.from {
            for client in clients {
                match self.import(copied, client, cancelled).await {
                    Ok(()) => {}
                    Err(error) => match nothing_there(&error) {
                        Some(why) => self.say(&format!(
                            "the cache mount {:?} begins empty: {why} {}",
                            copied.mount.id, copied.place
                        )),
                        None => self.failed(copied, "import", error)?,
                    },
                }
            }
        }
        Ok(())
    }

    async fn import(
        &self,
        copied: &Copied,
        client: &Client,
        cancelled: &CancellationToken,
    ) -> Result<(), CopyError> {
        if !copied.replace && self.has(copied, client, cancelled).await? {
            let id = &copied.mount.id;
            self.say(&format!("the daemon has the cache mount {id:?} already"));
            return Ok(());
        }
        let input = copied.place.input(self.registries, self.environment)?;
        let say = |line: &str| self.say(line);
        let imported = import_noting(client, &copied.mount, input, &say, cancelled).await?;
        let counted = counted(&copied.mount, imported.entries, imported.bytes);
        self.say(&format!("imported {counted} from {}", copied.place));
        Ok(())
    }

    /// True if the daemon has the mount already: a folder with an owner if one is given, else one
    /// without.
    async fn has(
        &self,
        copied: &Copied,
        client: &Client,
        cancelled: &CancellationToken,
    ) -> Result<bool, CopyError> {
        let listing = async { list(client).await.map_err(copy_failure) };
        let known = interrupt::unless(cancelled, listing).await?;
        let mut known = known.iter().filter(|known| copied.mount.matches(known));
        Ok(known.any(|known| known.has_base == copied.mount.owner.is_some()))
    }

    /// [`AroundBuild::after`], unless the user interrupts the build.
    pub(crate) async fn unless_interrupted(
        &self,
        clients: Vec<Client>,
        is_built: bool,
        cancelled: &CancellationToken,
    ) -> Result<(), Failure> {
        match (cancelled.is_cancelled(), is_built) {
            (false, _) => self.after(clients, is_built, cancelled).await,
            (true, true) if !self.to.is_empty() => {
                Err(Failure::new("interrupted").code(EXIT_INTERRUPTED))
            }
            (true, _) => Ok(()),
        }
    }

    /// Exports the mounts. After a failed build only those with `on-failure`, and their errors
    /// become warnings.
    async fn after(
        &self,
        clients: Vec<Client>,
        is_built: bool,
        cancelled: &CancellationToken,
    ) -> Result<(), Failure> {
        for copied in &self.to {
            if !is_built && !copied.on_failure {
                continue;
            }
            match self.export(copied, clients.clone(), cancelled).await {
                Ok(()) => {}
                Err(CopyError::Mount(Error::NotFound { .. })) => self.say(&format!(
                    "WARNING: there is no cache mount {:?} to export; no step has used it",
                    copied.mount.id
                )),
                Err(error) if !is_built => self.warn(copied, "export", error.into()),
                Err(error) => self.failed(copied, "export", error)?,
            }
        }
        Ok(())
    }

    async fn export(
        &self,
        copied: &Copied,
        clients: Vec<Client>,
        cancelled: &CancellationToken,
    ) -> Result<(), CopyError> {
        let say = |line: &str| self.say(line);
        let finding = async {
            let found = holder(clients, &copied.mount, &say).await;
            found.map_err(copy_failure)
        };
        let client = interrupt::unless(cancelled, finding).await?;
        let place = &copied.place;
        let destination = place.destination(copied.replace, self.registries, self.environment)?;
        let exported = export_noting(&client, &copied.mount, destination, &say, cancelled).await?;
        let described = described(&copied.mount, &exported);
        self.say(&format!("exported {described} to {place}"));
        Ok(())
    }

    fn failed(&self, copied: &Copied, verb: &str, error: CopyError) -> Result<(), Failure> {
        let failure = Failure::from(error);
        if !copied.ignore_error || failure.exit_code() == EXIT_INTERRUPTED {
            let id = &copied.mount.id;
            return Err(failure.with_prefix(&format!("cannot {verb} the cache mount {id:?}")));
        }
        self.warn(copied, verb, failure);
        Ok(())
    }

    fn warn(&self, copied: &Copied, verb: &str, failure: Failure) {
        self.say(&format!(
            "WARNING: cannot {verb} the cache mount {:?}: {}",
            copied.mount.id,
            failure.message()
        ));
    }
}

/// Why a copy failed.
enum CopyError {
    Mount(Error),
    Setup(Failure),
}

impl From<Error> for CopyError {
    fn from(error: Error) -> Self {
        Self::Mount(error)
    }
}

impl From<Failure> for CopyError {
    fn from(failure: Failure) -> Self {
        Self::Setup(failure)
    }
}

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Mount(error) => copy_failure(error),
            CopyError::Setup(failure) => failure,
        }
    }
}

/// The reason why there is nothing to import, if that is the only problem. Some registries deny
/// access to images that do not exist.
fn nothing_there(error: &CopyError) -> Option<&'static str> {
    match error {
        CopyError::Mount(Error::Local { source, action, .. })
            if *action == "open" && source.kind() == io::ErrorKind::NotFound =>
        {
            Some("there is nothing at")
        }
        CopyError::Mount(Error::Registry(error)) if error.is_not_found() => {
            Some("there is nothing at")
        }
        CopyError::Mount(Error::Registry(error)) if error.kind() == Some(FailureKind::Denied) => {
            Some("it is missing, or access is denied:")
        }
        _ => None,
    }
}
