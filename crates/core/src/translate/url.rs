//! URLs as Go's `net/url` parses and formats them: the identity of git and HTTP sources depends on
//! it.

use crate::text::percent_decoded;

/// The parts of a URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Url {
    /// In lower case; empty for none.
    pub(super) scheme: String,
    user: Option<String>,
    /// Host and port, unescaped.
    pub(super) host: String,
    /// Unescaped.
    pub(super) path: String,
    /// Escaped.
    escaped_path: String,
    ends_with_question: bool,
    query: String,
    /// Unescaped.
    pub(super) fragment: String,
}

impl Url {
    /// Parses a URL; `None` if Go's parser rejects it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        if text.is_empty() || text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return None;
        }
        let (scheme, rest) = split_scheme(text)?;
        let (rest, query, ends_with_question) = match rest.split_once('?') {
            Some((rest, "")) => (rest, "", true),
            Some((rest, query)) => (rest, query, false),
            None => (rest, "", false),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            None => ("", rest),
        };
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let decoded = unescape(path)?;
        let escaped_path = if path.bytes().all(is_kept_in_path) {
            path.to_owned()
        } else {
            escape_path(&decoded)
        };
        Some(Self {
            scheme: scheme.to_ascii_lowercase(),
            user: match user {
                Some(user) => Some(check_user(user)?),
                None => None,
            },
            host: read_host(&scheme.to_ascii_lowercase(), host)?,
            path: decoded,
            escaped_path,
            ends_with_question,
            query: query.to_owned(),
            fragment: unescape(fragment)?,
        })
    }

    /// Returns the URL without query and fragment.
    pub(super) fn without_query(&self) -> String {
        let mut text = String::new();
        if !self.scheme.is_empty() {
            text.push_str(&self.scheme);
            text.push(':');
        }
        if !self.scheme.is_empty() || !self.host.is_empty() || self.user.is_some() {
            if !self.host.is_empty() || !self.path.is_empty() || self.user.is_some() {
                text.push_str("//");
            }
            if let Some(user) = &self.user {
                text.push_str(user);
                text.push('@');
            }
            text.push_str(&escape(&self.host, KEPT_IN_HOST));
            if !self.host.is_empty()
                && !self.escaped_path.is_empty()
                && !self.escaped_path.starts_with('/')
            {
                text.push('/');
            }
        }
        text.push_str(&self.escaped_path);
        if self.ends_with_question {
            text.push('?');
        }
        text
    }

    /// Returns the query's keys and values in order, without malformed ones.
    pub(super) fn query(&self) -> Vec<(String, String)> {
        parse_query(&self.query).0
    }
}

/// True if the text begins like an http(s) URL.
pub(super) fn is_http(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// Returns keys and values, and true if all were well-formed.
pub(super) fn parse_query(query: &str) -> (Vec<(String, String)>, bool) {
    let mut pairs = Vec::new();
    let mut complete = true;
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let read = |text: &str| unescape(&text.replace('+', " "));
        match (part.contains(';'), read(key), read(value)) {
            (false, Some(key), Some(value)) => pairs.push((key, value)),
            _ => complete = false,
        }
    }
    (pairs, complete)
}

/// Splits off the scheme. `None` if the text begins with a colon.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_alphanumeric() && !b"+-.".contains(&byte));
    match end {
        Some(0) if text.starts_with(':') => None,
        Some(end) if text.as_bytes()[end] == b':' && text.as_bytes()[0].is_ascii_alphabetic() => {
            Some((&text[..end], &text[end + 1..]))
        }
        _ => Some(("", text)),
    }
}

fn check_user(user: &str) -> Option<String> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    let (name, password) = user
        .split_once(':')
        .map_or((user, None), |(name, password)| (name, Some(password)));
    if !user.bytes().all(known) {
        return None;
    }
    let mut text = escape_user(&unescape(name)?);
    if let Some(password) = password {
        text.push(':');
        text.push_str(&escape_user(&unescape(password)?));
    }
    Some(text)
}

/// The characters besides letters and digits that a host may contain unescaped.
const KEPT_IN_HOST: &[u8] = b"!$&'()*+,;=:[]<>\"";

/// Returns the host, unescaped; `None` if Go rejects it.
fn read_host(scheme: &str, host: &str) -> Option<String> {
    let port = match host.rfind('[') {
        Some(0) => &host[host.rfind(']')? + 1..],
        Some(_) => return None,
        // More colons are for lists of hosts, which http does not support.
        None if matches!(scheme, "http" | "https") => from(host, host.find(':')),
        None => from(host, host.rfind(':')),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    let is_port = digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_port || (!port.is_empty() && digits.len() == port.len()) {
        return None;
    }
    let known = |byte: u8| {
        byte >= 0x80 || byte == b'%' || is_unreserved(byte) || KEPT_IN_HOST.contains(&byte)
    };
    if !host.bytes().all(known) || !escapes_no_ascii(host) {
        return None;
    }
    let host = unescape(host)?;
    let literal = host.strip_prefix('[').map(|rest| rest.split(']').next());
    match literal.flatten().map(|address| address.split('%').next()) {
        Some(address) => {
            address?.parse::<std::net::Ipv6Addr>().ok()?;
            Some(host)
        }
        None => Some(host),
    }
}

/// Returns the text from a position on; empty without a position.
fn from(text: &str, at: Option<usize>) -> &str {
    at.map_or("", |at| &text[at..])
}

/// True if a host escapes only non-ASCII bytes and the `%` before a zone.
fn escapes_no_ascii(host: &str) -> bool {
    host.match_indices('%').all(|(at, _)| {
        let digits = host.as_bytes().get(at + 1..at + 3);
        digits.is_some_and(|digits| digits == b"25" || digits[0].to_ascii_lowercase() > b'7')
    })
}

fn unescape(text: &str) -> Option<String> {
    let bytes = percent_decoded(text)?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)
}

fn is_kept_in_path(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=:@[]%/".contains(&byte)
}

fn escape_path(path: &str) -> String {
    escape(path, b"$&+,/:;=@")
}

fn escape_user(text: &str) -> String {
    escape(text, b"$&+,;=")
}

fn escape(text: &str, kept: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_unreserved(byte) || kept.contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_written_as_go_writes_them() {
        for (text, written) in [
            (
                "https://github.com/a/b.git?x=y#z",
                "https://github.com/a/b.git",
            ),
            ("HTTPS://h/a b.git", "https://h/a%20b.git"),
            ("https://u:p%40@h:8080/x%2Fy", "https://u:p%40@h:8080/x%2Fy"),
            ("ssh://git@h/~/x", "ssh://git@h/~/x"),
            ("https://h?", "https://h?"),
            ("github.com/a", "github.com/a"),
            ("http://ex\u{e4}mple.test/a", "http://ex%C3%A4mple.test/a"),
            ("http://ex%c3%a4mple.test/a", "http://ex%C3%A4mple.test/a"),
            ("ssh://[::1]:22/a", "ssh://[::1]:22/a"),
        ] {
            assert_eq!(Url::parse(text).unwrap().without_query(), written);
        }
        for refused in [
            "",
            "http://a b/",
            "http://h:port/",
            "http://h/%zz",
            "http://h%41/",
            "http://[1.2.3.4]/",
            "http://a[::1]/",
            "http://a:1:2/",
            ":x",
            "http://h/\n",
        ] {
            assert_eq!(Url::parse(refused), None, "{refused}");
        }
    }
}
