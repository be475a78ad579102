//! All output of the program. Text for stdout and stderr goes through this module, which escapes
//! control sequences: names, messages and logs come from daemons, registries and files. It also
//! redacts passwords and tokens in text; JSON and data are written as they are.

use std::io::{self, IsTerminal as _, Write as _};

use solvekit::text;

use super::Failure;
use crate::cli::interrupt::{EXIT_INTERRUPTED, blocking};

/// Writes text to stderr. If stderr is gone, nothing can be done. It may be the log of a step, so
/// nothing but control sequences and secrets is changed.
pub(crate) fn talk(text: &str) {
    write_error(safe(text));
}

/// Writes a line with a warning to stderr, without the numbers of system errors.
pub(crate) fn warn(text: &str) {
    talk(&format!("WARNING: {}\n", text::without_error_numbers(text)));
}

/// The same for text with this program's own colours.
pub(crate) fn talk_coloured(text: &str) {
    write_error(text::coloured(&text::redact(text)));
}

/// Overwrites the current line of stderr, which is a terminal.
pub(crate) fn talk_over(text: &str) {
    write_error(format!("\r\x1b[K{}", safe(text)));
}

/// Writes one line to stdout.
pub(crate) fn print(line: &str) -> Result<(), Failure> {
    print_text(&format!("{line}\n"))
}

/// Writes text, or the output of a template, to stdout.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    write(safe(text).as_bytes())
}

/// Writes JSON to stdout unchanged: it has its own escapes.
pub(crate) fn print_json(json: &str) -> Result<(), Failure> {
    write(json.as_bytes())
}

/// Writes data to stdout unchanged; on a terminal it is escaped as text.
pub(crate) fn print_data(bytes: &[u8]) -> Result<(), Failure> {
    match io::stdout().is_terminal() {
        true => print_text(&String::from_utf8_lossy(bytes)),
        false => write(bytes),
    }
}

/// Writes data to stdout unchanged, piece by piece; on a terminal it is escaped as text.
#[derive(Debug)]
pub(crate) struct DataWriter {
    is_terminal: bool,
}

impl DataWriter {
    pub(crate) fn new() -> Self {
        Self {
            is_terminal: io::stdout().is_terminal(),
        }
    }
}

impl io::Write for DataWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stdout = io::stdout().lock();
        match self.is_terminal {
            true => stdout.write_all(safe(&String::from_utf8_lossy(bytes)).as_bytes())?,
            false => stdout.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

fn safe(text: &str) -> String {
    text::redact(&text::lines(text)).into_owned()
}

fn write_error(text: String) {
    let _ = blocking::run(move || io::stderr().write_all(text.as_bytes()));
}

fn write(bytes: &[u8]) -> Result<(), Failure> {
    let bytes = bytes.to_vec();
    let done = blocking::run(move || {
        let mut stdout = io::stdout().lock();
        stdout.write_all(&bytes).and_then(|()| stdout.flush())
    });
    let interrupted = || Failure::new("interrupted").code(EXIT_INTERRUPTED);
    written(done.ok_or_else(interrupted)?)
}

/// The result of a write to stdout. A reader that is gone is no failure (`solvekit … | head`).
pub(crate) fn written(done: io::Result<()>) -> Result<(), Failure> {
    match done {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}
