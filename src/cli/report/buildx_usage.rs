//! Command line mistakes in buildx's wording. Its errors start with `ERROR:`, and clients search
//! for that.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Failure, buildx_values};

/// buildx's messages for a wrong number of arguments: the command, the expected number, and its
/// usage.
const COUNTS: [(&str, &str, &str); 13] = [
    ("build", "requires 1 argument", " [OPTIONS] PATH | URL | -"),
    (
        "create",
        "requires at most 1 argument",
        " [OPTIONS] [CONTEXT|ENDPOINT]",
    ),
    ("du", "accepts no arguments", ""),
    ("history ls", "accepts no arguments", " [OPTIONS]"),
    (
        "imagetools inspect",
        "requires 1 argument",
        " [OPTIONS] NAME",
    ),
    ("inspect", "requires at most 1 argument", " [NAME]"),
    ("install", "requires 0 arguments", ""),
    ("ls", "requires 0 arguments", ""),
    ("prune", "accepts no arguments", ""),
    ("stop", "requires at most 1 argument", " [NAME]"),
    ("uninstall", "requires 0 arguments", ""),
    ("use", "requires at most 1 argument", " [OPTIONS] NAME"),
    ("version", "requires 0 arguments", ""),
];

/// Flags that exclude each other, with buildx's message. clap names one of them first.
const CONFLICTS: [(&str, &str, &str); 4] = [
    (
        "du",
        "--verbose",
        "--format and --verbose cannot be used together",
    ),
    (
        "imagetools inspect",
        "--raw",
        "format and raw cannot be used together",
    ),
    (
        "rm",
        "--all-inactive",
        "cannot specify builder name when --all-inactive is set",
    ),
    (
        "history rm",
        "--all",
        "rm requires either --all or at least one argument",
    ),
];

/// Returns the failure for arguments that cannot be parsed; `None` for requested help.
pub(crate) fn failure(error: &clap::Error) -> Option<Failure> {
    let is_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    (error.use_stderr() && !is_help).then(|| {
        let failure = Failure::new(words(error));
        failure.advised(nearest(error))
    })
}

/// Returns the words of a command with an unknown subcommand: buildx prints its help.
pub(crate) fn group(error: &clap::Error) -> Option<Vec<String>> {
    let is_unknown = error.kind() == ErrorKind::InvalidSubcommand;
    let path = is_unknown.then(|| path(error))?;
    Some(path.split_whitespace().skip(1).map(str::to_owned).collect())
}

fn words(error: &clap::Error) -> String {
    let argument = text(error, ContextKind::InvalidArg).unwrap_or_default();
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => match argument.strip_prefix('-') {
            // A dash alone is an argument: the context from stdin.
            Some("") => surplus(error, &argument),
            Some(long) if long.starts_with('-') => format!("unknown flag: {argument}"),
            Some(letter) => format!("unknown shorthand flag: '{letter}' in {argument}"),
            None => surplus(error, &argument),
        },
        ErrorKind::InvalidSubcommand => match text(error, ContextKind::InvalidSubcommand) {
            Some(name) => format!("unknown command: {name:?}"),
            None => plain(error),
        },
        ErrorKind::MissingRequiredArgument if argument.starts_with('-') => {
            format!(
                "required flag(s) {:?} not set",
                name(&argument).trim_start_matches('-')
            )
        }
        ErrorKind::MissingRequiredArgument if own(&path(error)) == "history rm" => {
            "rm requires at least one argument".to_owned()
        }
        ErrorKind::MissingRequiredArgument => {
            count(error).unwrap_or_else(|| "accepts 1 arg(s), received 0".to_owned())
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation if !argument.starts_with('-') => {
            plain(error)
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("flag needs an argument: {}", name(&argument))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            invalid(error, name(&argument), &value)
        }
        // A group has a subcommand, but the argument is none.
        ErrorKind::ArgumentConflict if argument.is_empty() => {
            "accepts at most 1 arg(s), received 2".to_owned()
        }
        ErrorKind::ArgumentConflict => conflict(error, &argument),
        _ => plain(error),
    }
}

