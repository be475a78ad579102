//! Command line mistakes in buildctl's wording: `flag provided but not defined: -x`.

use clap::error::{ContextKind, ErrorKind};

use crate::cli::report::Failure;
use crate::cli::report::buildx_usage::{name, nearest, path, plain, text};

/// The failure for arguments that cannot be parsed; `None` for requested help.
pub(super) fn failure(error: &clap::Error) -> Option<Failure> {
    let is_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if is_help || !error.use_stderr() {
        return None;
    }
    let argument = text(error, ContextKind::InvalidArg).unwrap_or_default();
    let (is_flag, message) = match error.kind() {
        ErrorKind::MissingRequiredArgument => (false, missing(error)),
        ErrorKind::UnknownArgument if !argument.starts_with('-') => (false, plain(error)),
        // buildctl looks at this value later.
        ErrorKind::InvalidValue if name(&argument) == "--progress" => {
            let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
            (false, format!("invalid progress mode {value}"))
        }
        _ => (true, of_flag(error, &argument)),
    };
    let failure = Failure::new(&message).advised(nearest(error));
    Some(match is_flag {
        true => failure.report_before(format!("Incorrect Usage: {message}\n")),
        false => failure,
    })
}

/// The text for a command that does not exist.
pub(super) fn unknown_command(error: &clap::Error) -> String {
    let name = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
    let near = text(error, ContextKind::SuggestedSubcommand);
    let near = near.map(|name| format!("  did you mean {name}?\n"));
    format!("No help topic for '{name}'\n{}", near.unwrap_or_default())
}

fn missing(error: &clap::Error) -> String {
    match path(error).split_once(' ').map_or("", |(_, own)| own) {
        "debug get" => "blob digest must be specified".to_owned(),
        _ => plain(error),
    }
}

fn of_flag(error: &clap::Error, argument: &str) -> String {
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    let flag = format!("-{}", name(argument).trim_start_matches('-'));
    match error.kind() {
        ErrorKind::UnknownArgument => format!("flag provided but not defined: {flag}"),
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("flag needs an argument: {}", name(argument))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let reason = std::error::Error::source(error).map(ToString::to_string);
            let reason = reason.unwrap_or_else(|| "parse error".to_owned());
            format!("invalid value {value:?} for flag {flag}: {reason}")
        }
        _ => plain(error),
    }
}
