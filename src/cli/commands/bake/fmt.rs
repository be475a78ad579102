//! `solvekit bake fmt`: formats HCL files canonically.

use std::io;
use std::path::Path;

use solvekit::bake::format::format;
use solvekit::bake::{FileKind, InputFile};

use super::files::{MAX_BYTES, STDIN, read_here, unread};
use super::{failed, read_stdin};
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_data, print_text};
use crate::cli::report::usage::BakeUsage;

/// The default files to format, as far as they exist.
const USUAL: [&str; 2] = ["docker-bake.hcl", "docker-bake.override.hcl"];

/// The action for files that are not formatted canonically.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Rewrite them.
    Write,
    /// List them, and fail if there are any.
    Check,
}

/// Formats files and lists those that change. Standard input is formatted to stdout.
pub(super) fn fmt(names: &[&str], mode: Mode) -> Result<(), Failure> {
    let usual = USUAL.into_iter().filter(|name| Path::new(name).exists());
    let usual: Vec<&str> = usual.collect();
    let is_usual = names.is_empty();
    let names = if is_usual { &usual } else { names };
    if names.is_empty() {
        return Err(BakeUsage::NothingToFormat.into());
    }
    let mut differs = false;
    for name in names {
        let read = match is_usual {
            _ if *name == STDIN => read_stdin(),
            true => read_here(Path::new(name)),
            false => solvekit::bake::read_file(name),
        };
        differs |= fmt_file(name, read, mode)?;
    }
    match differs && mode == Mode::Check {
        true => Err(Failure::silent(1)),
        false => Ok(()),
    }
}

/// Formats one file. True if it was not formatted canonically.
fn fmt_file(name: &str, read: io::Result<Vec<u8>>, mode: Mode) -> Result<bool, Failure> {
    let unreadable = |error: &io::Error| unread(name, error);
    let file = InputFile {
        name: name.to_owned(),
        bytes: read.map_err(|error| unreadable(&error))?,
    };
    if file.bytes.len() as u64 > MAX_BYTES {
        let message = format!("cannot read {name}: it is larger than {MAX_BYTES} bytes");
        return Err(Failure::new(message));
    }
    if matches!(file.kind(), FileKind::Json | FileKind::Compose) {
        return Err(BakeUsage::NotHcl(name.to_owned()).into());
    }
    let formatted = format(&file.bytes, name)
        .map_err(|error| failed(&error.with_source(std::slice::from_ref(&file))))?;
    let differs = formatted.as_bytes() != file.bytes;
    match (mode, name) {
        (Mode::Write, STDIN) => print_data(formatted.as_bytes())?,
        (Mode::Check, STDIN) if differs => print_text("-\n")?,
        _ if differs => {
            if mode == Mode::Write {
                std::fs::write(name, &formatted)
                    .map_err(|error| Failure::new(format!("cannot write {name}: {error}")))?;
            }
            print_text(&format!("{name}\n"))?;
        }
        _ => {}
    }
    Ok(differs)
}
