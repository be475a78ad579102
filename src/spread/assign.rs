//! Which node builds which platform. Pure: what the nodes say of themselves in, parts of the build out.

use std::cmp::Reverse;

use crate::oci::{Digest, Platform, PlatformMatcher};

/// What is known of a node before platforms are put on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// The platforms that it was given by the user (`create --platform`).
    pub given: Vec<Platform>,
    /// The platforms that its BuildKit says it builds for, its machine's own first.
    pub said: Vec<Platform>,
    /// How many builds run on it.
    pub running: usize,
    /// Its name, for being chosen again.
    pub name: String,
}

/// How well a node serves a platform; the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fit {
    /// Its machine runs programs of this platform itself.
    Native,
    /// Its machine has an emulator for it.
    Emulated,
    /// It does not say that it could run them: steps that run on another platform work, others fail.
    Unknown,
}

/// What is asked of an assignment besides the platforms.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules<'a> {
    /// All platforms are to be on one node: what is made of them is made by one daemon.
    pub together: bool,
    /// Where steps are not to be emulated, a native node goes before one that the user gave the platform.
    pub require_native: bool,
    /// Equal nodes are told apart by this, always in the same way: what is built of one context finds its cache again.
    pub context: &'a str,
}

/// The platforms that one node builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The node, by its place among the offers.
    pub node: usize,
    /// Its platforms in the order of the request, each with how well it is served; none is the node's own.
    pub platforms: Vec<(Platform, Fit)>,
}

/// Puts platforms on nodes: each on a node that it was given to (`create --platform`), else on one that runs it natively, else on
/// one that emulates it, else on any. Of nodes that are equal for it the one with the fewest running builds takes it, then always
/// the same for a context; so platforms that several nodes serve alike stay together, and share their steps.
///
/// Without platforms the build is for the first node's own, on one of those of that kind. The shares are in the order of the platforms;
/// there are none when there are no nodes.
///
/// ```
/// use solvekit::oci::Platform;
/// use solvekit::spread::{Offer, Rules, assign};
///
/// let offer = |said: &[&str]| Offer {
///     said: said.iter().map(|text| Platform::parse(text).unwrap()).collect(),
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
    let order = order(offers, rules.context);
    if platforms.is_empty() {
        return own_platform(offers, &order).into_iter().collect();
    }
    if rules.together {
        return on_one(platforms, offers, &order, rules)
            .into_iter()
            .collect();
    }
    let mut shares: Vec<Share> = Vec::new();
    for platform in platforms {
        let best = order
            .iter()
            .min_by_key(|node| rank(platform, offers[**node], rules));
        let Some(&node) = best else { continue };
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

/// How well a node serves a platform.
pub fn fit(platform: &Platform, offer: &Offer) -> Fit {
    let native = offer.said.first();
    if native.is_some_and(|native| PlatformMatcher::runs(native, platform)) {
        return Fit::Native;
    }
    // What the user says of a node counts as much as what it says itself.
    match lists(&offer.said, platform) || lists(&offer.given, platform) {
        true => Fit::Emulated,
        false => Fit::Unknown,
    }
}

pub(super) fn lists(platforms: &[Platform], wanted: &Platform) -> bool {
    let serves = |listed: &Platform| PlatformMatcher::only(listed).matches(wanted);
    platforms.iter().any(serves)
}

/// The less the better: whether the user gave the platform to the node, and how well it serves it.
fn rank(platform: &Platform, offer: &Offer, rules: &Rules<'_>) -> (Fit, bool, Fit, bool) {
    let fit = fit(platform, offer);
    let is_given = offer.given.iter().any(|given| is_kind_of(platform, given));
    // A machine that is native for a later version of its processor may not have that.
    let is_unsaid = !lists(&offer.said, platform);
    match (is_given, rules.require_native) {
        (true, false) => (Fit::Native, false, fit, is_unsaid),
        _ => (fit, !is_given, fit, is_unsaid),
    }
}

/// The same processor, in a version that runs the platform's programs.
fn is_kind_of(platform: &Platform, given: &Platform) -> bool {
    let (wanted, given) = (platform.normalized(), given.normalized());
    wanted.architecture == given.architecture && PlatformMatcher::only(&given).matches(&wanted)
}

/// The nodes, those first that take a build that any could take.
fn order(offers: &[&Offer], context: &str) -> Vec<usize> {
    let weight = |offer: &Offer| {
        let text = format!("{context}\n{}", offer.name);
        Digest::sha256(text.as_bytes()).to_string()
    };
    let mut order: Vec<usize> = (0..offers.len()).collect();
    // The highest weight of a context moves only when its own node goes.
    order.sort_by_cached_key(|node| (offers[*node].running, Reverse(weight(offers[*node]))));
    order
}

fn own_platform(offers: &[&Offer], order: &[usize]) -> Option<Share> {
    let own = |offer: &Offer| offer.said.first().map(Platform::normalized);
    let first = own(offers.first()?);
    let node = order.iter().find(|node| own(offers[**node]) == first)?;
    Some(Share {
        node: *node,
        platforms: Vec::new(),
    })
}

/// The node on which the platform that is served worst is served best.
fn on_one(
    platforms: &[Platform],
    offers: &[&Offer],
    order: &[usize],
    rules: &Rules<'_>,
) -> Option<Share> {
    let node = *order.iter().min_by_key(|node| {
        let mut ranks: Vec<_> = platforms
            .iter()
            .map(|platform| rank(platform, offers[**node], rules))
            .collect();
        ranks.sort_by_key(|(_, _, fit, _)| Reverse(*fit));
        let fits: Vec<Fit> = ranks.iter().map(|(_, _, fit, _)| *fit).collect();
        (fits, ranks)
    })?;
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
