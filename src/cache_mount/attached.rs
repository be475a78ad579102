//! A container that mounts a cache mount, for as long as something works in it.

use std::collections::HashSet;
use std::time::Duration;

use super::program::System;
use super::records::{self, existing, list};
use super::remote::Remote;
use super::{CacheMount, CacheOwner, Error};
use crate::client::{Client, SolveRequest};
use crate::gateway::{
    Bridge, BuildResult, ContainerMount, ContainerRequest, ProcessRequest, Ref, SolveOptions,
};
use crate::llb::{Constraints, File, MakeDir, MarshalOptions, Network, Owner, Sharing, State};
use crate::oci::Platform;
use crate::session;

/// Where the cache mount is in the container.
pub(super) const MOUNT: &[u8] = b"/mnt";
/// The path of the program.
const PROGRAM: &str = "/solvekit-cache-mount";
/// How long the end of the build is waited for.
const GRACE: Duration = Duration::from_secs(10);

/// Starts the program beside the mount, and gives it to `work`.
pub(super) async fn attached<T>(
    client: &Client,
    mount: &CacheMount,
    work: impl AsyncFnOnce(&mut Remote) -> Result<T, Error>,
) -> Result<T, Error> {
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
    };
    let working = in_container(client, &bridge, mount, work);
    let worked = tokio::select! {
        biased;
        worked = working => worked,
        ended = &mut solve => return Err(ended.map_or_else(Error::Client, |_| lost())),
    };
    // The daemon ends the container with the build, also if this fails.
    let _ = bridge.return_result(&BuildResult::default()).await;
    let _ = tokio::time::timeout(GRACE, solve).await;
    if let Err(Error::InUse { record, .. }) = &worked {
        // A build could take the empty folder for the cache. If it cannot be removed, it is only
        // that.
        let _ = records::prune(client, record).await;
    }
    worked
}

fn lost() -> Error {
    Error::ProgramEnded { message: None }
}

async fn in_container<T>(
    client: &Client,
    bridge: &Bridge,
    mount: &CacheMount,
    work: impl AsyncFnOnce(&mut Remote) -> Result<T, Error>,
) -> Result<T, Error> {
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
    let cache = match mount.owner {
        None => ContainerMount::cache("/mnt", mount.daemon_id(), mount.sharing),
        Some(owner) => {
            let base = solved(bridge, &platform, folder_of(owner)).await?;
            ContainerMount::cache("/mnt", mount.daemon_id(), mount.sharing)
                .from_result(&base)
                .selecting("/cache")
        }
    };
    let mut request = ContainerRequest::on(&root);
    request.mounts.push(cache);
    request.network = Network::None;
    request.platform = Some(platform);
    let before = match mount.sharing {
        Sharing::Locked => None,
        _ => Some(existing(client, mount).await),
    };
    let container = bridge.container(&request).await?;
    if let Some(Ok(before)) = before {
        refuse_new(client, mount, before.into_iter().map(|it| it.record.id)).await?;
    }
    let mut process = ProcessRequest::new([PROGRAM]);
    process.input = true;
    let process = container.start(&process).await?;
    let mut remote = Remote::start(process, system).await?;
    let worked = work(&mut remote).await;
    remote.end().await;
    // The end of the build releases it otherwise.
    let _ = container.release().await;
    worked
}

/// Fails if the daemon has made another folder, because the mount was in use.
async fn refuse_new(
    client: &Client,
    mount: &CacheMount,
    before: impl Iterator<Item = String>,
) -> Result<(), Error> {
    let before: HashSet<String> = before.collect();
    let now = list(client).await?.into_iter();
    let mut new = now.filter(|it| mount.is(&it.daemon_id) && !before.contains(&it.record.id));
    match new.next() {
        None => Ok(()),
        Some(new) => Err(Error::InUse {
            id: mount.id.clone(),
            record: new.record.id,
        }),
    }
}

/// A root with nothing but the program.
fn program(system: &System, platform: &Platform) -> State {
    let file = File::new().make_file(PROGRAM, 0o755, system.program());
    let named = "[internal] a program that copies cache mounts";
    let constraints = Constraints::new().on(platform.clone()).named(named);
    State::scratch().file(file, constraints)
}

/// The folder that an instruction with an owner mounts: the same as the translator's, because the
/// daemon keeps a cache for each.
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
