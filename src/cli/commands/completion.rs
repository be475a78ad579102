//! `solvekit completion SHELL`: prints the script for a shell, and answers when that script or the
//! docker CLI asks.
//!
//! The script calls solvekit again for each tab, so stages, builders and targets are completed too.

use std::ffi::OsString;

use clap_complete::env::{EnvCompleter, Shells};
use clap_complete::{Shell, engine};
use solvekit::text;

use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_data, print_text};

/// The variable through which a script asks for candidates. Its value is the name of the shell.
const VARIABLE: &str = "SOLVEKIT_COMPLETE";
const NAME: &str = "solvekit";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionArgs {
    /// The shell to complete in
    #[arg(value_enum)]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  solvekit completion bash > /etc/bash_completion.d/solvekit
  solvekit completion zsh > \"${fpath[1]}/_solvekit\"
  solvekit completion fish > ~/.config/fish/completions/solvekit.fish";

pub(crate) fn cmd_completion(args: &CompletionArgs) -> Result<(), Failure> {
    let shell = args.shell.to_string();
    let mut script = Vec::new();
    completer(&shell)?
        .write_registration(VARIABLE, NAME, NAME, NAME, &mut script)
        .map_err(|error| Failure::new(format!("cannot make the script: {error}")))?;
    if args.shell == Shell::Zsh {
        // Zsh loads the file at the first tab, and expects the candidates for that tab too.
        let first =
            "[ \"$funcstack[1]\" = \"_solvekit\" ] && _clap_dynamic_completer_solvekit \"$@\"\n";
        script.extend(first.bytes());
    }
    print_data(&script)
}

fn completer(shell: &str) -> Result<&'static dyn EnvCompleter, Failure> {
    const SHELLS: Shells<'static> = Shells::builtins();
    let found = SHELLS.0.iter().find(|known| known.is(shell));
    found
        .copied()
        .ok_or_else(|| Failure::new(format!("there is no completion for the shell {shell:?}")))
}

/// The shell that asks for candidates, if this process was started by a completion script.
pub(crate) fn asking_shell() -> Option<String> {
    let shell = std::env::var(VARIABLE).ok();
    shell.filter(|shell| !shell.is_empty())
}

/// Prints the candidates for the word that the script asks about.
pub(crate) fn answer_script(
    shell: &str,
    arguments: Vec<OsString>,
    mut command: clap::Command,
) -> Result<(), Failure> {
    let words = arguments
        .into_iter()
        .skip_while(|word| word != "--")
        .skip(1);
    let folder = std::env::current_dir().ok();
    let mut answer = Vec::new();
    completer(shell)?
        .write_complete(
            &mut command,
            words.collect(),
            folder.as_deref(),
            &mut answer,
        )
        .map_err(|error| Failure::new(format!("cannot complete: {error}")))?;
    print_data(printable(&answer).as_bytes())
}

/// Removes control characters, which a shell would print: file names may have them. Bash's
/// separator stays.
fn printable(answer: &[u8]) -> String {
    const SEPARATOR: char = '\u{b}';
    let answer = String::from_utf8_lossy(answer);
    let names: Vec<_> = answer.split(SEPARATOR).map(text::lines).collect();
    names.join(&SEPARATOR.to_string())
}

/// Prints candidates in the docker CLI's format: one per line with its help, then a directive.
pub(crate) fn answer_docker(words: &[String], mut command: clap::Command) -> Result<(), Failure> {
    /// The directives: complete with file names, or with nothing else.
    const FILES: &str = ":0\n";
    const NO_FILES: &str = ":4\n";
    let arguments = words.iter().map(OsString::from).collect();
    let index = words.len().saturating_sub(1);
    let folder = std::env::current_dir().ok();
    let found = engine::complete(&mut command, arguments, index, folder.as_deref());
    let found = found.unwrap_or_default();
    let mut answer = String::new();
    for candidate in &found {
        answer.push_str(&candidate.get_value().to_string_lossy());
        if let Some(help) = candidate.get_help() {
            let help = help.to_string();
            answer.push_str(&format!("\t{}", help.lines().next().unwrap_or_default()));
        }
        answer.push('\n');
    }
    answer.push_str(if found.is_empty() { FILES } else { NO_FILES });
    print_text(&answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_bring_no_control_characters() {
        assert_eq!(printable(b"app\x0btests"), "app\u{b}tests");
        assert!(!printable(b"a\x1b[31m").contains('\u{1b}'));
    }
}
