//! Plans the platforms of each node, before anything is solved.

use super::assign::lists;
use super::error::names;
use super::part::together;
use super::{Error, Fit, Nodes, Offer, Rules, Share, Silent, assign};
use crate::oci::Platform;
use crate::pipeline::Prepared;

/// The platforms of a build on their nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The platforms of each node.
    pub shares: Vec<Share>,
    /// The result that one daemon must create, if that is why one node builds everything.
    pub together: Option<String>,
}

impl Nodes {
    /// Assigns the platforms of a build to nodes. A result that only one daemon can create, such as
    /// an archive, is built on the node that serves all platforms best.
    ///
    /// # Errors
    /// If no node is left for a platform, or no single node can build a result that cannot be
    /// combined from parts.
    pub fn plan(&self, prepared: &Prepared, silent: Vec<Silent>) -> Result<Plan, Error> {
        self.plan_for(prepared, &prepared.request().platforms, silent)
    }

    /// The same for some platforms of the build.
    pub(super) fn plan_for(
        &self,
        prepared: &Prepared,
        platforms: &[Platform],
        silent: Vec<Silent>,
    ) -> Result<Plan, Error> {
        let request = prepared.request();
        let context = prepared.context_key();
        let mut rules = Rules {
            together: false,
            require_native: request.require_native,
            context: &context,
            placement: self.placement,
            draw: self.draw,
        };
        let mut shares = assign(platforms, self.all.iter().map(|it| &it.offer), &rules);
        let mut whole = None;
        if shares.len() > 1
            && let Some(what) = together(request)
        {
            rules.together = true;
            shares = assign(platforms, self.all.iter().map(|it| &it.offer), &rules);
            whole = Some(what);
        }
        if shares.is_empty() {
            return Err(Error::NoNode { silent });
        }
        let unknown: Vec<Platform> = shares.iter().flat_map(unknown).cloned().collect();
        if let (Some(what), [only], false) = (&whole, shares.as_slice(), unknown.is_empty()) {
            return Err(Error::NotTogether {
                what: what.clone(),
                node: self.node(only).name.clone(),
                missing: unknown,
            });
        }
        // If all nodes answer, one that does not list the platform is tried anyway.
        if !unknown.is_empty() && !silent.is_empty() {
            return Err(Error::Unserved {
                platforms: unknown,
                silent,
            });
        }
        let several = shares.len() > 1;
        let pushes = request.outputs.iter().any(crate::pipeline::Output::pushes);
        let mut nodes = shares.iter().map(|share| &self.all[share.node]);
        match nodes.find(|it| several && pushes && !it.pushes_untagged) {
            Some(it) => Err(Error::EngineCannotPush {
                node: it.node.name.clone(),
            }),
            None => Ok(Plan {
                shares,
                together: whole,
            }),
        }
    }

    /// Describes a plan in one line; `None` if there was no choice.
    pub(super) fn describe(&self, plan: &Plan) -> Option<String> {
        if self.all.len() == 1 {
            return None;
        }
        let shares = plan.shares.iter().map(|share| {
            let name = &self.node(share).name;
            match share.platforms.as_slice() {
                [] => format!("building on the node {name}"),
                platforms => {
                    let shown = shown(platforms, &self.all[share.node].offer);
                    format!("{shown} on {name}")
                }
            }
        });
        let mut text = shares.collect::<Vec<_>>().join("; ");
        if let Some(what) = &plan.together {
            text.push_str(&format!(": {what} is made by one daemon"));
        }
        Some(text)
    }
}

fn unknown(share: &Share) -> impl Iterator<Item = &Platform> {
    let unknown = share
        .platforms
        .iter()
        .filter(|(_, fit)| *fit == Fit::Unknown);
    unknown.map(|(platform, _)| platform)
}

fn shown(platforms: &[(Platform, Fit)], offer: &Offer) -> String {
    let shown = platforms.iter().map(|(platform, fit)| match fit {
        Fit::Native => platform.to_string(),
        Fit::Emulated if !lists(&offer.reported, platform) => format!("{platform} (given)"),
        Fit::Emulated => format!("{platform} (emulated)"),
        Fit::Unknown => format!("{platform} (without an emulator)"),
    });
    shown.collect::<Vec<_>>().join(", ")
}

impl Share {
    /// Returns the platforms without their fits.
    pub fn platforms(&self) -> Vec<Platform> {
        let platforms = self.platforms.iter();
        platforms.map(|(platform, _)| platform.clone()).collect()
    }

    /// Returns the platforms in one line.
    pub(super) fn names(&self) -> String {
        names(&self.platforms())
    }
}
