//! The pages of `docs/cli/`, generated from the same definitions as `--help`. A test keeps them up
//! to date.

mod variables;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command, CommandFactory as _};

use super::Cli;

const FOLDER: &str = "docs/cli";
/// Set this to write the pages instead of comparing them.
const UPDATE: &str = "UPDATE_DOCS";
const COMMAND: &str = "UPDATE_DOCS=1 cargo test --bin solvekit reference";

#[test]
fn the_reference_is_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    let pages = pages();
    if std::env::var_os(UPDATE).is_some() {
        return write(&folder, &pages);
    }
    let mut stale = Vec::new();
    for (name, text) in &pages {
        if std::fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text) {
            stale.push(name.clone());
        }
    }
    stale.extend(
        existing(&folder)
            .into_iter()
            .filter(|name| !pages.contains_key(name)),
    );
    assert!(
        stale.is_empty(),
        "{FOLDER} does not match the code: {}. Run: {COMMAND}",
        stale.join(", ")
    );
}

/// Every name that clap knows must be in the pages, so that no flag can be added without its docs.
#[test]
fn every_visible_flag_is_in_the_reference() {
    let pages = pages();
    let mut command = Cli::command();
    command.build();
    for below in visible(&command) {
        let page = &pages[&file_name(below)];
        for flag in below.get_arguments().filter(|flag| is_own(flag)) {
            if let Some(name) = flag.get_long() {
                assert!(page.contains(&format!("--{name}")), "--{name}");
            }
        }
    }
}

fn write(folder: &Path, pages: &BTreeMap<String, String>) {
    std::fs::create_dir_all(folder).unwrap();
    for name in existing(folder) {
        if !pages.contains_key(&name) {
            std::fs::remove_file(folder.join(name)).unwrap();
        }
    }
    for (name, text) in pages {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

fn existing(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| PathBuf::from(entry.file_name()));
    names.map(|name| name.display().to_string()).collect()
}

/// The pages, by their file names.
fn pages() -> BTreeMap<String, String> {
    let mut command = Cli::command();
    command.build();
    let mut pages = BTreeMap::from([("README.md".to_owned(), overview(&command))]);
    for below in visible(&command) {
        pages.insert(file_name(below), page(below));
    }
    pages
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    let below = command.get_subcommands();
    below.filter(|below| !below.is_hide_set() && below.get_name() != "help")
}

fn file_name(command: &Command) -> String {
    format!("{}.md", command.get_name())
}

fn overview(command: &Command) -> String {
    let mut text = String::from(
        "# The command line\n\nOne page for each command. The pages are made from the code; \
         `solvekit help COMMAND` prints the\nsame text, and `solvekit man DIR` writes it as manual \
         pages.\n\n| command | what it does |\n|---|---|\n",
    );
    for below in visible(command) {
        let (name, file) = (below.get_name(), file_name(below));
        let about = cell(&plain(below.get_about()));
        let _ = writeln!(text, "| [{name}]({file}) | {about} |");
    }
    text.push_str(
        "\n## Flags of every command\n\nA flag without a value also takes `=true` and `=false`. \
         Of repeated flags the last one counts,\nunless the flag says \"repeatable\". An empty \
         value \
         counts as not given.\n",
    );
    flags(command, &mut text, 3, |flag| !flag.is_hide_set());
    text.push_str("\n## Environment variables\n\n| variable | effect |\n|---|---|\n");
    for (name, effect) in variables::VARIABLES {
        let _ = writeln!(text, "| `{name}` | {} |", cell(effect));
    }
    text
}

fn page(command: &Command) -> String {
    let mut text = String::new();
    section(command, &mut text, 1);
    text.push_str(
        "\nThe flags that choose the daemon, such as `--builder`, are in the \
         [overview](README.md).\n",
    );
    text
}

/// A command and its subcommands.
fn section(command: &Command, text: &mut String, level: usize) {
    let name = command.get_bin_name().unwrap_or_default();
    let _ = writeln!(text, "{} {name}\n", "#".repeat(level));
    let about = command.get_long_about().or(command.get_about());
    let _ = writeln!(text, "{}.\n", plain(about));
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let _ = writeln!(text, "```\n{usage}\n```");
    let aliases: Vec<&str> = command.get_visible_aliases().collect();
    if !aliases.is_empty() {
        let _ = writeln!(text, "\nAlias: `{}`.", aliases.join("`, `"));
    }
    let mut positionals = command.get_positionals().peekable();
    if positionals.peek().is_some() {
        table(positionals, text, "argument");
    }
    flags(command, text, level + 1, is_own);
    let examples = command
        .get_after_long_help()
        .or_else(|| command.get_after_help());
    if let Some(examples) = examples {
        fenced(&examples.to_string(), text);
    }
    for below in visible(command) {
        text.push('\n');
        section(below, text, level + 1);
    }
}

/// False for the flags that every command has.
fn is_own(flag: &Arg) -> bool {
    let is_help = matches!(
        flag.get_action(),
        ArgAction::Help | ArgAction::HelpLong | ArgAction::HelpShort | ArgAction::Version
    );
    !flag.is_hide_set() && !flag.is_global_set() && !is_help && !flag.is_positional()
}

fn flags(command: &Command, text: &mut String, level: usize, is_shown: impl Fn(&Arg) -> bool) {
    let shown: Vec<&Arg> = command
        .get_arguments()
        .filter(|flag| is_shown(flag))
        .collect();
    let mut headings: Vec<&str> = Vec::new();
    for flag in &shown {
        let heading = flag.get_help_heading().unwrap_or("Options");
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        let _ = write!(text, "\n{} {heading}\n", "#".repeat(level));
        let under = shown
            .iter()
            .filter(|flag| flag.get_help_heading().unwrap_or("Options") == heading);
        table(under.copied(), text, "flag");
    }
}

fn table<'a>(flags: impl Iterator<Item = &'a Arg>, text: &mut String, what: &str) {
    let _ = write!(text, "\n| {what} | what it does |\n|---|---|\n");
    for flag in flags {
        let _ = writeln!(
            text,
            "| `{}` | {} |",
            cell(&usage(flag)),
            cell(&described(flag))
        );
    }
}

