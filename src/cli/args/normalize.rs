//! Prepares the arguments for clap, so that all flags behave as in buildx: an empty value counts as
//! not given, every `bool` field is a switch that also takes `=true` and `=false`, and of repeated
//! flags the last one wins (clap's `args_override_self` does the rest).

use std::ffi::{OsStr, OsString};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, Parser};

use super::effects::Ignored;
use super::values;

/// Flags whose empty value is an error instead of being ignored: the command and the flag.
const NEVER_EMPTY: [(&str, &str); 9] = [
    ("bake", "allow"),
    ("bake", "policy"),
    ("bake", "set"),
    ("build", "build_arg"),
    ("build", "label"),
    ("build", "platform"),
    ("build", "shm_size"),
    ("build", "tag"),
    ("build", "ulimit"),
];

/// An argument of the process, with the flag if it gives a flag that takes one value.
struct Word {
    text: OsString,
    flag: Option<String>,
}

/// Parses the arguments of the process. The commands are defined once, and only the flags of those
/// that the arguments name: to define all takes longer than to translate a Dockerfile.
pub(crate) fn parse<T: Parser>(arguments: Vec<OsString>) -> Result<T, clap::Error> {
    parse_noting(arguments).map(|(parsed, _)| parsed)
}

/// The same, with the flags that have no effect.
pub(crate) fn parse_noting<T: Parser>(
    arguments: Vec<OsString>,
) -> Result<(T, Ignored), clap::Error> {
    let mut command = T::command();
    let arguments = normalized(&command, arguments)?;
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    let ignored = Ignored::of(&command, &matches);
    let parsed = T::from_arg_matches_mut(&mut matches);
    let parsed = parsed.map_err(|error| error.format(&mut command))?;
    Ok((parsed, ignored))
}

/// Returns the arguments without empty values and without `=true` and `=false`.
///
/// Fails if a switch has a value that is not a boolean.
fn normalized(command: &Command, arguments: Vec<OsString>) -> Result<Vec<OsString>, clap::Error> {
    let command = built(command, &arguments);
    let mut reader = Reader {
        current: &command,
        words: Vec::with_capacity(arguments.len()),
        error: None,
    };
    let mut rest = arguments.into_iter();
    if let Some(program) = rest.next() {
        reader.keep(program);
    }
    while let Some(argument) = rest.next() {
        if reader.takes_the_rest(&argument) {
            reader.keep(argument);
            rest.by_ref().for_each(|word| reader.keep(word));
        } else {
            reader.read(argument, &mut rest);
        }
    }
    match reader.error {
        Some(error) => Err(error),
        None => Ok(reader.words.into_iter().map(|word| word.text).collect()),
    }
}

/// Builds only the subcommands that the arguments may mean: to build all of them takes longer than
/// to translate a Dockerfile.
fn built(command: &Command, arguments: &[OsString]) -> Command {
    let named = |subcommand: &Command| {
        let mut names = std::iter::once(subcommand.get_name()).chain(subcommand.get_all_aliases());
        names.any(|name| arguments.iter().any(|argument| argument == name))
    };
    let named = command.get_subcommands().filter(|it| named(it)).cloned();
    let mut built = Command::new("solvekit")
        .args(command.get_arguments().cloned())
        .subcommands(named.collect::<Vec<_>>());
    built.build();
    built
}

struct Reader<'a> {
    current: &'a Command,
    words: Vec<Word>,
    /// The first switch with a value that is not a boolean.
    error: Option<clap::Error>,
}

impl<'a> Reader<'a> {
    /// True if another program interprets the arguments that follow.
    fn takes_the_rest(&self, argument: &OsStr) -> bool {
        argument == "--"
            || self
                .current
                .get_positionals()
                .any(Arg::is_trailing_var_arg_set)
    }

    fn read(&mut self, argument: OsString, rest: &mut impl Iterator<Item = OsString>) {
        match argument.to_str() {
            None => self.keep(argument),
            Some(text) => match (text.strip_prefix("--"), text.strip_prefix('-')) {
                (Some(long), _) => self.long(&argument, long, rest),
                (None, Some(letters)) if !letters.is_empty() => {
                    self.letters(&argument, letters, rest);
                }
                _ => {
                    if let Some(subcommand) = self.current.find_subcommand(text) {
                        self.current = subcommand;
                    }
                    self.keep(argument);
                }
            },
        }
    }

    fn long(&mut self, argument: &OsStr, text: &str, rest: &mut impl Iterator<Item = OsString>) {
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        // `--debug=WHEN` of a build, besides the global switch of the same name.
        let when = attached.filter(|it| !it.is_empty() && values::boolean(it).is_err());
        if let ("debug", Some(when), Some(flag)) = (name, when, self.named("debug-build")) {
            let whole = format!("--debug-build={when}");
            return self.value(flag, OsStr::new(&whole), Some(when), rest);
        }
        match self.named(name) {
            None => self.keep(argument.to_owned()),
            Some(flag) if takes_value(flag) => self.value(flag, argument, attached, rest),
            Some(flag) => self.switch(flag, argument, &format!("--{name}"), attached),
        }
    }