/// The message for a value that the flag does not accept.
fn invalid(error: &clap::Error, flag: &str, value: &str) -> String {
    match flag {
        "--progress" => return format!("invalid progress mode {value}"),
        "--network" => {
            return format!(
                "failed to build: network mode {value:?} not supported by buildkit - you can \
                 define a custom network for your builder using the network driver-opt in buildx \
                 create"
            );
        }
        "--add-host" => return format!("failed to build: invalid host {value}"),
        "--build-arg" | "--label" => return format!("invalid key-value pair {value:?}: empty key"),
        _ => {}
    }
    if let Some(reason) = buildx_values::of_flag(flag, value) {
        return format!("invalid argument {value:?} for {flag:?} flag: {reason}");
    }
    let reason = std::error::Error::source(error).map(ToString::to_string);
    let reason = reason.or_else(|| text(error, ContextKind::Custom));
    let known = || text(error, ContextKind::ValidValue).map(|all| format!("expected {all}"));
    let reason = reason
        .or_else(known)
        .unwrap_or_else(|| "invalid syntax".to_owned());
    format!("invalid argument {value:?} for {flag:?} flag: {reason}")
}

fn conflict(error: &clap::Error, argument: &str) -> String {
    let other = text(error, ContextKind::PriorArg).unwrap_or_default();
    let both = [name(argument), name(&other)];
    let path = path(error);
    let known = CONFLICTS
        .iter()
        .find(|(command, flag, _)| own(&path) == *command && both.contains(flag));
    match known {
        Some((_, _, words)) => (*words).to_owned(),
        None if !other.is_empty() => format!("{} and {} cannot be used together", both[0], both[1]),
        None => plain(error),
    }
}

/// The message for a surplus argument.
fn surplus(error: &clap::Error, argument: &str) -> String {
    if let Some(words) = count(error) {
        return words;
    }
    match positionals(error) {
        0 => format!("unknown command {argument:?} for {:?}", path(error)),
        most => format!("accepts at most {most} arg(s), received {}", most + 1),
    }
}

fn count(error: &clap::Error) -> Option<String> {
    let path = path(error);
    let (_, number, usage) = COUNTS.iter().find(|(command, ..)| own(&path) == *command)?;
    let program = path.split_whitespace().next().unwrap_or_default();
    Some(format!(
        "{program}: '{path}' {number}\n\nUsage:  {path}{usage}\n\nRun '{path} --help' for more \
         information"
    ))
}

/// The number of arguments that the command accepts.
fn positionals(error: &clap::Error) -> usize {
    let usage = usage(error);
    let words = usage.lines().next().unwrap_or_default().split_whitespace();
    let is_one = |word: &&str| word.starts_with(['[', '<']) && *word != "[OPTIONS]";
    words.filter(is_one).count()
}

/// clap's line `Usage: …`.
fn usage(error: &clap::Error) -> String {
    match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => usage.to_string(),
        _ => String::new(),
    }
}

/// The command's words: the program, maybe the docker CLI's word for it, and the subcommands.
pub(crate) fn path(error: &clap::Error) -> String {
    let usage = usage(error);
    let words = usage.lines().next().unwrap_or_default().split_whitespace();
    let words = words.skip_while(|word| *word == "Usage:");
    let words = words.take_while(|word| !word.starts_with(['[', '<', '-', '{']));
    words.collect::<Vec<_>>().join(" ")
}

/// The path without the program.
fn own(path: &str) -> &str {
    path.split_once("buildx ").map_or("", |(_, own)| own)
}

/// `--tag` of `--tag <NAME>`.
pub(crate) fn name(argument: &str) -> &str {
    argument.split([' ', '=', '[']).next().unwrap_or(argument)
}

pub(crate) fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(all) => Some(all.join(", ")),
        _ => None,
    }
}

/// clap's own message, in one line.
pub(crate) fn plain(error: &clap::Error) -> String {
    let message = error.render().to_string();
    let first = message.lines().next().unwrap_or_default();
    first.strip_prefix("error: ").unwrap_or(first).to_owned()
}

pub(crate) fn nearest(error: &clap::Error) -> Option<String> {
    let kinds = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand];
    let near = kinds.iter().find_map(|kind| text(error, *kind))?;
    Some(format!("did you mean {near}?"))
}

#[cfg(test)]
mod tests;
