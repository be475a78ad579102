//! Shell completions of flags: stages, builders, platforms and targets of bake files.
//!
//! The shell waits for the result, so only local files are read and no daemon is asked. A file that
//! cannot be read gives no candidates.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, CommandFactory as _};
use clap_complete::CompletionCandidate;
use clap_complete::engine::ArgValueCandidates;
use solvekit::builder::Driver;
use solvekit::dockerfile::{InstructionKind, MountType, parse_mount};
use solvekit::{dockerfile, text};

use super::builder::Builders;
use crate::cli::Cli;
use crate::cli::commands::bake;
use crate::cli::commands::plugin::Invocation;
use crate::cli::environment::Environment;

/// The largest Dockerfile that is read for its stages, in bytes.
const MAX_DOCKERFILE: u64 = 1 << 20;

/// Common platforms.
const PLATFORMS: [&str; 11] = [
    "local",
    "linux/amd64",
    "linux/arm64",
    "linux/arm/v7",
    "linux/arm/v6",
    "linux/386",
    "linux/loong64",
    "linux/mips64le",
    "linux/ppc64le",
    "linux/riscv64",
    "linux/s390x",
];

/// For `--platform`.
pub(crate) fn platforms() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(PLATFORMS))
}

/// For `--install`: the architectures of the platforms.
pub(crate) fn architectures() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let names = PLATFORMS.iter().filter_map(|name| name.split('/').nth(1));
        let mut names: Vec<&str> = std::iter::once("all").chain(names).collect();
        names.dedup();
        candidates(names)
    })
}

/// For `--driver`.
pub(crate) fn drivers() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(Driver::names()))
}

/// For `--builder`, and for commands that take the name of a builder.
pub(crate) fn builders() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let environment = Environment::from_process(&Invocation::default());
        let Ok(builders) = Builders::of(&environment) else {
            return Vec::new();
        };
        let mut names = builders.store.names().unwrap_or_default();
        names.extend(builders.contexts.names());
        names.dedup();
        candidates(names)
    })
}

/// For `--target`: the stages of the Dockerfile that the other words name.
pub(crate) fn stages() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let source = given().and_then(|given| read(&dockerfile_of(&given)));
        let parsed = source.and_then(|source| dockerfile::parse(&source).ok());
        let stages = parsed.into_iter().flat_map(|parsed| parsed.stages);
        candidates(stages.filter_map(|stage| stage.written_name))
    })
}

/// For `--id` of a cache mount: those of the Dockerfile in this folder.
pub(crate) fn cache_mounts() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let source = read(Path::new("Dockerfile")).unwrap_or_default();
        candidates(cache_mount_ids(&source))
    })
}

/// The ids of cache mounts without variables, each once.
fn cache_mount_ids(source: &[u8]) -> BTreeSet<String> {
    let parsed = dockerfile::parse(source).into_iter();
    let stages = parsed.flat_map(|parsed| parsed.stages);
    let instructions = stages.flat_map(|stage| stage.instructions);
    let mounts = instructions.flat_map(|instruction| match instruction.kind {
        InstructionKind::Run(run) => run.mounts,
        _ => Vec::new(),
    });
    let mounts = mounts.filter_map(|mount| {
        let mount = parse_mount(&mount.text, &mut |value| Ok(value.to_owned())).ok()?;
        let id = if mount.id.is_empty() {
            mount.target
        } else {
            mount.id
        };
        let is_known = mount.kind == MountType::Cache && !id.contains('$');
        is_known.then_some(id)
    });
    mounts.collect()
}

/// For the targets of `bake`: targets and groups of the files that the other words name, or of the
/// default files.
pub(crate) fn bake_targets() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let files = given().and_then(|given| given.try_get_many::<String>("file").ok()?.map(owned));
        candidates(bake::names(&files.unwrap_or_default()))
    })
}

fn owned<'a>(words: impl Iterator<Item = &'a String>) -> Vec<String> {
    words.cloned().collect()
}

/// Only names without spaces and control characters: a shell would split or print the others.
fn candidates<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Vec<CompletionCandidate> {
    let names = names.into_iter().map(Into::into);
    let is_plain =
        |name: &String| !name.contains(char::is_whitespace) && text::lines(name) == *name;
    names
        .filter(is_plain)
        .map(CompletionCandidate::new)
        .collect()
}

/// The arguments that are already on the command line, as far as they can be parsed.
fn given() -> Option<ArgMatches> {
    let words = words(std::env::args_os());
    let command = Cli::command().ignore_errors(true);
    let mut matches = command.try_get_matches_from(words).ok()?;
    Some(matches.remove_subcommand()?.1)
}

/// The words that are completed: they follow `--` in a completion script, and `__complete` in the
/// docker CLI.
fn words(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let is_start = |word: &OsString| word == "--" || word == "__complete";
    arguments
        .skip_while(|word| !is_start(word))
        .skip(1)
        .collect()
}

fn dockerfile_of(given: &ArgMatches) -> PathBuf {
    let word = |id| given.try_get_one::<String>(id).ok().flatten();
    match (word("file"), word("context")) {
        (Some(file), _) => file.into(),
        (None, Some(context)) => Path::new(context).join("Dockerfile"),
        (None, None) => "Dockerfile".into(),
    }
}

/// Reads a regular file: a pipe might never end.
fn read(path: &Path) -> Option<Vec<u8>> {
    let is_readable = path.metadata().ok()?.is_file();
    let file = is_readable.then(|| File::open(path).ok()).flatten()?;
    let mut source = Vec::new();
    file.take(MAX_DOCKERFILE).read_to_end(&mut source).ok()?;
    Some(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_shell_would_take_apart_are_left_out() {
        let names = candidates(["app", "a b", "a\x1b[31m", "tests"]);
        let names: Vec<_> = names.iter().map(|name| name.get_value()).collect();
        assert_eq!(names, ["app", "tests"]);
    }

    #[test]
    fn ids_of_cache_mounts_are_those_of_the_dockerfile() {
        let source =
            b"FROM a\nRUN --mount=type=cache,id=go,target=/x --mount=type=cache,target=/y \
            --mount=type=cache,id=$V,target=/z --mount=type=tmpfs,target=/t true\n";
        let ids: Vec<_> = cache_mount_ids(source).into_iter().collect();
        assert_eq!(ids, ["/y", "go"]);
    }

    #[test]
    fn the_words_follow_the_script_s_separator() {
        let words = |line: &str| words(line.split(' ').map(OsString::from));
        assert_eq!(
            words("/bin/solvekit -- solvekit build"),
            ["solvekit", "build"]
        );
        assert_eq!(
            words("docker-solvekit __complete solvekit ls"),
            ["solvekit", "ls"]
        );
        assert!(words("solvekit build").is_empty());
    }
}
