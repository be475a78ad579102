//! Replays a recorded build: reads the output of `--progress=rawjson` from stdin, and shows it at
//! its original speed.
//!
//!     solvekit build --progress=rawjson . 2> build.json
//!     cargo run --example replay -- tty < build.json
//!
//! The first argument is the mode (default `auto`), the second one the speed (default 1; 0 does not
//! wait).

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::time::SystemTime;

use solvekit::progress::{self, Display, Mode, Options, Palette, Size, StatusUpdate};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mode: Mode = arguments.next().as_deref().unwrap_or("auto").parse()?;
    let speed: f64 = arguments.next().as_deref().unwrap_or("1").parse()?;
    let environment = |name| std::env::var(name).ok().filter(|value| !value.is_empty());

    let mode = mode.resolve(
        environment("BUILDKIT_PROGRESS").as_deref(),
        io::stderr().is_terminal(),
    )?;
    let palette = match (environment("NO_COLOR"), environment("BUILDKIT_COLORS")) {
        (Some(_), _) => Palette::none(),
        (None, Some(colors)) => Palette::parse(&colors).0,
        (None, None) => Palette::default(),
    };
    let options = Options {
        description: Some("building with \"default\" instance using docker driver".into()),
        title: Some("docker:default".into()),
        palette: palette.clone(),
        size: Box::new(terminal_size),
        ..Options::default()
    };

    let (writer, updates) = progress::channel();
    let display = Display::new(mode, io::stderr(), options);
    let (summary, sent) = tokio::join!(display.run(updates), replay(writer, speed));
    sent?;

    let mut stderr = io::stderr();
    stderr.write_all(
        progress::render_failure(&summary.failed, &[], mode.report_lines()).as_bytes(),
    )?;
    let expanding = Some("use --debug to expand");
    let warnings = progress::render_warnings(&summary.warnings, expanding, &palette);
    stderr.write_all(warnings.as_bytes())?;
    Ok(())
}

/// Sends all recorded updates, with pauses according to their times.
async fn replay(writer: progress::Writer, speed: f64) -> Result<(), serde_json::Error> {
    let source = writer.source();
    let mut before = None;
    for update in
        serde_json::Deserializer::from_reader(io::stdin().lock()).into_iter::<StatusUpdate>()
    {
        let update = update?;
        let newest = newest_time(&update);
        let pause = newest
            .zip(before)
            .and_then(|(now, before): (SystemTime, _)| now.duration_since(before).ok());
        if let Some(pause) = pause.filter(|_| speed > 0.0) {
            tokio::time::sleep(pause.div_f64(speed)).await;
        }
        before = newest.max(before);
        source.send(update).await;
    }
    Ok(())
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

fn terminal_size() -> Option<Size> {
    let (columns, rows) = solvekit_host::terminal::error_size()?;
    Some(Size { columns, rows })
}
