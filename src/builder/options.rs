//! Driver options: parsing and checking their names.

use std::collections::BTreeMap;

use super::{Driver, Error, OptionProblem};
use crate::suggest::nearest;

impl Driver {
    /// Parses options in the form of `--driver-opt`, `name=value[,name=value…]` each, and checks
    /// their names. The values are checked when a node is created ([`super::Instance::new`]).
    ///
    /// # Errors
    /// [`Error::UnknownOption`], [`Error::InvalidOption`].
    pub fn parse_options(self, texts: &[String]) -> Result<BTreeMap<String, String>, Error> {
        let mut options = BTreeMap::new();
        for text in texts {
            let invalid = |source| Error::InvalidOption {
                driver: self,
                option: text.clone(),
                value: String::new(),
                source,
            };
            let fields =
                crate::dockerfile::csv_fields(text).ok_or_else(|| invalid(OptionProblem::Csv))?;
            for field in fields {
                let Some((name, value)) = field.split_once('=') else {
                    return Err(invalid(OptionProblem::Form));
                };
                options.insert(name.trim().to_owned(), value.to_owned());
            }
        }
        self.check_options(&options)?;
        Ok(options)
    }

    /// Checks the names of options.
    ///
    /// # Errors
    /// [`Error::UnknownOption`] for the first unknown option.
    pub fn check_options(self, options: &BTreeMap<String, String>) -> Result<(), Error> {
        let known = self.options();
        let is_known = |name: &str| {
            let is_variable = name
                .strip_prefix("env.")
                .is_some_and(|rest| !rest.is_empty());
            known.contains(&name) || is_variable && known.contains(&"env.*")
        };
        let unknown = options.keys().find(|name| !is_known(name));
        match unknown {
            None => Ok(()),
            Some(option) => Err(Error::UnknownOption {
                driver: self,
                option: option.clone(),
                nearest: nearest(option, known),
            }),
        }
    }
}

/// Parses an option's value with `read`, which returns the mistake in it.
pub(super) fn value<T>(
    driver: Driver,
    options: &BTreeMap<String, String>,
    name: &str,
    read: impl FnOnce(&str) -> Result<T, OptionProblem>,
) -> Result<Option<T>, Error> {
    let Some(value) = options.get(name) else {
        return Ok(None);
    };
    let read = read(value).map_err(|source| Error::InvalidOption {
        driver,
        option: name.to_owned(),
        value: value.clone(),
        source,
    })?;
    Ok(Some(read))
}

/// Parses `true` and `false` like Go.
pub(super) fn boolean(text: &str) -> Result<bool, OptionProblem> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(OptionProblem::Boolean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_in_lists_and_one_by_one() {
        let texts = ["image=a:b,network=host".to_owned(), "env.A=1=2".to_owned()];
        let options = Driver::DockerContainer.parse_options(&texts).unwrap();
        assert_eq!(options["image"], "a:b");
        assert_eq!(options["network"], "host");
        assert_eq!(options["env.A"], "1=2");
    }

    #[test]
    fn an_unknown_option_is_reported_with_the_nearest() {
        let refused =
            |driver: Driver, text: &str| driver.parse_options(&[text.to_owned()]).unwrap_err();
        let error = refused(Driver::DockerContainer, "imge=x");
        assert!(error.to_string().contains("did you mean image?"), "{error}");
        assert!(
            refused(Driver::Remote, "env.A=1")
                .to_string()
                .contains("env.A")
        );
        assert!(
            refused(Driver::DockerContainer, "env.=1")
                .to_string()
                .contains("env.")
        );
        assert!(matches!(
            refused(Driver::Remote, "key"),
            Error::InvalidOption {
                source: OptionProblem::Form,
                ..
            }
        ));
    }
}
