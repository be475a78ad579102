//! The targets at an earlier commit: the same files, evaluated in the same environment.

use std::collections::BTreeMap;
use std::path::Path;

use solvekit::bake::files::DEFAULT_FILES;
use solvekit::bake::{
    self, EarlierTargets, FileReader, InputFile, LocalMachine, ReadError, filepath,
};
use solvekit_host::files::canonical;
use solvekit_host::names::bytes;

use super::super::definition::finish;
use super::super::files::{self, MAX_BYTES, STDIN, WORKING_DIRECTORY};
use super::{Commit, Work};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;

/// The earlier versions of these targets.
pub(super) fn targets(
    commit: &Commit,
    names: &[&String],
    work: &Work<'_>,
    environment: &Environment,
) -> Result<EarlierTargets, Failure> {
    let reader = AtCommit {
        commit,
        machine: work.machine,
    };
    let files = match reader.files(&files::named(work.files, work.settings)?) {
        Ok(files) => files,
        Err(reason) => return Ok(EarlierTargets::Unknown(reason)),
    };
    let evaluated = bake::evaluate(&files, work.variables, &reader, work.machine, work.options);
    let evaluation = match evaluated {
        Ok(evaluation) => evaluation,
        Err(error) => return Ok(EarlierTargets::Unknown(error.to_string())),
    };
    let mut targets = BTreeMap::new();
    for &name in names {
        let planned = evaluation.plan(std::slice::from_ref(name), &work.set.texts, work.variables);
        // A target that cannot be planned did not exist, or could not be built.
        let target = planned.ok().and_then(|mut plan| {
            finish(&mut plan, work.set.policies, environment);
            plan.targets.remove(name)
        });
        targets.extend(target.map(|target| (name.clone(), target)));
    }
    Ok(EarlierTargets::Known(targets))
}

/// Reads files from the commit.
struct AtCommit<'a> {
    commit: &'a Commit,
    machine: &'a LocalMachine,
}

impl AtCommit<'_> {
    /// The named bake files, or the default ones that existed.
    fn files(&self, named: &[String]) -> Result<Vec<InputFile>, String> {
        let usual = DEFAULT_FILES.map(str::to_owned);
        let names = match named {
            [] => &usual[..],
            named => named,
        };
        let mut files = Vec::new();
        for name in names {
            let name = name.strip_prefix(WORKING_DIRECTORY).unwrap_or(name);
            if name == STDIN {
                return Err("the standard input is in no commit".to_owned());
            }
            match self.read(name) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => files.push(InputFile {
                    name: name.to_owned(),
                    bytes,
                }),
                Err(ReadError::NotFound) if named.is_empty() => {}
                Err(error) => return Err(format!("{name}: {error}")),
            }
        }
        match files.is_empty() {
            true => Err("there was none".to_owned()),
            false => Ok(files),
        }
    }

    /// The path in the repository, if the file exists there.
    fn inside(&self, path: &str) -> Option<String> {
        let folder = canonical(Path::new(self.working_directory())).ok()?;
        let absolute = match filepath::is_absolute(path) {
            true => filepath::clean(path),
            false => filepath::join(folder.to_str()?, path),
        };
        let inside = Path::new(&absolute).strip_prefix(self.commit.root()).ok()?;
        // git separates names with `/`.
        String::from_utf8(bytes(inside.as_os_str()).into_owned()).ok()
    }
}

impl FileReader for AtCommit<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        let Some(inside) = self.inside(path) else {
            return Err(ReadError::Other(
                "it is outside of the repository".to_owned(),
            ));
        };
        let read = self.commit.file(&inside);
        let read = read.map_err(|failure| ReadError::Other(failure.into_message()))?;
        match read.ok_or(ReadError::NotFound)? {
            bytes if bytes.len() as u64 > MAX_BYTES => Err(ReadError::Other(format!(
                "it is larger than {MAX_BYTES} bytes"
            ))),
            bytes => Ok(bytes),
        }
    }

    fn working_directory(&self) -> &str {
        self.machine.working_directory()
    }
}
