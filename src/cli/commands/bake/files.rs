//! Selects and reads the bake files, and the environment variables that they see.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use solvekit::bake::files::DEFAULT_FILES;
use solvekit::bake::{Environment, InputFile, MAX_FILE, read_beneath, read_file};
use solvekit::oci::Platform;

use crate::cli::args::values;
use crate::cli::report::Failure;
use crate::cli::report::bake_files::BakeFiles;
use crate::cli::report::usage::BakeUsage;

/// The largest file that is read.
pub(super) const MAX_BYTES: u64 = MAX_FILE;
/// The prefix of a local path in a remote definition.
pub(super) const WORKING_DIRECTORY: &str = "cwd://";
/// The variable that names files.
const FILES: &str = "BUILDX_BAKE_FILE";
/// The name of the standard input.
pub(super) const STDIN: &str = "-";

/// The environment variables that bake files see, and those that configure the command.
#[derive(Debug, Default)]
pub(super) struct Settings {
    variables: BTreeMap<String, String>,
}

impl Settings {
    pub(super) fn from_process() -> Result<Self, Failure> {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Ok(Self {
            variables: std::env::vars_os().filter_map(text).collect(),
        })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// `BUILDX_BAKE_FILE_RELATIVE_PATHS`
    pub(super) fn file_relative_paths(&self) -> Result<bool, Failure> {
        const NAME: &str = "BUILDX_BAKE_FILE_RELATIVE_PATHS";
        match self.get(NAME).map(str::trim) {
            None | Some("") => Ok(false),
            Some(value) => values::boolean(value).map_err(|reason| {
                Failure::new(format!("the variable {NAME} cannot be used: {reason}"))
            }),
        }
    }

    /// `BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP`; a value that is not a boolean counts as false.
    fn is_lookup_disabled(&self) -> bool {
        let value = self.get("BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP");
        value.is_some_and(|value| values::boolean(value) == Ok(true))
    }

    /// The files of `BUILDX_BAKE_FILE`, which must exist.
    fn files(&self) -> Result<Vec<String>, Failure> {
        let separator = self
            .get("BUILDX_BAKE_PATH_SEPARATOR")
            .filter(|text| !text.is_empty());
        let Some(list) = self.get(FILES) else {
            return Ok(Vec::new());
        };
        let names = list.split(separator.unwrap_or(":")).map(str::trim);
        let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
        for name in names.iter().filter(|name| **name != STDIN) {
            if let Err(source) = Path::new(name).metadata() {
                let name = (*name).to_owned();
                return Err(BakeUsage::NamedByVariable { name, source }.into());
            }
        }
        Ok(names.into_iter().map(str::to_owned).collect())
    }
}

/// The environment of an evaluation.
pub(super) fn environment(
    settings: &Settings,
    var: &[String],
    context: &str,
) -> Result<Environment, Failure> {
    let lookup_disabled = settings.is_lookup_disabled();
    let variables = if lookup_disabled {
        BTreeMap::new()
    } else {
        settings.variables.clone()
    };
    Ok(Environment {
        variables,
        lookup_disabled,
        overrides: overrides(var)?,
        command_context: context.to_owned(),
        local_platform: Platform::host().to_string(),
    })
}

/// The values of `--var`.
fn overrides(given: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let filled = given.iter().filter(|text| !text.is_empty());
    filled
        .map(|text| match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
            _ => Err(BakeUsage::Variable(text.clone()).into()),
        })
        .collect()
}

/// The files from the flags, or from the environment. Empty for the default files.
pub(super) fn named(given: &[String], settings: &Settings) -> Result<Vec<String>, Failure> {
    match given {
        [] => settings.files(),
        given => Ok(given.to_vec()),
    }
}

/// The variable that names the files, if one does.
pub(super) fn variable(given: &[String], settings: &Settings) -> Option<&'static str> {
    let names_files = given.is_empty() && !settings.files().is_ok_and(|files| files.is_empty());
    names_files.then_some(FILES)
}

/// Reads the files from the flags, from the environment, or the default ones.
pub(super) fn read(
    given: &[String],
    settings: &Settings,
    stdin: impl Fn() -> io::Result<Vec<u8>>,
    shown: &mut BakeFiles,
) -> Result<Vec<InputFile>, Failure> {
    let files = read_some(named(given, settings)?, stdin, shown)?;
    if files.is_empty() {
        return Err(BakeUsage::NoFile.into());
    }
    Ok(files)
}

