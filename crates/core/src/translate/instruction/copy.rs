//! COPY.

use std::borrow::Cow;

use super::super::error::Error;
use super::super::reason::Reason;
use super::Step;
use super::transfer::{self, Expanded, Transfer};
use crate::dockerfile::CopyInstruction;

/// Copies from the context, or from the stage or image of `--from`.
pub(super) fn dispatch(step: &mut Step<'_, '_, '_>, copy: &CopyInstruction) -> Result<(), Error> {
    let chown = step.expand(copy.chown.as_deref().unwrap_or_default())?;
    let chmod = step.expand(copy.chmod.as_deref().unwrap_or_default())?;
    let Expanded {
        paths,
        inline,
        destination,
    } = Expanded::new(step, &copy.sources)?;
    let from = step.sources.first().copied();
    let source = match from {
        None => step.scope.context.state(),
        Some(id) => {
            let source = step.source(id);
            if !source.dispatched {
                let from = copy.from.clone().unwrap_or_default();
                return Err(Reason::LaterStage {
                    from,
                    stage: step.stage.steps.stage.clone(),
                }
                .into());
            }
            source.state.clone()
        }
    };
    let transfer = Transfer {
        keyword: "COPY",
        paths,
        inline,
        destination,
        chown,
        chmod,
        exclude: &copy.exclude,
        link: copy.link,
        parents: copy.parents,
        checksum: Cow::Borrowed(""),
        keep_git_dir: None,
        unpack: None,
        from_context: from.is_none(),
        source,
    };
    transfer::dispatch(step, &transfer)?;
    for path in &transfer.paths {
        match from {
            None => step.use_context_path(path),
            Some(id) => step.use_stage_path(id, path),
        }
    }
    Ok(())
}
