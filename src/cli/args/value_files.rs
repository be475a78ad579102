//! Flags whose values are in files: `--build-arg-file` and `--tag-file`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueHint;
use solvekit::bake::compose::read_dotenv;
use solvekit::files::read_at_most;

use super::headings::{BUILD, OUTPUTS};
use super::values;
use crate::cli::report::Failure;
use crate::cli::report::usage::BuildUsage;

/// The size limit of such a file, in bytes.
const LIMIT: u64 = 1 << 20;

// `--build-arg`, and files of arguments.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = BUILD)]
pub(crate) struct ArgumentArgs {
    /// Set an ARG; without =VALUE the value comes from the environment; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::key_value)]
    build_arg: Vec<(String, Option<String>)>,

    /// Set the ARGs of this file, with a line NAME=VALUE for each, as in .env files; --build-arg
    /// goes before it; repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    build_arg_file: Vec<PathBuf>,
}

impl ArgumentArgs {
    /// All arguments. Later files take precedence.
    pub(crate) fn read(&self) -> Result<BTreeMap<String, String>, Failure> {
        let mut arguments = BTreeMap::new();
        for path in &self.build_arg_file {
            let mut text = read("--build-arg-file", path)?;
            // A name without a value is valid on the last line too.
            text.push('\n');
            // References in values refer only to values in the files, so that a file means the same
            // everywhere. A name without a value is looked up in the environment, as for
            // --build-arg.
            let read = read_dotenv(&text, &arguments, &|name| std::env::var(name).ok());
            arguments = read.map_err(|source| BuildUsage::ArgumentFile {
                path: path.clone(),
                source,
            })?;
            if arguments.contains_key("") {
                return Err(BuildUsage::ArgumentWithoutName { path: path.clone() }.into());
            }
        }
        arguments.extend(values::build_args(self.build_arg.clone()));
        Ok(arguments)
    }
}

// Files of image names.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = OUTPUTS)]
pub(crate) struct TagFileArgs {
    /// Name the image as in this file: a name on each line; repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    tag_file: Vec<PathBuf>,
}

impl TagFileArgs {
    pub(crate) fn is_empty(&self) -> bool {
        self.tag_file.is_empty()
    }

    /// The names, in the order of the files. Empty lines and lines that begin with # are ignored.
    pub(crate) fn read(&self) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        for path in &self.tag_file {
            let text = read("--tag-file", path)?;
            let lines = text.lines().map(str::trim);
            let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
            names.extend(lines.map(str::to_owned));
        }
        Ok(names)
    }
}

fn read(flag: &'static str, path: &Path) -> Result<String, Failure> {
    let bytes = read_at_most(path, LIMIT);
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let text = bytes.and_then(|bytes| match String::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => Err(invalid("it has NUL bytes".to_owned())),
        // Editors on Windows write a byte order mark.
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()),
        Err(error) => Err(invalid(error.utf8_error().to_string())),
    });
    Ok(text.map_err(|source| BuildUsage::ValueFile {
        flag,
        path: path.to_owned(),
        source,
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_files_and_flags_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let arguments = ArgumentArgs {
            build_arg: vec![("C".into(), Some("flag".into()))],
            build_arg_file: vec![
                file("a", "# comment\nA=1\nexport B=\"two words\"\nC=3\n"),
                file("b", "A=2 # comment\nD=${B}!\nE='$A'\nNOT_SET_ANYWHERE\n"),
            ],
        };
        let read = arguments.read().unwrap();
        let read: Vec<_> = read.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let wanted = [
            ("A", "2"),
            ("B", "two words"),
            ("C", "flag"),
            ("D", "two words!"),
            ("E", "$A"),
        ];
        assert_eq!(read, wanted);
    }

    #[test]
    fn files_of_other_editors_are_read_and_others_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("arguments");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let arguments = ArgumentArgs {
                build_arg: Vec::new(),
                build_arg_file: vec![path.clone()],
            };
            arguments.read().map_err(Failure::into_message)
        };
        let found = read(b"\xef\xbb\xbfA=1\r\nB='2'\r\nPATH").unwrap();
        let names: Vec<_> = found.keys().map(String::as_str).collect();
        assert_eq!(names, ["A", "B", "PATH"]);
        assert_eq!((found["A"].as_str(), found["B"].as_str()), ("1", "2"));
        assert!(read(b"A=\0").unwrap_err().contains("NUL bytes"));
        assert!(read(b"A=\xff").unwrap_err().contains("utf-8"));
        assert!(
            read(b"A=1\n=2\n")
                .unwrap_err()
                .contains("a line without a name")
        );
    }

    #[test]
    fn names_are_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tags");
        std::fs::write(&path, "\u{feff}# of the release\n\n a:1 \r\nb\n").unwrap();
        let tags = TagFileArgs {
            tag_file: vec![path],
        };
        assert_eq!(tags.read().unwrap(), ["a:1", "b"]);
    }
}
