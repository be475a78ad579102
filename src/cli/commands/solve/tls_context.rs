//! `--registry-auth-tlscontext`: the certificates for token servers of registries.

use solvekit::pipeline::csv_fields;
use solvekit::registry::{ClientOptions, HostCertificates};

use crate::cli::report::Failure;
use crate::cli::report::usage::GraphUsage;

/// Adds the flags to the options. A host may be given several times.
pub(super) fn add(given: &[String], options: &mut ClientOptions) -> Result<(), Failure> {
    for text in given.iter().filter(|text| !text.is_empty()) {
        let context = Context::parse(text).map_err(|reason| GraphUsage::TlsContext {
            text: text.clone(),
            reason,
        })?;
        let Context {
            host,
            files,
            insecure,
        } = context;
        if insecure {
            options.insecure.push(host.clone());
        }
        let known = options.hosts.entry(host).or_default();
        known.authorities.extend(files.authorities);
        known.identity = files.identity.or(known.identity.take());
    }
    Ok(())
}

/// The content of one flag.
#[derive(Debug, Default, PartialEq, Eq)]
struct Context {
    host: String,
    files: HostCertificates,
    insecure: bool,
}

impl Context {
    /// Parses `host=HOST[:PORT],ca=FILE,cert=FILE,key=FILE,insecure=BOOL`.
    fn parse(text: &str) -> Result<Self, String> {
        let mut context = Self::default();
        let (mut cert, mut key) = (None, None);
        for field in csv_fields(text).map_err(|error| error.to_string())? {
            let Some((name, value)) = field.split_once('=') else {
                return Err(format!("{field:?} is not key=value"));
            };
            match name.to_ascii_lowercase().as_str() {
                "host" => context.host = host(value),
                "ca" => context.files.authorities.push(value.into()),
                "cert" => cert = Some(value.into()),
                "key" => key = Some(value.into()),
                "insecure" => context.insecure = matches!(value, "1" | "t" | "true" | "TRUE"),
                _ => {}
            }
        }
        if context.host.is_empty() {
            return Err("it names no host: host=HOST".to_owned());
        }
        context.files.identity = match (cert, key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => return Err("cert=FILE and key=FILE need each other".to_owned()),
        };
        let says = context.insecure
            || context.files.identity.is_some()
            || !context.files.authorities.is_empty();
        match says {
            true => Ok(context),
            false => Err("it needs ca=FILE, cert=FILE with key=FILE, or insecure=true".to_owned()),
        }
    }
}

/// Accepts a URL as the host too.
fn host(value: &str) -> String {
    let host = value.split_once("://").map_or(value, |(_, host)| host);
    host.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use solvekit::registry::Pem;

    use super::*;

    #[test]
    fn contexts_of_a_host_are_put_together() {
        let mut options = ClientOptions::default();
        let given = [
            "host=https://r.example:5000,ca=/ca.pem",
            "host=r.example:5000,cert=/c.pem,key=/k.pem,insecure=true",
            "",
        ];
        add(&given.map(String::from), &mut options).unwrap();
        let files = &options.hosts["r.example:5000"];
        assert_eq!(files.authorities, [Pem::from("/ca.pem")]);
        assert_eq!(files.identity, Some(("/c.pem".into(), "/k.pem".into())));
        assert_eq!(options.insecure, ["r.example:5000"]);
    }

    #[test]
    fn contexts_that_say_nothing_are_refused() {
        for (text, reason) in [
            ("ca=/ca.pem", "no host"),
            ("host=a", "needs ca=FILE"),
            ("host=a,cert=/c", "need each other"),
            ("host=a,nothing", "key=value"),
        ] {
            let error = Context::parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
