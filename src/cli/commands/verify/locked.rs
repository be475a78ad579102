//! Looks up the current digests of the names in a lock.

use futures_util::future::join_all;
use solvekit::lock::Lock;
use solvekit::oci::Reference;
use solvekit::registry::Client;

use crate::cli::report::verification::MovedName;

/// The most names that are looked up.
const MOST: usize = 64;

/// Returns the names whose digest differs from the lock, or that cannot be looked up. Names with a
/// digest cannot move.
pub(super) async fn moved(lock: &Lock, client: &Client) -> Vec<MovedName> {
    let names = lock.images().filter_map(|(name, image)| {
        let reference = Reference::parse(name).ok()?;
        let can_move = reference.digest().is_none();
        can_move.then_some((reference, image))
    });
    let asked = names.take(MOST).map(|(reference, image)| async move {
        let now = client.head(&reference).await.ok();
        MovedName {
            name: reference.familiar(),
            locked: image.digest.clone(),
            now: now.map(|descriptor| descriptor.digest),
        }
    });
    let mut names = join_all(asked).await;
    names.retain(|name| name.now.as_ref() != Some(&name.locked));
    names
}
