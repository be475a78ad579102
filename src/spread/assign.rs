//! Assigns platforms to nodes. Pure.

use std::cmp::Reverse;

use super::{Placement, PoolNode, pool_node};
use crate::oci::{Digest, Platform, PlatformMatcher};

/// A node's data for the assignment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// The platforms that the user set (`create --platform`).
    pub given: Vec<Platform>,
    /// The platforms that its BuildKit lists, its machine's own first.
    pub reported: Vec<Platform>,
    /// The number of builds that run on it.
    pub running: usize,
    /// True if it failed recently: others that serve a platform equally well are preferred.
    pub passed_over: bool,
    /// Its name, which makes the choice stable.
    pub name: String,
}

/// The quality of a node for a platform; the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fit {
    /// The node runs programs of this platform natively.
    Native,
    /// The node has an emulator for it.
    Emulated,
    /// The node does not list it: steps that run on another platform work, others fail.
    Unknown,
}

/// Constraints of an assignment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules<'a> {
    /// All platforms must be on one node, because one daemon must create the result.
    pub together: bool,
    /// Emulation is not allowed, so a native node is preferred to one that the user set for the
    /// platform.
    pub require_native: bool,
    /// Identifies the context: its builds go to the same node and find their cache again.
    pub context: &'a str,
    /// The choice among nodes that serve a platform equally well.
    pub placement: Placement,
    /// A number that is random for each build, for [`Placement::Pool`].
    pub draw: u64,
}

/// The platforms of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The node's index among the offers.
    pub node: usize,
    /// Its platforms in the order of the request, each with its fit; empty for the node's own
    /// platform.
    pub platforms: Vec<(Platform, Fit)>,
}

/// Assigns platforms to nodes. A platform goes to a node that the user set for it (`create
/// --platform`), else to a native one, else to one that emulates it, else to any. Among equal nodes
/// the placement decides, for all platforms in the same way. So platforms that several nodes serve
/// equally stay together and share their steps.
///
/// Without platforms the build is for the first node's own platform, on one of the nodes with that
/// platform. The shares are in the order of the platforms; without nodes there are none.
///
/// ```
/// use solvekit::oci::Platform;
/// use solvekit::spread::{Offer, Rules, assign};
///
/// let offer = |reported: &[&str]| Offer {
///     reported: reported.iter().map(|text| Platform::parse(text).unwrap()).collect(),
///     ..Offer::default()
/// };
/// let nodes = [offer(&["linux/amd64", "linux/arm64"]), offer(&["linux/arm64"])];
/// let platforms = ["linux/amd64", "linux/arm64"].map(|text| Platform::parse(text).unwrap());
/// let shares = assign(&platforms, &nodes, &Rules::default());
/// assert_eq!(shares[0].node, 0);
/// // The first node would only emulate it.
/// assert_eq!(shares[1].node, 1);
/// ```
pub fn assign<'a>(
    platforms: &[Platform],
    offers: impl IntoIterator<Item = &'a Offer>,
    rules: &Rules<'_>,
) -> Vec<Share> {
    let offers: &[&Offer] = &offers.into_iter().collect::<Vec<_>>();
    if platforms.is_empty() {
        return own_platform(offers, rules).into_iter().collect();
    }
    if rules.together {
        return on_one(platforms, offers, rules).into_iter().collect();
    }
    let mut shares: Vec<Share> = Vec::new();
    for platform in platforms {
        let best = best(offers, |offer| {
            (rank(platform, offer, rules), offer.passed_over)
        });
        let Some(node) = chosen(best, offers, rules) else {
            continue;
        };
        let entry = (platform.clone(), fit(platform, offers[node]));
        match shares.iter_mut().find(|share| share.node == node) {
            Some(share) => share.platforms.push(entry),
            None => shares.push(Share {
                node,
                platforms: vec![entry],
            }),
        }
    }
    shares
}

/// Returns the quality of a node for a platform.
pub fn fit(platform: &Platform, offer: &Offer) -> Fit {
    let native = offer.reported.first();
    if native.is_some_and(|native| PlatformMatcher::runs(native, platform)) {
        return Fit::Native;
    }
    // The user's platforms have the same weight as the node's own list.
    match lists(&offer.reported, platform) || lists(&offer.given, platform) {
        true => Fit::Emulated,
        false => Fit::Unknown,
    }
}

