//! Chooses the node of a pool for a build. Pure.
//!
//! Every client decides alone, from the loads that it has just seen. The choice must be the same
//! for all builds of a context, but must not send all clients to the same idle node.

use std::cmp::Reverse;

/// A node of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolNode<'a> {
    /// Its name. It must stay the same for the node's cache to be found again.
    pub name: &'a str,
    /// The number of builds that run on it.
    pub running: usize,
}

/// The number of builds that a node always accepts, even if others are idle: a second build of a
/// context should use the warm cache.
const ROOM: usize = 4;

/// Returns the index of the node for a build; `None` without nodes.
///
/// Nodes are ranked by rendezvous hashing of `key`, which identifies the context. The first node
/// gets the build. When half of its room is used, some builds go to the next node; when its room is
/// full, all do. The room is a quarter more than an equal share of the running builds, and at least
/// four. So
///
/// - a node that joins or leaves moves only its own share of the contexts,
/// - contexts that overflow do so to different nodes, because each has its own ranking,
/// - builds of one context that see the same loads do not overflow all at once: `draw`, a random
///   number of each build, decides which do.
///
/// ```
/// use solvekit::spread::{PoolNode, pool_node};
///
/// let nodes = ["a", "b", "c"].map(|name| PoolNode { name, running: 0 });
/// let first = pool_node(&nodes, "git.test/app", 1);
/// assert_eq!(first, pool_node(&nodes, "git.test/app", 2));
/// ```
pub fn pool_node(nodes: &[PoolNode<'_>], key: &str, draw: u64) -> Option<usize> {
    let key = hash(key);
    let mut ranked: Vec<usize> = (0..nodes.len()).collect();
    ranked.sort_by_cached_key(|node| {
        let name = nodes[*node].name;
        (Reverse(mix(key ^ mix(hash(name)))), name)
    });
    let room = room(nodes);
    let mut draw = draw;
    let accepted = ranked.iter().find(|node| {
        draw = mix(draw);
        accepts(nodes[**node].running, room, draw)
    });
    let with_room = || ranked.iter().find(|node| nodes[**node].running < room);
    let chosen = accepted.or_else(with_room).or(ranked.first());
    chosen.copied()
}

/// Returns the number of builds that a node may have. At least one node has fewer.
fn room(nodes: &[PoolNode<'_>]) -> usize {
    let running = nodes.iter().map(|node| node.running);
    let all = running.fold(1_usize, usize::saturating_add);
    let share = all.saturating_add(all / 4).div_ceil(nodes.len().max(1));
    share.max(ROOM)
}

/// True if less than half of the room is used, and false if it is full. In between `draw` decides:
/// the fewer places are left, the more builds are rejected.
fn accepts(running: usize, room: usize, draw: u64) -> bool {
    let half = room / 2;
    if running < half || running >= room {
        return running < half;
    }
    // `draw` scaled to a number below `steps`.
    let (steps, left) = ((room - half + 1) as u128, (room - running) as u128);
    (u128::from(draw) * steps) >> 64 < left
}

/// FNV-1a. All clients must get the same result, in every version and on every machine.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Spreads the bits: the finalizer of SplitMix64.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests;
