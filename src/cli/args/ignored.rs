//! Warnings about values without effect. buildx sends them to the daemon silently, and so a build
//! with them is not refused.

use solvekit::pipeline::IgnoredValue;

use crate::cli::report::terminal;

/// Warns about values that the daemon ignores. `target` is the target of a bake file.
pub(crate) fn warn(ignored: &[IgnoredValue], target: Option<&str>) {
    let target = target.map(|name| format!("target {name}: "));
    let target = target.unwrap_or_default();
    for value in ignored {
        terminal::warn(&format!("{target}{value}; the daemon ignores it"));
    }
}
