//! Outputs that cannot go where they are to go.

use std::io;
use std::path::PathBuf;

use solvekit::client;
use solvekit::pipeline::PlaceError;
use thiserror::Error;

use super::Advised;

#[derive(Debug, Error)]
pub(crate) enum OutputUsage {
    #[error("stdout is a terminal; an archive cannot go there")]
    ArchiveToTerminal,
    #[error("--format pb is one graph, and several platforms are asked for")]
    SeveralGraphs,
    #[error("--format pb is binary, and stdout is a terminal")]
    GraphToTerminal,
    #[error("--iidfile is given, and the outputs are files, which have no image ID")]
    IdOfFiles,
    #[error("cannot write {}: {source}", .path.display())]
    Place {
        flag: &'static str,
        path: PathBuf,
        source: PlaceError,
    },
    #[error("cannot write {}: {source}", .path.display())]
    ResultFile { path: PathBuf, source: io::Error },
    #[error("there is no Docker engine to load the image into: {0}")]
    NoEngineToLoad(#[source] client::Error),
    #[error("images are to be loaded into the engines of several docker contexts")]
    SeveralEngines,
}

impl Advised for OutputUsage {
    fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::ArchiveToTerminal => {
                "redirect it with > file.tar or a pipe, or name a file: --output type=tar,dest=FILE"
            }
            Self::SeveralGraphs => "run it once for each platform",
            Self::GraphToTerminal => {
                "send it on: solvekit llb --format pb . | buildctl build --local context=."
            }
            Self::IdOfFiles => {
                "leave out --iidfile, or add an output that makes an image: --output type=image"
            }
            Self::Place { flag, .. } => return Some(format!("{flag} takes the path of a file")),
            Self::ResultFile { .. } => {
                "the work itself has succeeded; do it again with a path that can be written"
            }
            Self::NoEngineToLoad(_) => {
                "name one (DOCKER_HOST, docker context use), or write the image to a file: \
                 --output type=docker,dest=image.tar"
            }
            Self::SeveralEngines => {
                "load into one, and into the others with docker save and docker load"
            }
        };
        Some(advice.to_owned())
    }
}
