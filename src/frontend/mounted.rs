//! The secrets and SSH agents that the steps of a Dockerfile ask for.

use std::collections::BTreeSet;

use super::Job;
use super::job::Plan;
use crate::dockerfile::{Dockerfile, InstructionKind, MountType, parse_mount};

/// The ids of secrets and agents that steps mount.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MountedIds {
    pub(crate) secrets: BTreeSet<String>,
    pub(crate) agents: BTreeSet<String>,
}

impl Job {
    /// Returns the ids that its own steps mount; `None` if they are not known here: they depend on
    /// arguments, or another frontend reads the Dockerfile.
    pub(crate) fn mounted_ids(&self) -> Option<MountedIds> {
        match &self.plan {
            Plan::Here(parsed) => of(&parsed.dockerfile),
            Plan::Elsewhere(_) => None,
        }
    }
}

fn of(dockerfile: &Dockerfile) -> Option<MountedIds> {
    let mut ids = MountedIds::default();
    let stages = dockerfile.stages.iter();
    for instruction in stages.flat_map(|stage| &stage.instructions) {
        let InstructionKind::Run(run) = &instruction.kind else {
            continue;
        };
        for text in run.mounts.iter().map(|mount| &mount.text) {
            let mount = parse_mount(text, &mut |value| Ok(value.to_owned())).ok()?;
            if !matches!(mount.kind, MountType::Secret | MountType::Ssh) {
                continue;
            }
            if text.contains('$') {
                return None;
            }
            // As the translator does: without an id it is the source, or the target's last part.
            let target = mount.target.rsplit('/').next().unwrap_or_default();
            let names = [mount.source.as_str(), mount.id.as_str(), target];
            let id = names.into_iter().find(|name| !name.is_empty());
            match mount.kind {
                MountType::Secret => ids.secrets.insert(id.unwrap_or_default().to_owned()),
                _ if mount.id.is_empty() => ids.agents.insert("default".to_owned()),
                _ => ids.agents.insert(mount.id),
            };
        }
    }
    Some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Option<MountedIds> {
        of(&crate::dockerfile::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn ids_are_those_of_all_stages() {
        let found = ids(
            "FROM a\nRUN --mount=type=secret,id=one --mount=type=cache,target=/c true\nFROM b\n\
             RUN --mount=type=secret,target=/x/two --mount=type=ssh true\n\
             RUN --mount=type=ssh,id=key true\n",
        )
        .unwrap();
        assert_eq!(found.secrets, ["one", "two"].map(str::to_owned).into());
        assert_eq!(found.agents, ["default", "key"].map(str::to_owned).into());
    }

    #[test]
    fn ids_that_depend_on_arguments_are_unknown() {
        assert_eq!(
            ids("FROM a\nARG I\nRUN --mount=type=secret,id=$I true\n"),
            None
        );
        let of_cache = "FROM a\nARG I\nRUN --mount=type=cache,target=/$I true\n";
        assert_eq!(ids(of_cache), Some(MountedIds::default()));
    }
}
