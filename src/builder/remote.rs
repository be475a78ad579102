//! The `remote` driver: a BuildKit that somebody else runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Driver, Error, NodeProblem, OptionProblem, options};
use crate::client::{Address, ConnectOptions, TlsOptions};

/// Returns the connection options for an endpoint and the driver's options: `cacert`, `cert`, `key`
/// (absolute paths of PEM files) and `servername`.
pub(super) fn connect_options(
    endpoint: &str,
    given: &BTreeMap<String, String>,
) -> Result<ConnectOptions, Error> {
    let file = |name: &str| options::value(Driver::Remote, given, name, absolute);
    let tls = TlsOptions {
        ca: file("cacert")?,
        cert: file("cert")?,
        key: file("key")?,
        server_name: given.get("servername").cloned(),
    };
    options::value(Driver::Remote, given, "default-load", options::boolean)?;
    let mut options = ConnectOptions::new(Address::parse(endpoint)?);
    options.tls = (tls != TlsOptions::default()).then_some(tls);
    if let Some(tls) = &options.tls {
        complete(tls)?;
    }
    Ok(options)
}

fn complete(tls: &TlsOptions) -> Result<(), Error> {
    let missing = match (&tls.ca, &tls.cert, &tls.key) {
        (None, _, _) => "cacert",
        (_, Some(_), None) => "key",
        (_, None, Some(_)) => "cert",
        _ => return Ok(()),
    };
    Err(Error::Node {
        driver: Driver::Remote,
        source: NodeProblem::TlsOptionMissing { option: missing },
    })
}

pub(super) fn absolute(text: &str) -> Result<PathBuf, OptionProblem> {
    let path = PathBuf::from(text);
    match path.is_absolute() {
        true => Ok(path),
        false => Err(OptionProblem::RelativePath),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Result<ConnectOptions, Error> {
        let given = pairs
            .iter()
            .map(|(k, v)| ((*k).into(), (*v).into()))
            .collect();
        connect_options("tcp://host:1234", &given)
    }

    #[test]
    fn certificates_make_it_tls() {
        assert!(options(&[]).unwrap().tls.is_none());
        let all = [
            ("cacert", "/ca"),
            ("cert", "/c"),
            ("key", "/k"),
            ("servername", "n"),
        ];
        let tls = options(&all).unwrap().tls.unwrap();
        assert_eq!(tls.server_name.as_deref(), Some("n"));
        assert_eq!(tls.key, Some("/k".into()));
    }

    #[test]
    fn what_is_missing_or_relative_is_named() {
        let refused =
            |pairs: &[(&str, &str)]| crate::causes::in_one_line(&options(pairs).unwrap_err());
        assert!(refused(&[("cacert", "ca.pem")]).contains("absolute"));
        assert!(refused(&[("cacert", "/ca"), ("cert", "/c")]).contains("key"));
        assert!(refused(&[("servername", "n")]).contains("cacert"));
        assert!(refused(&[("default-load", "maybe")]).contains("maybe"));
    }
}