/// `-t`, `--tag <NAME>`, or the name of a positional argument.
fn usage(flag: &Arg) -> String {
    let value = flag.to_string();
    match flag.get_short() {
        Some(short) if flag.get_long().is_some() => format!("-{short}, {value}"),
        _ => value,
    }
}

fn described(flag: &Arg) -> String {
    let mut text = plain(flag.get_long_help().or(flag.get_help()));
    let is_switch = !flag.get_action().takes_values();
    if !is_switch && !flag.is_hide_default_value_set() {
        let defaults = flag.get_default_values().iter();
        let defaults: Vec<String> = defaults
            .map(|value| format!("`{}`", value.to_string_lossy()))
            .collect();
        if !defaults.is_empty() {
            let _ = write!(text, ". Default: {}", defaults.join(", "));
        }
    }
    let values = flag.get_possible_values();
    let values: Vec<String> = values
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !values.is_empty() && !is_switch {
        let _ = write!(text, ". One of {}", values.join(", "));
    }
    text
}

fn plain(text: Option<&StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

/// Text in a table cell: on one line, with `|` escaped.
fn cell(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace('|', "\\|")
}

fn fenced(examples: &str, text: &mut String) {
    let (first, rest) = examples.split_once('\n').unwrap_or((examples, ""));
    let title = first.trim_end_matches(':');
    // Text after the examples is not indented.
    let _ = write!(text, "\n**{title}**\n\n```\n");
    let mut open = true;
    for line in rest.lines() {
        let is_text = !line.is_empty() && !line.starts_with(' ');
        if open && is_text {
            while text.ends_with("\n\n") {
                text.pop();
            }
            text.push_str("```\n\n");
            open = false;
        } else if !open && line.starts_with(' ') {
            text.push_str("\n```\n");
            open = true;
        }
        let _ = writeln!(text, "{}", line.strip_prefix("  ").unwrap_or(line));
    }
    if open {
        text.push_str("```\n");
    }
}
