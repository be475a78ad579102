//! Formats the rows of a display as lines of a given width.

use std::time::SystemTime;

use super::super::palette::Tone;
use super::super::text::{justify, moved, seconds};
use super::super::view::{StepState, StepView, View};
use super::rows::Row;
use super::screen::Line;
use super::{Look, Size};
use crate::text::{clip, one_line};

/// Returns the header and the rows.
pub(super) fn lines(
    view: &View,
    rows: &[Row<'_>],
    look: &Look,
    size: Size,
    now: SystemTime,
    last: bool,
) -> Vec<Line> {
    // A character in the last column would mark the line as wrapped, and a resize would then join
    // it with the next.
    let columns = usize::from(size.columns).saturating_sub(1);
    let header = Line::new(header(view, look, columns, now, last), look, Tone::Plain);
    let rows = rows.iter().map(|row| line(view, row, look, columns, now));
    std::iter::once(header).chain(rows).collect()
}

/// `[+] Building 1.2s (5/9)`, and the builder at the right.
fn header(view: &View, look: &Look, columns: usize, now: SystemTime, last: bool) -> String {
    let (ended, all) = view.counts();
    let mut left = format!(
        "[+] {} {} ({ended}/{all})",
        look.phase,
        seconds(view.age(now))
    );
    let went_well = |step: &StepView| matches!(step.state(), StepState::Done | StepState::Cached);
    if last && ended == all && all > 0 && view.steps().all(went_well) {
        left.push_str(" FINISHED");
    }
    let description = one_line(&look.description);
    let (_, room) = clip(&format!("{left} {description}"), usize::MAX);
    justify(
        &left,
        if room <= columns { &description } else { "" },
        columns,
    )
}

fn line(view: &View, row: &Row<'_>, look: &Look, columns: usize, now: SystemTime) -> Line {
    match row {
        Row::Step(step) => {
            let text = format!(" => {}{}", badge(step), one_line(step.name()));
            let text = justify(&text, &time(view.elapsed(step, now)), columns);
            Line::new(text, look, tone(step))
        }
        Row::Transfer(step, number) => transfer(view, step, *number, look, columns, now),
        Row::Omitted(step) => {
            let text = format!(" => => {}", step.omitted_line().unwrap_or_default());
            Line::new(clip(&text, columns).0.to_string(), look, Tone::Ended)
        }
        Row::Warning(step, number) => {
            let short = step
                .warnings
                .get(*number)
                .map(|warning| String::from_utf8_lossy(&warning.short));
            let text = format!(" => => WARN: {}", one_line(&short.unwrap_or_default()));
            Line::new(clip(&text, columns).0.to_string(), look, Tone::Warning)
        }
        Row::Log(text) => {
            let text = format!(" => => # {text}");
            Line::new(clip(&text, columns).0.to_string(), look, Tone::Faint)
        }
        Row::Folded { group, steps } => {
            let took = view.elapsed_together(steps.iter().copied(), now);
            Line::new(
                justify(&folded(*group, steps), &time(took), columns),
                look,
                Tone::Ended,
            )
        }
        Row::Hidden(count) => {
            let text = format!(" => … {count} more");
            Line::new(clip(&text, columns).0.to_string(), look, Tone::Faint)
        }
    }
}

/// ` => => name 1.2MB / 3.4MB   0.5s`. On a narrow line the time is omitted first, then the name's
/// end.
fn transfer(
    view: &View,
    step: &StepView,
    number: usize,
    look: &Look,
    columns: usize,
    now: SystemTime,
) -> Line {
    let Some(status) = step.transfers.get(number) else {
        return Line::default();
    };
    let (bytes, time) = (
        moved(status),
        time(view.transfer_elapsed(step, number, now)),
    );
    let name = format!(" => => {}", one_line(&status.id));
    let (_, name_columns) = clip(&name, usize::MAX);
    let text = if bytes.is_empty() {
        justify(&name, &time, columns)
    } else if name_columns + bytes.len() + time.len() + 2 <= columns {
        justify(&format!("{name} {bytes}"), &time, columns)
    } else if (bytes.len() + time.len() + 2) * 2 <= columns {
        justify(&name, &format!("{bytes} {time}"), columns)
    } else {
        justify(&name, &bytes, columns)
    };
    let tone = if status.completed.is_some() {
        Tone::Ended
    } else {
        Tone::Plain
    };
    Line::new(text, look, tone)
}

fn badge(step: &StepView) -> &'static str {
    match step.state() {
        StepState::Canceled => "CANCELED ",
        StepState::Failed => "ERROR ",
        StepState::Cached => "CACHED ",
        StepState::Pending | StepState::Running | StepState::Done => "",
    }
}

fn tone(step: &StepView) -> Tone {
    match step.state() {
        StepState::Canceled => Tone::Canceled,
        StepState::Failed => Tone::Failed,
        StepState::Cached | StepState::Done => Tone::Ended,
        StepState::Pending | StepState::Running => Tone::Plain,
    }
}

/// ` => [linux/arm64] 3 steps done, 1 cached`
fn folded(group: Option<&str>, steps: &[&StepView]) -> String {
    let cached = steps
        .iter()
        .filter(|step| step.state() == StepState::Cached)
        .count();
    let group = group
        .map(|group| format!("[{}] ", one_line(group)))
        .unwrap_or_default();
    let plural = if steps.len() == 1 { "" } else { "s" };
    let cached = match cached {
        0 => String::new(),
        count if count == steps.len() => ", all cached".into(),
        count => format!(", {count} cached"),
    };
    format!(" => {group}{} step{plural} done{cached}", steps.len())
}

/// Less than a twentieth of a second is shown as no time.
fn time(duration: std::time::Duration) -> String {
    if duration.as_millis() < 50 {
        "0.0s".into()
    } else {
        seconds(duration)
    }
}
