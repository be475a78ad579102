//! WORKDIR.

use super::super::error::Error;
use super::super::reason::Reason;
use super::super::stage::{Layer, Stage};
use super::Step;
use super::system_path;
use crate::llb::{Constraints, File, MakeDir, Owner};

/// Changes to the directory and creates it.
pub(super) fn dispatch(step: &mut Step<'_, '_, '_>, dir: &str) -> Result<(), Error> {
    let dir = step.expand(dir)?.into_owned();
    if !step.stage.workdir_given && !system_path::is_absolute(&dir, step.stage.os()) {
        step.lint(|linter, instruction| linter.relative_workdir(instruction, &dir));
    }
    step.stage.workdir_given = true;
    enter(step.stage, &dir)?;
    let dir = step.stage.state.dir().to_owned();
    if dir == "/" {
        step.commit(format!("WORKDIR {dir}"), Layer::None);
        return Ok(());
    }
    let user = &step.stage.image.config.user;
    let made = MakeDir {
        parents: true,
        owner: (!user.is_empty()).then(|| Owner::parse(user)),
        created: step.scope.epoch.as_ref().map(|epoch| epoch.nanoseconds()),
    };
    let shown = step.shown();
    let platform = step.stage.platform.clone();
    let name = step
        .stage
        .steps
        .next(&shown, platform.as_deref(), Some(step.stage.state.env()));
    let constraints = Constraints::new()
        .named(name)
        .at(step.scope.location(Some(step.instruction.span)));
    step.stage
        .update(|state| state.file(File::new().make_dir(&*dir, 0o755, made), constraints));
    step.commit(format!("WORKDIR {dir}"), Layer::Plain);
    Ok(())
}

/// Changes to the directory. The config has it in the spelling of the image's operating system,
/// later instructions get it with slashes.
pub(super) fn enter(stage: &mut Stage<'_>, dir: &str) -> Result<(), Reason> {
    let dir = system_path::workdir(&stage.image.config.working_dir, dir, stage.os())?;
    let slashed = system_path::to_slash(&dir, stage.os()).into_owned();
    stage.image_mut().config.working_dir = dir;
    stage.update(|state| state.with_dir(&slashed));
    Ok(())
}
