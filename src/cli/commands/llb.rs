//! `solvekit llb`: prints the graph of a Dockerfile, as text or JSON.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, BufWriter, IsTerminal as _, Read, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use solvekit::batch::{self, Case, Images};
use solvekit::dockerfile;
use solvekit::files;
use solvekit::llb::{Definition, render};
use solvekit::lock::Lock;

use crate::cli::args::images::{self, Lookup};
use crate::cli::args::of_dockerfile::{DockerfileArgs, OfDockerfile};
use crate::cli::args::registries::RegistryArgs;
use crate::cli::args::values;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_data, print_json, print_text};
use crate::cli::report::usage::{self, OutputUsage};

/// The width of a tree that is not written to a terminal, in columns.
const WIDTH: usize = 100;
/// The longest case in bytes, including its Dockerfile's text.
const MAX_LINE: u64 = 64 << 20;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LlbArgs {
    #[command(flatten)]
    dockerfile: DockerfileArgs,

    /// Set an option of BuildKit's Dockerfile frontend, for example no-cache= or label:a=b;
    /// repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = values::key_value)]
    opt: Vec<(String, Option<String>)>,

    /// Print the graph for people (tree), for tools (json, pb) or for drawing programs (dot,
    /// mermaid)
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "tree",
        value_parser = ["tree", "json", "pb", "dot", "mermaid"]
    )]
    format: String,

    /// Take base images from this lock instead of asking registries
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,

    /// Do not connect to registries
    #[arg(long)]
    offline: bool,

    /// Read test cases from this file, or - for stdin (one JSON object per line), and print one
    /// answer per line
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = [
            "context", "file", "ignorefile", "build_context", "platform", "target", "build_arg",
            "build_arg_file", "opt", "format"
        ]
    )]
    batch: Option<PathBuf>,

    #[command(flatten)]
    registries: RegistryArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit llb .                                        stages, steps, what each reads
  solvekit llb --format json --platform linux/arm64 .   everything, for tools
  solvekit llb --format pb . | buildctl build --local context=.
  solvekit llb --format dot . | dot -Tsvg > graph.svg
  solvekit llb --batch cases.jsonl > answers.jsonl      one case a line, one answer a line";

pub(crate) fn cmd_llb(args: &LlbArgs, environment: &Environment) -> Result<(), Failure> {
    if let Some(cases) = &args.batch {
        return answer_all(cases, args, environment);
    }
    let mut of = args.dockerfile.read(environment)?;
    for (key, value) in &args.opt {
        of.case
            .opts
            .insert(key.clone(), value.clone().unwrap_or_default());
    }
    let images = images::lookup(
        args.lock.as_ref(),
        args.offline,
        &args.registries,
        environment,
    )?;
    if args.format == "json" {
        let answer = batch::answer(&of.case, of.source.text(), &images);
        print_json(&format!("{answer}\n"))?;
        return match answer.get("error") {
            Some(_) => Err(failed(&of, &answer, &images)),
            None => Ok(()),
        };
    }
    let translated = batch::translate(&of.case, of.source.text(), &images)
        .map_err(|answer| failed(&of, &answer, &images))?;
    let graphs: Vec<(String, &Definition)> = translated
        .translations
        .iter()
        .map(|translation| {
            let platform = translation.platform.normalized();
            (platform.format_all(), &translation.definition)
        })
        .collect();
    match args.format.as_str() {
        "pb" => print_definition(&graphs),
        "dot" => print_text(&render::dot(&graphs)),
        "mermaid" => print_text(&render::mermaid(&graphs)),
        _ => print_text(&render::tree(&graphs, columns())),
    }
}

fn print_definition(graphs: &[(String, &Definition)]) -> Result<(), Failure> {
    let [(_, definition)] = graphs else {
        return Err(OutputUsage::SeveralGraphs.into());
    };
    if std::io::stdout().is_terminal() {
        return Err(OutputUsage::GraphToTerminal.into());
    }
    print_data(&definition.encode())
}

fn columns() -> usize {
    match solvekit_host::terminal::output_size() {
        Some((columns, _)) if std::io::stdout().is_terminal() => usize::from(columns),
        _ => WIDTH,
    }
}

/// The most lines that are shown for an error: an unclosed heredoc spans the whole file.
const SHOWN_LINES: usize = 100;

/// The error in an answer, with the lines that it is about.
fn failed(of: &OfDockerfile, answer: &Value, images: &Lookup) -> Failure {
    let message = answer["error"].as_str().unwrap_or_default();
    let line = |at: usize| answer["errorLines"][at].as_u64();
    let lines = line(0).zip(line(1));
    let lines: Vec<u64> = lines.map_or_else(Vec::new, |(first, last)| {
        (first..=last).take(SHOWN_LINES).collect()
    });
    let failure = of.failed(message, &lines);
    match images.lacks_a_lock() {
        true => failure.advised(Some(usage::WITHOUT_A_LOCK.to_owned())),
        false => failure.advised(images.advice()),
    }
}