/// Reads these files, or the default ones as far as they exist. Adds each to the files that the
/// progress shows, also one that cannot be read.
pub(super) fn read_some(
    named: Vec<String>,
    stdin: impl Fn() -> io::Result<Vec<u8>>,
    shown: &mut BakeFiles,
) -> Result<Vec<InputFile>, Failure> {
    let usual = named.is_empty();
    let names = if usual {
        DEFAULT_FILES.map(str::to_owned).to_vec()
    } else {
        named
    };
    let mut files = Vec::new();
    for name in names {
        let name = name
            .strip_prefix(WORKING_DIRECTORY)
            .unwrap_or(&name)
            .to_owned();
        let read = match usual {
            _ if name == STDIN => stdin(),
            true => read_here(Path::new(&name)),
            false => read_file(&name),
        };
        let is_absent = |error: &io::Error| usual && error.kind() == io::ErrorKind::NotFound;
        if !read.as_ref().is_err_and(is_absent) {
            shown.add(&name, read.as_ref().map_or(0, Vec::len));
        }
        match read {
            // An empty file counts as absent.
            Ok(bytes) if bytes.is_empty() && name != STDIN => {}
            Ok(bytes) if bytes.len() as u64 > MAX_BYTES => {
                return Err(Failure::new(format!(
                    "cannot read {name}: it is larger than {MAX_BYTES} bytes"
                )));
            }
            Ok(bytes) => files.push(InputFile { name, bytes }),
            Err(error) if is_absent(&error) => {}
            Err(error) if usual => return Err(unread(&name, &error)),
            Err(error) => {
                let failure = Failure::new(format!("cannot read {name}: {error}"));
                return Err(failure.of_missing_file("", &name, &error));
            }
        }
    }
    Ok(files)
}

/// Reads a regular file of the working directory, and one byte more than the size limit. Default
/// files may come from a repository, so no link may lead out of the folder, and pipes are rejected.
pub(super) fn read_here(path: &Path) -> io::Result<Vec<u8>> {
    read_beneath(Path::new("."), path)
}

/// The failure for an unreadable default file. One that leads out of the folder has to be named
/// explicitly.
pub(super) fn unread(name: &str, error: &io::Error) -> Failure {
    let source = io::Error::new(error.kind(), error.to_string());
    let name = name.to_owned();
    BakeUsage::UsualFile { name, source }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Settings {
            variables: pairs.iter().map(pair).collect(),
        }
    }

    fn names(files: &[InputFile]) -> Vec<&str> {
        files.iter().map(|file| file.name.as_str()).collect()
    }

    #[test]
    fn variables_of_the_command_line_have_a_name() {
        let given = ["A=1=2".to_owned(), String::new()];
        assert_eq!(overrides(&given).unwrap()["A"], "1=2");
        assert!(overrides(&["A".to_owned()]).is_err());
        assert!(overrides(&["=x".to_owned()]).is_err());
    }

    #[test]
    fn files_of_the_environment_are_split_and_must_exist() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.hcl");
        std::fs::write(&path, "x = 1").unwrap();
        let path = path.to_str().unwrap();
        let list = format!("{path}; - ;");
        let settings = settings(&[
            ("BUILDX_BAKE_FILE", &list),
            ("BUILDX_BAKE_PATH_SEPARATOR", ";"),
        ]);
        let files = read(&[], &settings, || Ok(Vec::new()), &mut BakeFiles::default()).unwrap();
        assert_eq!(names(&files), [path, "-"]);
        let missing = self::settings(&[("BUILDX_BAKE_FILE", "/nowhere/x.hcl")]);
        let failure =
            read(&[], &missing, || Ok(Vec::new()), &mut BakeFiles::default()).unwrap_err();
        assert!(failure.message().contains("/nowhere/x.hcl"));
    }

    #[test]
    fn an_empty_file_counts_as_absent_but_not_an_empty_stdin() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.hcl");
        std::fs::write(&path, "").unwrap();
        let given = [path.to_str().unwrap().to_owned()];
        let failure = read(
            &given,
            &Settings::default(),
            || Ok(Vec::new()),
            &mut BakeFiles::default(),
        )
        .unwrap_err();
        assert!(failure.message().contains("no bake file"));
        let given = ["-".to_owned()];
        assert!(
            read(
                &given,
                &Settings::default(),
                || Ok(Vec::new()),
                &mut BakeFiles::default()
            )
            .is_ok()
        );
    }

    #[test]
    fn the_environment_can_be_turned_off() {
        let off = settings(&[("A", "1"), ("BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP", "1")]);
        let environment = environment(&off, &[], "cwd://").unwrap();
        assert!(environment.lookup_disabled && environment.variables.is_empty());
        let maybe = settings(&[("BUILDX_BAKE_FILE_RELATIVE_PATHS", "maybe")]);
        assert!(maybe.file_relative_paths().is_err());
    }
}
