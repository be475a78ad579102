//! ADD.

use super::super::error::Error;
use super::Step;
use super::transfer::{self, Expanded, Transfer};
use crate::dockerfile::AddInstruction;

/// Adds files of the context, git repositories and downloads from http(s) URLs.
pub(super) fn dispatch(step: &mut Step<'_, '_, '_>, add: &AddInstruction) -> Result<(), Error> {
    let chown = step.expand(add.chown.as_deref().unwrap_or_default())?;
    let chmod = step.expand(add.chmod.as_deref().unwrap_or_default())?;
    let checksum = step.expand(add.checksum.as_deref().unwrap_or_default())?;
    let Expanded {
        paths,
        inline,
        destination,
    } = Expanded::new(step, &add.sources)?;
    let transfer = Transfer {
        keyword: "ADD",
        paths,
        inline,
        destination,
        chown,
        chmod,
        exclude: &add.exclude,
        link: add.link,
        parents: false,
        checksum,
        keep_git_dir: add.keep_git_dir,
        unpack: add.unpack,
        from_context: true,
        source: step.scope.context.state(),
    };
    transfer::dispatch(step, &transfer)?;
    // Git sources count as paths of the context, as in the reference; http(s) URLs do not.
    for path in transfer
        .paths
        .iter()
        .filter(|path| !path.starts_with("http://") && !path.starts_with("https://"))
    {
        step.use_context_path(path);
    }
    Ok(())
}