/// Prints one answer per line, in the order of the cases. The answer to an invalid case is an
/// error.
fn answer_all(path: &Path, args: &LlbArgs, environment: &Environment) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!("cannot read the cases {}: {error}", path.display()))
    };
    let (reader, folder): (Box<dyn Read>, PathBuf) = match path.to_str() {
        Some("-") => (Box::new(std::io::stdin()), PathBuf::new()),
        _ => {
            let folder = path.parent().unwrap_or(Path::new("")).to_owned();
            (Box::new(std::fs::File::open(path).map_err(failed)?), folder)
        }
    };
    let mut batch = Batch {
        folder,
        without_lock: images::lookup(
            args.lock.as_ref(),
            args.offline,
            &args.registries,
            environment,
        )?,
        locks: HashMap::new(),
    };
    let mut lines = BufReader::new(reader);
    let mut out = BufWriter::new(std::io::stdout().lock());
    while let Some(line) = next_line(&mut lines, MAX_LINE).map_err(failed)? {
        let answer = match &line {
            Ok(line) if line.trim().is_empty() => continue,
            Ok(line) => batch.answer(line),
            Err(reason) => json!({ "error": format!("the line is not a case: {reason}") }),
        };
        let written = serde_json::to_writer(&mut out, &answer)
            .map_err(std::io::Error::from)
            .and_then(|()| out.write_all(b"\n"))
            // A caller that sends one case at a time waits for its answer.
            .and_then(|()| {
                if lines.buffer().is_empty() {
                    out.flush()
                } else {
                    Ok(())
                }
            });
        match written {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(Failure::new(format!("cannot write to stdout: {error}"))),
            Ok(()) => {}
        }
    }
    let _ = out.flush();
    Ok(())
}

/// The next line, or the reason why it cannot be used: then it is skipped, and at most `limit`
/// bytes of it are buffered.
fn next_line(
    lines: &mut impl BufRead,
    limit: u64,
) -> std::io::Result<Option<Result<String, String>>> {
    let mut line = Vec::new();
    lines.take(limit + 1).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.len() as u64 > limit {
        if line.last() != Some(&b'\n') {
            lines.skip_until(b'\n')?;
        }
        return Ok(Some(Err(files::too_large(limit).to_string())));
    }
    let line = String::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned());
    Ok(Some(line))
}

/// State that the cases share.
struct Batch {
    /// The base of relative paths in cases.
    folder: PathBuf,
    without_lock: Lookup,
    locks: HashMap<String, Lock>,
}

impl Batch {
    fn answer(&mut self, line: &str) -> Value {
        let case = match Case::parse(line) {
            Ok(case) => case,
            Err(error) => return json!({ "error": format!("the line is not a case: {error}") }),
        };
        self.answer_case(&case).unwrap_or_else(|reason| {
            let mut answer = json!({ "error": reason });
            if !case.id.is_null() {
                answer["id"] = case.id.clone();
            }
            answer
        })
    }

    fn answer_case(&mut self, case: &Case) -> Result<Value, String> {
        let source = match (&case.text, &case.dockerfile) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(path)) => self.read(path, dockerfile::MAX_SIZE as u64)?,
            (None, None) => return Err("the case has neither dockerfile nor text".to_owned()),
        };
        let images: &dyn Images = match &case.lock {
            Some(path) => {
                if !self.locks.contains_key(path) {
                    let lock = Lock::parse(&self.read(path, images::MAX_LOCK)?)
                        .map_err(|error| format!("cannot use the lock {path}: {error}"))?;
                    self.locks.insert(path.clone(), lock);
                }
                &self.locks[path]
            }
            None => &self.without_lock,
        };
        Ok(batch::answer(case, &source, images))
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, String> {
        let path = self.folder.join(path);
        files::read_at_most(&path, limit)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_beyond_the_limit_is_an_error_and_the_next_one_is_read() {
        let text = format!(
            "short\n{}\n123456789\n12345678\n\u{ff}\nlast",
            "x".repeat(1000)
        );
        let mut bytes = text.into_bytes();
        let at = bytes.iter().position(|byte| *byte == 0xc3).unwrap();
        bytes.splice(at..at + 2, [0xff]);
        let mut lines = BufReader::with_capacity(16, bytes.as_slice());
        let mut read = Vec::new();
        while let Some(line) = next_line(&mut lines, 9).unwrap() {
            read.push(line);
        }
        let long = Err("it is larger than the limit of 9 bytes".to_owned());
        let expected = [
            Ok("short\n".to_owned()),
            long.clone(),
            long,
            Ok("12345678\n".to_owned()),
            Err("it is not UTF-8".to_owned()),
            Ok("last".to_owned()),
        ];
        assert_eq!(read, expected);
    }
}