pub(super) fn lists(platforms: &[Platform], wanted: &Platform) -> bool {
    let serves = |listed: &Platform| PlatformMatcher::only(listed).matches(wanted);
    platforms.iter().any(serves)
}

/// Returns the rank of a node for a platform; lower is better. A platform that the user set counts
/// as native, unless the rules require native nodes.
fn rank(platform: &Platform, offer: &Offer, rules: &Rules<'_>) -> (Fit, bool, Fit, bool) {
    let fit = fit(platform, offer);
    let is_given = offer.given.iter().any(|given| is_kind_of(platform, given));
    // A machine that is native for a later version of its processor may not support that version.
    let is_unreported = !lists(&offer.reported, platform);
    match (is_given, rules.require_native) {
        (true, false) => (Fit::Native, false, fit, is_unreported),
        _ => (fit, !is_given, fit, is_unreported),
    }
}

/// True if the given platform has the same processor, in a version that runs the wanted platform's
/// programs.
fn is_kind_of(platform: &Platform, given: &Platform) -> bool {
    let (wanted, given) = (platform.normalized(), given.normalized());
    wanted.architecture == given.architecture && PlatformMatcher::only(&given).matches(&wanted)
}

/// Returns the nodes with the lowest rank.
fn best<R: Ord>(offers: &[&Offer], rank: impl Fn(&Offer) -> R) -> Vec<usize> {
    let ranks: Vec<R> = offers.iter().map(|offer| rank(offer)).collect();
    let lowest = ranks.iter().min();
    let nodes = (0..ranks.len()).filter(|node| Some(&ranks[*node]) == lowest);
    nodes.collect()
}

/// Returns the node that the placement chooses among equal nodes.
fn chosen(nodes: Vec<usize>, offers: &[&Offer], rules: &Rules<'_>) -> Option<usize> {
    match rules.placement {
        Placement::First => nodes.first().copied(),
        Placement::Idle => nodes.into_iter().min_by_key(|node| {
            let Offer { running, name, .. } = offers[*node];
            // Rendezvous hashing: among equally busy nodes a context moves only if its node is
            // gone.
            let text = format!("{}\n{name}", rules.context);
            (
                *running,
                Reverse(Digest::sha256(text.as_bytes()).to_string()),
            )
        }),
        Placement::Pool => {
            let pool = nodes.iter().map(|node| PoolNode {
                name: &offers[*node].name,
                running: offers[*node].running,
            });
            let pool: Vec<PoolNode<'_>> = pool.collect();
            let node = pool_node(&pool, rules.context, rules.draw)?;
            nodes.get(node).copied()
        }
    }
}

fn own_platform(offers: &[&Offer], rules: &Rules<'_>) -> Option<Share> {
    let own = |offer: &Offer| offer.reported.first().map(Platform::normalized);
    let first = own(offers.first()?);
    let nodes = best(offers, |offer| (own(offer) != first, offer.passed_over));
    Some(Share {
        node: chosen(nodes, offers, rules)?,
        platforms: Vec::new(),
    })
}

/// Returns the node whose worst-served platform is served best.
fn on_one(platforms: &[Platform], offers: &[&Offer], rules: &Rules<'_>) -> Option<Share> {
    let nodes = best(offers, |offer| {
        let ranks = platforms.iter().map(|it| rank(it, offer, rules));
        let mut ranks: Vec<_> = ranks.collect();
        ranks.sort_by_key(|(_, _, fit, _)| Reverse(*fit));
        let fits: Vec<Fit> = ranks.iter().map(|(_, _, fit, _)| *fit).collect();
        (fits, ranks, offer.passed_over)
    });
    let node = chosen(nodes, offers, rules)?;
    let entries = platforms
        .iter()
        .map(|platform| (platform.clone(), fit(platform, offers[node])));
    Some(Share {
        node,
        platforms: entries.collect(),
    })
}

#[cfg(test)]
mod tests;
