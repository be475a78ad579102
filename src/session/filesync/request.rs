//! Parses the daemon's request from its headers.

use http::{HeaderMap, HeaderName};

/// The requested directory and the selected paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) directory: String,
    pub(super) include: Vec<String>,
    pub(super) exclude: Vec<String>,
    /// Paths to include together with the targets of their symbolic links.
    pub(super) follow: Vec<String>,
}

impl Request {
    /// Reads the headers of `session/filesync/filesync.go`. `override-excludes`, sent by daemons
    /// before 0.11, is ignored: there are no local excludes to override.
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        Self {
            directory: values(headers, "dir-name")
                .into_iter()
                .next()
                .unwrap_or_default(),
            include: values(headers, "include-patterns"),
            exclude: values(headers, "exclude-patterns"),
            follow: values(headers, "followpaths"),
        }
    }
}

/// Returns all values of a key, decoded if `KEY-encoded` is set.
fn values(headers: &HeaderMap, key: &'static str) -> Vec<String> {
    let encoded = HeaderName::from_bytes(format!("{key}-encoded").as_bytes())
        .ok()
        .and_then(|name| headers.get(name))
        .is_some_and(|value| {
            matches!(
                value.as_bytes(),
                b"1" | b"t" | b"T" | b"true" | b"TRUE" | b"True"
            )
        });
    headers
        .get_all(key)
        .iter()
        .map(|value| match encoded {
            true => query_unescape(value.as_bytes()),
            false => String::from_utf8_lossy(value.as_bytes()).into_owned(),
        })
        .collect()
}

/// Decodes like Go's `url.QueryUnescape`: `%XX`, and `+` for a space. Malformed text becomes empty,
/// because the reference ignores the error.
fn query_unescape(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|digit| hex(digit.copied()));
                let [Some(high), Some(low)] = digits else {
                    return String::new();
                };
                out.push(high << 4 | low);
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digit: Option<u8>) -> Option<u8> {
    char::from(digit?)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for &(key, value) in pairs {
            headers.append(key, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn lists_are_repeated_headers() {
        let request = Request::from_headers(&headers(&[
            ("dir-name", "context"),
            ("exclude-patterns", "*.log"),
            ("exclude-patterns", "!keep+100%.log"),
            ("followpaths", "src"),
        ]));
        assert_eq!(request.directory, "context");
        assert_eq!(request.exclude, ["*.log", "!keep+100%.log"]);
        assert_eq!(request.follow, ["src"]);
        assert!(request.include.is_empty());
    }

    #[test]
    fn encoded_lists_are_decoded() {
        let request = Request::from_headers(&headers(&[
            ("include-patterns", "gr%C3%B6%C3%9Fe+1"),
            ("include-patterns", "%zz"),
            ("include-patterns-encoded", "1"),
            ("exclude-patterns", "a+b"),
            ("exclude-patterns-encoded", "0"),
        ]));
        assert_eq!(request.include, ["größe 1", ""]);
        assert_eq!(request.exclude, ["a+b"]);
    }
}
