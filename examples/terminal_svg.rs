//! Draws the terminal for documentation: reads the output of `--progress=rawjson` from stdin, and
//! writes an SVG to stdout.
//!
//!     solvekit build --progress=rawjson . 2> build.json
//!     cargo run --example terminal_svg -- 4.5 < build.json > docs/terminal.svg
//!
//! The first argument is the time to show, in seconds since the build's start; the default is the
//! end. The second and third are the terminal's columns and rows (default 100 30), the fourth is
//! the command to show at the top.

use std::error::Error;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use solvekit::progress::{Display, Event, Mode, Options, Size, StatusUpdate};

/// The current time for the display, in nanoseconds since 1970.
static NOW: AtomicU64 = AtomicU64::new(0);

/// The width of a character and the height of a line, in pixels.
const COLUMN: f64 = 8.4;
const LINE: f64 = 18.0;
const MARGIN: f64 = 16.0;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| {
        arguments
            .get(index)
            .map(|text| text.parse::<f64>())
            .transpose()
    };
    let until = number(0)?.map(Duration::from_secs_f64);
    let size = Size {
        columns: number(1)?.unwrap_or(100.0) as u16,
        rows: number(2)?.unwrap_or(30.0) as u16,
    };

    let updates: Vec<StatusUpdate> = serde_json::Deserializer::from_reader(io::stdin().lock())
        .into_iter()
        .collect::<Result<_, _>>()?;
    let frame = draw(&updates, until, size);
    let command = arguments
        .get(3)
        .map(|command| format!("\x1b[1m$ {command}\x1b[0m"));
    let mut lines: Vec<&str> = command
        .iter()
        .map(String::as_str)
        .chain(frame.lines())
        .collect();
    while lines.last().is_some_and(|line| spans(line).is_empty()) {
        lines.pop();
    }
    io::stdout().write_all(svg(&lines, size).as_bytes())?;
    Ok(())
}

/// Returns the bytes that draw the view at that time on an empty terminal.
fn draw(updates: &[StatusUpdate], until: Option<Duration>, size: Size) -> String {
    let clock = || UNIX_EPOCH + Duration::from_nanos(NOW.load(Ordering::Relaxed));
    let title = Some("docker:default".into());
    let options = Options {
        title,
        size: Box::new(move || Some(size)),
        clock,
        ..Options::default()
    };
    let mut out = Vec::new();
    let mut display = Display::new(Mode::Tty, &mut out, options);
    let start = updates.iter().filter_map(newest_time).min();
    let end = start.zip(until).map(|(start, until)| start + until);
    for update in updates {
        let newest = newest_time(update);
        if newest.zip(end).is_some_and(|(newest, end)| newest > end) {
            continue;
        }
        set_now(newest);
        display.take(&Event::new(0, update.clone()));
    }
    set_now(end);
    if end.is_some() {
        display.draw();
        drop(display);
    } else {
        display.finish();
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn set_now(at: Option<SystemTime>) {
    let nanos = at
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        .map(|since| since.as_nanos());
    if let Some(nanos) = nanos {
        NOW.fetch_max(u64::try_from(nanos).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

fn newest_time(update: &StatusUpdate) -> Option<SystemTime> {
    let vertexes = update
        .vertexes
        .iter()
        .map(|vertex| vertex.completed.max(vertex.started));
    let statuses = update.statuses.iter().map(|status| status.timestamp);
    let logs = update.logs.iter().map(|log| log.timestamp);
    vertexes.chain(statuses).chain(logs).flatten().max()
}

fn svg(lines: &[&str], size: Size) -> String {
    let width = f64::from(size.columns) * COLUMN + 2.0 * MARGIN;
    let height = lines.len() as f64 * LINE + 2.0 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, \
         monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1a1b26\"/>\n"
    );
    for (number, line) in lines.iter().enumerate() {
        let y = MARGIN + (number as f64 + 0.75) * LINE;
        out.push_str(&format!(
            "<text x=\"{MARGIN}\" y=\"{y:.1}\" xml:space=\"preserve\" fill=\"#c8cdd8\">"
        ));
        spans(line)
            .iter()
            .for_each(|(style, text)| out.push_str(&span(style, text)));
        out.push_str("</text>\n");
    }
    out.push_str("</svg>\n");
    out
}

/// Splits a line into parts with the numbers of their colour sequences; other sequences are
/// dropped.
fn spans(line: &str) -> Vec<(String, String)> {
    let mut spans = vec![(String::new(), String::new())];
    let mut rest = line.trim_end();
    while let Some((before, after)) = rest.split_once("\x1b[") {
        if let Some((_, text)) = spans.last_mut() {
            text.push_str(before.trim_matches('\r'));
        }
        let end = after
            .find(|c: char| c.is_ascii_alphabetic())
            .unwrap_or(after.len().saturating_sub(1));
        if after[end..].starts_with('m') {
            spans.push((after[..end].to_string(), String::new()));
        }
        rest = after.get(end + 1..).unwrap_or_default();
    }
    if let Some((_, text)) = spans.last_mut() {
        text.push_str(rest.trim_matches('\r'));
    }
    spans.retain(|(_, text)| !text.is_empty());
    spans
}

fn span(style: &str, text: &str) -> String {
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let look = match style {
        "31" => "fill=\"#f7768e\"",
        "33" => "fill=\"#e0af68\"",
        "34" => "fill=\"#7aa2f7\"",
        "2" => "fill=\"#787c8f\"",
        "1" => "font-weight=\"bold\"",
        _ => return format!("<tspan>{escaped}</tspan>"),
    };
    format!("<tspan {look}>{escaped}</tspan>")
}
