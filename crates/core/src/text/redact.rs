//! Passwords and tokens, hidden before a text is shown or kept.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// What stands in a secret's place, as in BuildKit's own messages.
const HIDDEN: &str = "xxxxx";

/// Query keys whose values log in. A key counts if one of these is a part of it.
const KEYS: [&str; 8] = [
    "token",
    "secret",
    "passw",
    "signature",
    "credential",
    "apikey",
    "api_key",
    "access_key",
];

/// How tokens of well-known services begin.
const PREFIXES: [&str; 9] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "dckr_pat_",
    "npm_",
];
/// Shorter words with such a beginning are no tokens.
const SHORTEST_TOKEN: usize = 16;

/// The text without the users and passwords of its URLs, the values of query keys that log in, and
/// the tokens of well-known services.
///
/// ```
/// use solvekit_core::text::redact;
///
/// let text = "cannot fetch https://me:hunter2@host/x?access_token=abc&ref=main: 403";
/// assert_eq!(redact(text), "cannot fetch https://xxxxx@host/x?access_token=xxxxx&ref=main: 403");
/// ```
pub fn redact(text: &str) -> Cow<'_, str> {
    let has_token = PREFIXES.iter().any(|prefix| text.contains(prefix));
    if !has_token && !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for word in text.split_inclusive(ends_url) {
        let end = word.trim_end_matches(ends_url).len();
        shown.push_str(&redact_word(&word[..end], false));
        shown.push_str(&word[end..]);
    }
    Cow::Owned(shown)
}

/// The same for a text that is one URL, or none: its password may have any character.
pub fn redact_url(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (user, rest) = split_user(rest);
            format!(
                "{scheme}://{}{}",
                shown_user(scheme, user),
                redact_word(rest, true)
            )
        }
        None => redact(url).into_owned(),
    }
}

/// The attributes with their values redacted.
pub fn redact_values(
    attributes: impl IntoIterator<Item = (String, String)>,
) -> BTreeMap<String, String> {
    let shown = attributes.into_iter();
    shown
        .map(|(name, value)| (name, redact(&value).into_owned()))
        .collect()
}

fn ends_url(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`' | '<' | '>')
}

/// A word without white space; `in_url` if it goes on a URL.
fn redact_word(word: &str, in_url: bool) -> String {
    let mut shown = String::with_capacity(word.len());
    let mut rest = word;
    let mut has_url = in_url;
    while let Some((before, after)) = rest.split_once("://") {
        has_url = true;
        let (user, after) = split_user(after);
        shown.push_str(&format!("{before}://{}", shown_user(before, user)));
        rest = after;
    }
    shown.push_str(rest);
    if has_url {
        shown = hide_values(&shown);
    }
    hide_tokens(&shown)
}

/// What stands behind `://`: the user of the authority, if there is one, and the rest.
fn split_user(text: &str) -> (Option<&str>, &str) {
    let end = text.find(['/', '?', '#']).unwrap_or(text.len());
    match text[..end].rsplit_once('@') {
        Some((user, _)) => (Some(user), &text[user.len() + 1..]),
        None => (None, text),
    }
}

/// The user of ssh is not a secret, that of http often is a token.
fn shown_user(scheme: &str, user: Option<&str>) -> String {
    let Some(user) = user else {
        return String::new();
    };
    let is_http = scheme.ends_with("http") || scheme.ends_with("https");
    match user.split_once(':') {
        Some((name, _)) if !is_http => format!("{name}:{HIDDEN}@"),
        None if !is_http => format!("{user}@"),
        _ => format!("{HIDDEN}@"),
    }
}

/// `key=value` behind `?` and `&`, without the values that log in.
fn hide_values(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (at, part) in text.split_inclusive(['?', '&']).enumerate() {
        let end = part
            .find(['&', '?', '#', ',', ')', ';'])
            .unwrap_or(part.len());
        match part[..end].split_once('=') {
            Some((key, value)) if at > 0 && !value.is_empty() && logs_in(key) => {
                shown.push_str(&format!("{key}={HIDDEN}{}", &part[end..]));
            }
            _ => shown.push_str(part),
        }
    }
    shown
}

fn logs_in(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key == "sig" || KEYS.iter().any(|part| key.contains(part))
}

fn hide_tokens(word: &str) -> String {
    let in_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut shown = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(begin) = rest.find(in_token) {
        let (before, found) = rest.split_at(begin);
        let end = found.find(|c| !in_token(c)).unwrap_or(found.len());
        let (token, after) = found.split_at(end);
        shown.push_str(before);
        let prefix = PREFIXES.iter().find(|prefix| token.starts_with(**prefix));
        match prefix.filter(|_| token.len() >= SHORTEST_TOKEN) {
            Some(prefix) => shown.push_str(&format!("{prefix}{HIDDEN}")),
            None => shown.push_str(token),
        }
        rest = after;
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_passwords_and_tokens_are_hidden() {
        let cases = [
            ("https://me:pw@host/x", "https://xxxxx@host/x"),
            ("http://token@host", "http://xxxxx@host"),
            ("https://a:b@c@host/x@y", "https://xxxxx@host/x@y"),
            (
                "ssh://git:pw@host/x ssh://git@host",
                "ssh://git:xxxxx@host/x ssh://git@host",
            ),
            ("tcp://me:pw@host:1234", "tcp://me:xxxxx@host:1234"),
            ("socks5://me:pw@proxy", "socks5://me:xxxxx@proxy"),
            (
                "ADD \"https://u:p@a/x\" 'http://u:p@b' /",
                "ADD \"https://xxxxx@a/x\" 'http://xxxxx@b' /",
            ),
            (
                "a=http://u:p@a/,http://u:p@b/",
                "a=http://xxxxx@a/,http://xxxxx@b/",
            ),
            (
                "https://s3/x?X-Amz-Signature=ab&X-Amz-Date=1&X-Amz-Credential=c#f",
                "https://s3/x?X-Amz-Signature=xxxxx&X-Amz-Date=1&X-Amz-Credential=xxxxx#f",
            ),
            (
                "https://blob/x?sig=a%2Fb&se=1",
                "https://blob/x?sig=xxxxx&se=1",
            ),
            (
                "clone with ghp_0123456789abcdefgh, please",
                "clone with ghp_xxxxx, please",
            ),
        ];
        for (given, expected) in cases {
            assert_eq!(redact(given), expected, "{given:?}");
        }
    }

    #[test]
    fn everything_else_stays() {
        for text in [
            "",
            "RUN test -f x && TOKEN=1 make ?token=x",
            "https://host/x?ref=main&dir=a=b#frag",
            "docker-image://a/b@sha256:1234",
            "https://host/a@b?x=c@d",
            "git@github.com:a/b.git",
            "ghp_short",
            "://@",
            "ä://ü@ö",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn one_url_may_have_anything_in_its_password() {
        assert_eq!(
            redact_url("https://me:a b\"c@host/x"),
            "https://xxxxx@host/x"
        );
        assert_eq!(redact_url("ssh://git@host/x"), "ssh://git@host/x");
        assert_eq!(redact_url("host/x?token=a"), "host/x?token=a");
        assert_eq!(
            redact_url("https://host/x?token=a"),
            "https://host/x?token=xxxxx"
        );
    }
}
