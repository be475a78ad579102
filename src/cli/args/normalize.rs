//! Prepares the arguments for clap, so that all flags behave as those of buildx do: an empty value
//! counts as not given, every `bool` field is a switch that also takes `=true` and `=false`, and
//! the last of several counts (clap's `args_override_self` does the rest).

use std::ffi::{OsStr, OsString};

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command};

use super::values;

/// Flags of which an empty value is a mistake that is told, and not nothing: the command and the
/// flag.
const NEVER_EMPTY: [(&str, &str); 3] = [("bake", "allow"), ("bake", "policy"), ("bake", "set")];

/// An argument of the process, and the flag with a single value that it gives, if it is one.
struct Word {
    text: OsString,
    flag: Option<String>,
}

/// Returns the arguments without empty values and without `=true` and `=false`.
///
/// The command has to be built. Fails if a switch has a value that is not a boolean.
pub(crate) fn normalized(
    command: &Command,
    arguments: Vec<OsString>,
) -> Result<Vec<OsString>, clap::Error> {
    let mut reader = Reader {
        current: command,
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

struct Reader<'a> {
    current: &'a Command,
    words: Vec<Word>,
    /// The first switch with a value that is not a boolean.
    error: Option<clap::Error>,
}

impl<'a> Reader<'a> {
    /// What follows is not for this program to understand.
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
        match self.named(name) {
            None => self.keep(argument.to_owned()),
            Some(flag) if takes_value(flag) => self.value(flag, argument, attached, rest),
            Some(flag) => self.switch(flag, argument, &format!("--{name}"), attached),
        }
    }

    /// `-q`, `-fFILE`, `-f FILE`, `-qf=FILE`. Each letter becomes an argument of its own.
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

    /// A flag with a value, which stands behind `=` or is the next argument.
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
            // The last one counts, and it turns the flag off.
            return self.forget(id.as_deref());
        }
        let words = [Some(argument.to_owned()), next];
        self.words
            .extend(words.into_iter().flatten().map(|text| Word {
                text,
                flag: id.clone(),
            }));
    }

    /// A flag without a value: `--flag=true` is `--flag`, `--flag=false` is left out.
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
        let error = command.error(ErrorKind::InvalidValue, message);
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
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::cli::Cli;

    fn of(arguments: &[&str]) -> Vec<String> {
        let words = try_of(arguments).unwrap().into_iter();
        words.map(|word| word.into_string().unwrap()).collect()
    }

    fn try_of(arguments: &[&str]) -> Result<Vec<OsString>, clap::Error> {
        let mut command = Cli::command();
        command.build();
        let arguments = arguments.iter().map(OsString::from).collect();
        normalized(&command, arguments)
    }

    #[test]
    fn an_empty_value_counts_as_not_given() {
        for (given, left) in [
            (
                &["x", "build", "--secret", "", "."][..],
                &["x", "build", "."][..],
            ),
            (
                &["x", "build", "-o=", "-f", "", "-t", "a", "."],
                &["x", "build", "-t", "a", "."],
            ),
            (&["x", "--builder=", "build", "."], &["x", "build", "."]),
            (
                &["x", "build", "--builder", "b", "--builder", "", "."],
                &["x", "build", "."],
            ),
            (&["x", "build", "-qf", "", "."], &["x", "build", "-q", "."]),
            (&["x", "build", "--push=", "."], &["x", "build", "."]),
            (
                &["x", "history", "ls", "--filter", ""],
                &["x", "history", "ls"],
            ),
            (
                &["x", "build", "-f", "a", "-f", "", "."],
                &["x", "build", "."],
            ),
            (
                &["x", "build", "-t", "a", "-t", "", "."],
                &["x", "build", "-t", "a", "."],
            ),
            (&["x", "prune", "--keep-storage", ""], &["x", "prune"]),
        ] {
            assert_eq!(of(given), left, "{given:?}");
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for given in [
            &["x", "build", "--build-arg", "A=", "-fD", "--label=a=", "."][..],
            &["x", "build", "--unknown", "", "-Z", "", ""],
            &["x", "build", "--", "-f", ""],
            &["x", "__complete", "build", "--secret", ""],
            &["x", "build", "-f"],
            &["x", "bake", "--set", "", "--allow=", "--policy", ""],
            &["x"],
            &[],
        ] {
            assert_eq!(of(given), given);
        }
    }

    #[test]
    fn switches_take_true_and_false() {
        assert_eq!(
            of(&["x", "prune", "--all=true", "-f=1"]),
            ["x", "prune", "--all", "-f"]
        );
        assert_eq!(
            of(&["x", "prune", "-a", "--force", "--all=0"]),
            ["x", "prune", "--force"]
        );
        assert_eq!(of(&["x", "prune", "-af=false"]), ["x", "prune", "-a"]);
        let error = try_of(&["x", "prune", "--all=maybe"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        assert!(
            error
                .to_string()
                .contains(r#"'--all': "maybe" is neither true nor false"#)
        );
    }

    /// For each flag of each command that has one value: given twice, it is not an error.
    #[test]
    fn of_repeated_flags_the_last_one_counts() {
        fn check(path: &[&str], command: &Command, failures: &mut Vec<String>) {
            for flag in command.get_arguments() {
                let Some(name) = flag.get_long() else {
                    continue;
                };
                if matches!(flag.get_action(), ArgAction::Help | ArgAction::Version) {
                    continue;
                }
                let given = match flag.get_action() {
                    ArgAction::SetTrue => format!("--{name}"),
                    _ => format!("--{name}=1"),
                };
                let arguments = path.iter().map(|word| (*word).to_owned());
                let arguments = arguments.chain([given.clone(), given]);
                let parsed = Cli::try_parse_from(arguments);
                if let Err(error) = parsed
                    && error.kind() == clap::error::ErrorKind::ArgumentConflict
                    && error.to_string().contains("multiple times")
                {
                    failures.push(format!("{path:?} --{name}"));
                }
            }
            for subcommand in command.get_subcommands() {
                let path: Vec<&str> = path
                    .iter()
                    .copied()
                    .chain([subcommand.get_name()])
                    .collect();
                check(&path, subcommand, failures);
            }
        }
        let mut command = Cli::command();
        command.build();
        let mut failures = Vec::new();
        check(&["x"], &command, &mut failures);
        assert!(failures.is_empty(), "{failures:?}");
    }
}
