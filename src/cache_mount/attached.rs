//! A container with a cache mount, for the duration of a copy.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::program::System;
use super::records::{self, folders, is_in_use};
use super::remote::Remote;
use super::{CacheMount, CacheMountRecord, CacheOwner, Error};
use crate::client::{Client, SolveRequest};
use crate::gateway::{
    Bridge, BuildResult, ContainerMount, ContainerRequest, ProcessRequest, Ref, SolveOptions,
};
use crate::llb::{Constraints, File, MakeDir, MarshalOptions, Network, Owner, Sharing, State};
use crate::oci::Platform;
use crate::session;

/// The path of the cache mount in the container.
pub(super) const MOUNT: &[u8] = b"/mnt";
/// The path of the program.
const PROGRAM: &str = "/solvekit-cache-mount";
/// The time to wait for the end of cancelled work.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// The use of a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To read its content: a new folder is useless.
    Read,
    /// To fill it; a new folder is fine.
    Fill,
}

/// A requested mount, and its folders in the daemon before the container starts.
pub(super) struct Wanted<'a> {
    pub(super) mount: &'a CacheMount,
    pub(super) purpose: Purpose,
    /// The mount's folders.
    pub(super) known: Vec<CacheMountRecord>,
}

/// How a copy ends after a cancellation.
pub(super) struct Stop<'a> {
    pub(super) cancelled: &'a CancellationToken,
    /// The time that the work in the container gets to tidy up.
    pub(super) grace: Duration,
}

/// The result of work in a mount.
#[derive(Debug)]
pub(super) struct Done<T> {
    pub(super) value: T,
    /// The record of the folder; `None` if several are possible.
    pub(super) record: Option<String>,
}

/// Starts the program in a container with the mount, and passes it to `work`. Callers must not drop
/// it before its end: if the daemon creates the container after the end of the build, the mount is
/// in use forever.
pub(super) async fn attached<T>(
    client: &Client,
    wanted: Wanted<'_>,
    stop: Stop<'_>,
    work: impl AsyncFnOnce(&mut Remote) -> Result<T, Error>,
) -> Result<Done<T>, Error> {
    let build_ref = session::new_id()?;
    let request = SolveRequest {
        build_ref: build_ref.clone(),
        internal: true,
        ..SolveRequest::default()
    };
    let solve = client.solve(request);
    tokio::pin!(solve);
    let bridge = tokio::select! {
        ended = &mut solve => return Err(ended.map_or_else(Error::Client, |_| lost())),
        opened = Bridge::open(client, &build_ref) => opened?,
        () = stop.cancelled.cancelled() => return Err(INTERRUPTED),
    };
    let mut created = None;
    let working = in_container(client, &bridge, &wanted, &stop, &mut created, work);
    let worked = tokio::select! {
        biased;
        worked = working => worked,
        ended = &mut solve => return Err(ended.map_or_else(Error::Client, |_| lost())),
    };
    // The work has waited for the container already.
    bridge.settle(Duration::ZERO).await;
    // The daemon ends the container with the build, even if this fails.
    let _ = bridge.return_result(&BuildResult::default()).await;
    let _ = tokio::time::timeout(GRACE, solve).await;
    if let (Err(_), Some(record)) = (&worked, created) {
        // A build or the next copy could take the empty folder for the cache. If it cannot be
        // removed, it does no other harm.
        let _ = records::prune(client, &record).await;
    }
    if let (Purpose::Fill, Ok(done)) = (wanted.purpose, &worked)
        && let Some(record) = &done.record
    {
        free(client, record).await;
    }
    worked
}