    /// Handles `-q`, `-fFILE`, `-f FILE` and `-qf=FILE`. Each letter becomes an argument of its
    /// own.
    fn letters(&mut self, argument: &OsStr, text: &str, rest: &mut impl Iterator<Item = OsString>) {
        let mut switches = Vec::new();
        for (at, letter) in text.char_indices() {
            let Some(flag) = self.lettered(letter) else {
                return self.keep(argument.to_owned());
            };
            let own = format!("-{letter}");
            let after = &text[at + letter.len_utf8()..];
            let attached = after.strip_prefix('=');
            let reads_on = takes_value(flag) && !flag.is_require_equals_set();
            if attached.is_none() && !reads_on {
                switches.push(Word {
                    text: own.into(),
                    flag: Some(flag.get_id().to_string()),
                });
                continue;
            }
            self.words.append(&mut switches);
            let whole = format!("-{}", &text[at..]);
            let whole = OsStr::new(&whole);
            return match takes_value(flag) {
                true => {
                    let attached = attached.or((!after.is_empty()).then_some(after));
                    self.value(flag, whole, attached, rest);
                }
                false => self.switch(flag, whole, &own, attached),
            };
        }
        self.words.append(&mut switches);
    }

    /// Handles a flag whose value follows after `=` or as the next argument.
    fn value(
        &mut self,
        flag: &Arg,
        argument: &OsStr,
        attached: Option<&str>,
        rest: &mut impl Iterator<Item = OsString>,
    ) {
        let is_list = matches!(flag.get_action(), ArgAction::Append);
        let id = (!is_list).then(|| flag.get_id().to_string());
        let next = match attached {
            None if !flag.is_require_equals_set() => rest.next(),
            _ => None,
        };
        let flag_of = (self.current.get_name(), flag.get_id().as_str());
        let may_be_empty = !NEVER_EMPTY.contains(&flag_of);
        let is_empty = may_be_empty
            && (attached == Some("") || next.as_ref().is_some_and(|value| value.is_empty()));
        if is_empty {
            // The last one wins, and an empty value unsets the flag.
            return self.forget(id.as_deref());
        }
        let words = [Some(argument.to_owned()), next];
        self.words
            .extend(words.into_iter().flatten().map(|text| Word {
                text,
                flag: id.clone(),
            }));
    }

    /// Handles a flag without a value: `--flag=true` becomes `--flag`, `--flag=false` is dropped.
    fn switch(&mut self, flag: &Arg, argument: &OsStr, own: &str, attached: Option<&str>) {
        let id = flag.get_id().as_str();
        let text = match attached {
            None => argument.to_owned(),
            Some("") => return self.forget(Some(id)),
            Some(value) => match values::boolean(value) {
                Ok(true) => own.into(),
                Ok(false) => return self.forget(Some(id)),
                Err(reason) => return self.refuse(own, value, &reason),
            },
        };
        let flag = Some(id.to_owned());
        self.words.push(Word { text, flag });
    }

    fn refuse(&mut self, flag: &str, value: &str, reason: &str) {
        let message = format!("invalid value '{value}' for '{flag}': {reason}");
        let mut command = self.current.clone();
        let mut error = command.error(ErrorKind::InvalidValue, message);
        // For messages in buildx's wording.
        let go = format!("strconv.ParseBool: parsing {value:?}: invalid syntax");
        for (kind, text) in [
            (ContextKind::InvalidArg, flag),
            (ContextKind::InvalidValue, value),
            (ContextKind::Custom, &go),
        ] {
            error.insert(kind, ContextValue::String(text.to_owned()));
        }
        self.error.get_or_insert(error);
    }

    fn keep(&mut self, text: OsString) {
        self.words.push(Word { text, flag: None });
    }

    fn forget(&mut self, id: Option<&str>) {
        if let Some(id) = id {
            self.words.retain(|word| word.flag.as_deref() != Some(id));
        }
    }

    fn named(&self, name: &str) -> Option<&'a Arg> {
        let is_named = |flag: &&Arg| {
            flag.get_long() == Some(name)
                || flag
                    .get_all_aliases()
                    .is_some_and(|all| all.contains(&name))
        };
        self.current.get_arguments().find(is_named)
    }

    fn lettered(&self, letter: char) -> Option<&'a Arg> {
        let is_lettered = |flag: &&Arg| {
            flag.get_short() == Some(letter)
                || flag
                    .get_all_short_aliases()
                    .is_some_and(|all| all.contains(&letter))
        };
        self.current.get_arguments().find(is_lettered)
    }
}

fn takes_value(flag: &Arg) -> bool {
    matches!(flag.get_action(), ArgAction::Set | ArgAction::Append)
}

#[cfg(test)]
mod tests;
