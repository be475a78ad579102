//! Mistakes with images in registries, layouts and archives, and with logins.

use std::path::PathBuf;

use solvekit::registry;
use thiserror::Error;

use super::Advised;

#[derive(Debug, Error)]
pub(crate) enum ImageUsage {
    #[error("there is nothing to make an image of")]
    NoSource,
    #[error("the new image has no name")]
    NoName,
    #[error("there is a manifest list {0} already")]
    ListExists(String, String),
    #[error("there is no folder for manifest lists")]
    NoListFolder,
    #[error("there is no folder or file {0}")]
    NothingToPush(String),
    #[error("an archive is not written to a terminal")]
    ArchiveToTerminal,
    #[error("{} is a folder", .0.display())]
    ArchiveIsFolder(PathBuf),
    #[error("there is no terminal to ask for the name and the password at")]
    NoTerminal,
    #[error("{0} names no tag and no digest")]
    DeleteWhat(String),
    #[error(transparent)]
    NoDeleteOfTags(registry::Error),
    #[error(transparent)]
    NoDelete(registry::Error),
    #[error(transparent)]
    LoginRefused(registry::Error),
}

impl Advised for ImageUsage {
    fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::NoSource => "name at least one: solvekit imagetools create -t NAME SOURCE…",
            Self::NoName => "name it: -t REGISTRY/REPOSITORY:TAG; or look at it only: --dry-run",
            Self::ListExists(_, name) => {
                return Some(format!(
                    "add to it: --amend; or begin anew: solvekit manifest rm {name}"
                ));
            }
            Self::NoListFolder => "set HOME, or DOCKER_CONFIG to a folder",
            Self::NothingToPush(_) => {
                "what is pushed lies on this machine; from registry to registry: \
                 solvekit image copy SRC DST"
            }
            Self::ArchiveToTerminal => "give a file: -o FILE",
            Self::ArchiveIsFolder(path) => {
                return Some(format!(
                    "give a file; a layout in a folder is oci:{}",
                    path.display()
                ));
            }
            Self::DeleteWhat(name) => {
                return Some(format!(
                    "name what is to be removed: {name}:TAG or {name}@sha256:…"
                ));
            }
            Self::NoDeleteOfTags(_) => {
                "the registry may remove images by digest only; --by-digest removes the image with \
                 all its tags"
            }
            Self::NoDelete(_) => {
                "the registry does not remove images; its operator can turn that on"
            }
            Self::LoginRefused(_) => {
                "nothing was stored; check the name and the password (many registries want an \
                 access token in place of the password)"
            }
            Self::NoTerminal => "give them: solvekit login -u NAME --password-stdin SERVER < FILE",
        };
        Some(advice.to_owned())
    }

    fn in_buildx(&self) -> Option<String> {
        let words = match self {
            Self::NoSource => "no sources specified",
            Self::NoName => "can't push with no tags specified, please set --tag or --dry-run",
            _ => return None,
        };
        Some(words.to_owned())
    }
}