/// Waits until the daemon has released a folder: the build that follows would get an empty one in
/// its place.
async fn free(client: &Client, record: &str) {
    let deadline = Instant::now() + GRACE;
    while let Ok(true) = is_in_use(client, record).await {
        if Instant::now() > deadline {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub(super) const INTERRUPTED: Error = Error::Interrupted { left_behind: false };

/// Waits for work, and after a cancellation only for `grace`.
pub(super) async fn until<T>(
    cancelled: &CancellationToken,
    grace: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return Some(done),
        () = cancelled.cancelled() => {}
    }
    tokio::time::timeout(grace, work).await.ok()
}

fn lost() -> Error {
    Error::ProgramEnded { message: None }
}

async fn in_container<T>(
    client: &Client,
    bridge: &Bridge,
    wanted: &Wanted<'_>,
    stop: &Stop<'_>,
    created: &mut Option<String>,
    work: impl AsyncFnOnce(&mut Remote) -> Result<T, Error>,
) -> Result<Done<T>, Error> {
    let workers = bridge.workers().iter();
    let mut platforms = workers.flat_map(|worker| &worker.platforms);
    let platform = platforms.next().cloned().unwrap_or_else(Platform::host);
    let system = match platform.os.as_str() {
        "linux" => System::of(&platform.architecture),
        _ => None,
    };
    let system = system.ok_or_else(|| Error::Platform {
        platform: platform.to_string(),
        supported: System::architectures(),
    })?;
    let root = solved(bridge, &platform, program(system, &platform)).await?;
    let cancelled = stop.cancelled;
    let mut cache = ContainerMount::cache("/mnt", wanted.daemon_id(), wanted.mount.sharing);
    if let Some(owner) = wanted.mount.owner {
        let base = solved(bridge, &platform, folder_of(owner)).await?;
        cache = cache.from_result(&base).selecting("/cache");
    }
    let mut request = ContainerRequest::on(&root);
    request.mounts.push(cache);
    request.network = Network::None;
    request.platform = Some(platform);
    // Waiting for a mount that a build uses ends at once. Otherwise the container is awaited even
    // after a cancellation, so that an empty folder is not left behind.
    let grace = match wanted.is_taken() {
        true => Duration::ZERO,
        false => GRACE,
    };
    let container = until(cancelled, grace, bridge.container(&request)).await;
    let container = container.ok_or(INTERRUPTED)??;
    let mut begun = false;
    let working = async {
        let now = folders(client, wanted.mount).await?;
        let new = now.iter().find(|it| is_for(it, container.id()));
        *created = new.map(|it| it.record.id.clone());
        if let Some(new) = new {
            wanted.check_new(new)?;
        }
        let record = wanted.used(&now, new);
        let mut process = ProcessRequest::new([PROGRAM]);
        process.input = true;
        let process = container.start(&process).await?;
        let mut remote = Remote::start(process, system).await?;
        begun = true;
        let worked = work(&mut remote).await;
        remote.end().await;
        worked.map(|value| Done { value, record })
    };
    let worked = until(cancelled, stop.grace, working).await;
    // If this fails, the end of the build releases it.
    let _ = container.release().await;
    worked.unwrap_or(Err(Error::Interrupted {
        left_behind: begun && !stop.grace.is_zero(),
    }))
}

impl Wanted<'_> {
    /// True if the container has to wait for a build that uses the mount.
    fn is_taken(&self) -> bool {
        let mut known = self.known.iter();
        self.mount.sharing == Sharing::Locked && known.any(|it| it.record.in_use)
    }

    /// The mount's name in the daemon. Other tools may have created it without the slash.
    fn daemon_id(&self) -> String {
        let own = self.mount.daemon_id();
        let mut known = self.known.iter().map(|it| &it.daemon_id);
        match known.any(|it| *it == own) {
            true => own,
            false => self.known.first().map_or(own, |it| it.daemon_id.clone()),
        }
    }

    /// Fails if the daemon has created a folder for this container although it should not: the
    /// mount is in use, or its folders have other owners.
    fn check_new(&self, new: &CacheMountRecord) -> Result<(), Error> {
        let (id, record) = (self.mount.id.clone(), new.record.id.clone());
        let mut known = self.known.iter();
        // Folders with the same parent have the same owner.
        let has_same = known.any(|it| it.record.parents == new.record.parents);
        match (has_same, self.purpose) {
            (true, _) if self.mount.sharing != Sharing::Locked => Err(Error::InUse { id, record }),
            (_, Purpose::Read) => Err(Error::OtherFolder { id, record }),
            (_, Purpose::Fill) => Ok(()),
        }
    }

    /// Returns the record of the container's folder.
    fn used(&self, now: &[CacheMountRecord], new: Option<&CacheMountRecord>) -> Option<String> {
        let was_in_use = |record: &CacheMountRecord| {
            let mut known = self.known.iter();
            known.any(|it| it.record.id == record.record.id && it.record.in_use)
        };
        let mut free = now.iter().filter(|it| it.record.in_use && !was_in_use(it));
        let found = new.or_else(|| free.next().filter(|_| free.next().is_none()));
        found.map(|it| it.record.id.clone())
    }
}

/// True if the daemon has created the folder for the container.
fn is_for(record: &CacheMountRecord, container: &str) -> bool {
    record.record.description.contains(container)
}

/// A root file system with only the program.
fn program(system: &System, platform: &Platform) -> State {
    let file = File::new().make_file(PROGRAM, 0o755, system.program());
    let named = "[internal] a program that copies cache mounts";
    let constraints = Constraints::new().on(platform.clone()).named(named);
    State::scratch().file(file, constraints)
}

/// The base folder for a mount with an owner: the same as the translator's, because the daemon
/// keeps a separate cache for each base.
fn folder_of(owner: CacheOwner) -> State {
    let dir = MakeDir {
        owner: Some(Owner::ids(owner.uid, owner.gid)),
        ..MakeDir::default()
    };
    let file = File::new().make_dir("/cache", owner.mode, dir);
    let named = "[internal] setting cache mount permissions";
    State::scratch().file(file, Constraints::new().named(named))
}

async fn solved(bridge: &Bridge, platform: &Platform, state: State) -> Result<Ref, Error> {
    let options = MarshalOptions {
        platform: platform.clone().into(),
        ..MarshalOptions::default()
    };
    let definition = state.marshal(&options)?;
    let options = SolveOptions {
        evaluate: true,
        ..SolveOptions::default()
    };
    Ok(bridge.solve(&definition, &options).await?)
}
