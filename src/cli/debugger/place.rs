//! Describes where a build is paused.

use solvekit::debug::{Pause, Reason, Step};
use solvekit::text;

/// The lines that say where the build is paused, and why.
pub(super) fn describe(pause: &Pause<'_>) -> String {
    let platform = pause.platform.map(|platform| format!(" ({platform})"));
    let platform = platform.unwrap_or_default();
    let step = pause.frames.first().copied();
    let what = match (&pause.reason, step) {
        (Reason::Failure(error), _) => {
            let failure = error.failure().map(|failure| failure.message.clone());
            let message = failure.unwrap_or_else(|| error.to_string());
            format!("failed{platform}: {message}")
        }
        (Reason::End, _) => format!("everything is built{platform}"),
        (_, Some(step)) if step.digest.is_none() => {
            format!("paused{platform} after {}", name(step))
        }
        (_, Some(step)) => format!("paused{platform} before {}", name(step)),
        (_, None) => format!("paused{platform}"),
    };
    let target = pause.target.map(|name| format!("target {name}: "));
    let excerpt = step.map(excerpt).unwrap_or_default();
    format!("{excerpt}{}{what}\n", target.unwrap_or_default())
}

fn name(step: &Step) -> &str {
    match step.frame.name.as_str() {
        "" => "this step",
        name => name,
    }
}

fn excerpt(step: &Step) -> String {
    let Some(place) = &step.frame.place else {
        return String::new();
    };
    let line = |number: i32| usize::try_from(number).unwrap_or_default();
    let lines = line(place.range.start.line)..=line(place.range.end.line);
    text::excerpt(&place.file.filename, &place.file.data, &[lines])
}
