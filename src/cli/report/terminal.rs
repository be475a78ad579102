//! Where text leaves the program. Everything goes through here to stdout and stderr, and loses on
//! the way what a terminal would act on: names, messages and logs come from daemons, registries and
//! files. Text also loses passwords and tokens; JSON and data are written as they are.

use std::io::{self, IsTerminal as _, Write as _};

use solvekit::text;

use super::Failure;

/// Tells people something on stderr; nothing is left to do when that is gone.
pub(crate) fn talk(text: &str) {
    let _ = io::stderr().write_all(safe(text).as_bytes());
}

/// The same for text with colours of our own.
pub(crate) fn talk_coloured(text: &str) {
    let _ = io::stderr().write_all(text::coloured(&text::redact(text)).as_bytes());
}

/// Writes over the line at which stderr is, a terminal.
pub(crate) fn talk_over(text: &str) {
    let _ = io::stderr().write_all(format!("\r\x1b[K{}", safe(text)).as_bytes());
}

/// Writes one line to stdout.
pub(crate) fn print(line: &str) -> Result<(), Failure> {
    print_text(&format!("{line}\n"))
}

/// Writes text for people, or of a template, to stdout.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    write(safe(text).as_bytes())
}

/// Writes JSON to stdout as it is: its own escapes are what programs read.
pub(crate) fn print_json(json: &str) -> Result<(), Failure> {
    write(json.as_bytes())
}

/// Writes data to stdout, byte for byte. A terminal gets the text in it.
pub(crate) fn print_data(bytes: &[u8]) -> Result<(), Failure> {
    match io::stdout().is_terminal() {
        true => print_text(&String::from_utf8_lossy(bytes)),
        false => write(bytes),
    }
}

/// Writes data to stdout as it comes, byte for byte. A terminal gets the text in it.
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

/// A reader that went away (`solvekit … | head`) is not a failure.
fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}
