//! Parses `--opt`, `--local` and `--oci-layout`: names with values.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::report::Failure;

/// Parses `KEY=VALUE`; the last value of a key wins.
pub(super) fn pairs(flag: &str, given: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |text: &String| match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => {
            let failure = Failure::new(format!("{flag} {text:?} has no name: expected NAME=VALUE"));
            let name = flag.trim_start_matches('-');
            let words = match name {
                "oci-layout" => format!(
                    "oci-layout option must be 'id=path/to/layout', instead had invalid {text}"
                ),
                _ => format!("invalid value {text}"),
            };
            Err(failure.in_buildx(Some(format!("invalid {name}: {words}"))))
        }
    };
    let given = given.iter().filter(|text| !text.is_empty());
    given.map(pair).collect()
}

/// The folders of `--local`.
pub(super) fn folders(given: &[String]) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let folder = |(name, path): (String, String)| match Path::new(&path).is_dir() {
        true => Ok((name, PathBuf::from(path))),
        false => {
            let failure = Failure::new(format!("--local {name}: {path:?} is not a folder"));
            let is_missing = !Path::new(&path).exists();
            let words = is_missing.then(|| {
                format!("invalid local: resolve : lstat {path}: no such file or directory")
            });
            Err(failure.in_buildx(words))
        }
    };
    pairs("--local", given)?.into_iter().map(folder).collect()
}

/// The layouts of `--oci-layout`.
pub(super) fn layouts(given: &[String]) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let layout =
        |(name, path): (String, String)| match Path::new(&path).join("index.json").is_file() {
            true => Ok((name, PathBuf::from(path))),
            false => Err(Failure::new(format!(
                "--oci-layout {name}: {path:?} is not an OCI layout: it has no index.json"
            ))),
        };
    let given = pairs("--oci-layout", given)?;
    given.into_iter().map(layout).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_equals_signs_and_the_last_one_wins() {
        let given = ["a=1", "build-arg:X=y=z", "a=2", ""].map(String::from);
        let found = pairs("--opt", &given).unwrap();
        assert_eq!(
            Vec::from_iter(found),
            [
                ("a".to_owned(), "2".to_owned()),
                ("build-arg:X".to_owned(), "y=z".to_owned())
            ]
        );
        let error = pairs("--opt", &["nothing".to_owned()]).unwrap_err();
        assert_eq!(
            error.into_message(),
            "--opt \"nothing\" has no name: expected NAME=VALUE"
        );
    }

    #[test]
    fn folders_have_to_be_there() {
        let error = folders(&["context=/no/such/folder".to_owned()]).unwrap_err();
        assert_eq!(
            error.into_message(),
            "--local context: \"/no/such/folder\" is not a folder"
        );
        let here = std::env::temp_dir();
        let given = format!("context={}", here.display());
        assert_eq!(folders(&[given]).unwrap()["context"], here);
    }
}
