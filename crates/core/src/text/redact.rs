//! Hides passwords and tokens before a text is shown or stored.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::position;

/// The replacement of a secret, as in BuildKit's own messages.
const HIDDEN: &str = "xxxxx";

/// Query keys for credentials. A key matches if it contains one of these.
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

/// The prefixes of tokens of well-known services.
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
/// The bytes before the `_` or `-` that ends a prefix.
const BEFORE_LAST: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < PREFIXES.len() {
        let prefix = PREFIXES[at].as_bytes();
        table[prefix[prefix.len() - 2] as usize] = true;
        at += 1;
    }
    table
};
/// Shorter words with such a prefix are not tokens.
const SHORTEST_TOKEN: usize = 16;

/// Returns the text without the users and passwords of its URLs, the values of query keys for
/// credentials, and the tokens of well-known services.
///
/// ```
/// use solvekit_core::text::redact;
///
/// let text = "cannot fetch https://me:hunter2@host/x?access_token=abc&ref=main: 403";
/// assert_eq!(redact(text), "cannot fetch https://xxxxx@host/x?access_token=xxxxx&ref=main: 403");
/// ```
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(at) = next_suspect(text, from) {
        let word = word_around(text, from, at);
        from = word.end;
        if let Cow::Owned(hidden) = redact_word(&text[word.clone()], false) {
            shown.push_str(&text[copied..word.start]);
            shown.push_str(&hidden);
            copied = word.end;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(&text[copied..]);
    Cow::Owned(shown)
}

/// Returns the position of the next `://` or prefix of a token. Most texts are long and have none.
fn next_suspect(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_mark = |byte| (byte == b':') | (byte == b'_') | (byte == b'-');
    positions(bytes, from, is_mark).find(|&at| match bytes[at] {
        b':' => bytes[at..].starts_with(b"://"),
        _ => ends_prefix(&bytes[from..=at]),
    })
}

/// Iterates over the positions of these bytes.
fn positions(
    bytes: &[u8],
    mut from: usize,
    is_wanted: impl Fn(u8) -> bool,
) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = from + position(&bytes[from..], &is_wanted)?;
        from = at + 1;
        Some(at)
    })
}

/// True if the text ends with the prefix of a token. Each prefix ends with `_` or `-`.
fn ends_prefix(text: &[u8]) -> bool {
    let [.., before, _] = text else { return false };
    let mut prefixes = PREFIXES.iter();
    BEFORE_LAST[usize::from(*before)] && prefixes.any(|prefix| text.ends_with(prefix.as_bytes()))
}

/// Returns the word that contains the position `at`; it begins at `from` or later.
fn word_around(text: &str, from: usize, at: usize) -> Range<usize> {
    let before = text[from..at]
        .char_indices()
        .rev()
        .find(|(_, c)| ends_url(*c));
    let begin = before.map_or(from, |(place, c)| from + place + c.len_utf8());
    let end = text[at..].find(ends_url).map_or(text.len(), |end| at + end);
    begin..end
}

/// Like [`redact`], for a text that is a single URL: its password may contain any character.
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

/// Redacts the values of attributes.
pub fn redact_values(
    attributes: impl IntoIterator<Item = (String, String)>,
) -> BTreeMap<String, String> {
    let shown = attributes.into_iter();
    shown
        .map(|(name, value)| (name, redact(&value).into_owned()))
        .collect()
}

fn ends_url(c: char) -> bool {
    match c {
        '\0'..=' ' | '"' | '\'' | '`' | '<' | '>' | '\x7f' => true,
        c => !c.is_ascii() && (c.is_whitespace() || c.is_control()),
    }
}

/// Redacts a word without white space; `in_url` is true if it continues a URL.
fn redact_word(word: &str, in_url: bool) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed(word);
    let is_sign = |byte| (byte == b'@') | (byte == b'?') | (byte == b'&');
    let has_signs = position(word.as_bytes(), is_sign).is_some();
    if has_signs && (in_url || word.contains("://")) {
        if word.contains('@') {
            shown = Cow::Owned(hide_users(word));
        }
        if shown.contains(['?', '&']) {
            shown = Cow::Owned(hide_values(&shown));
        }
    }
    if has_prefix(shown.as_bytes()) {
        shown = Cow::Owned(hide_tokens(&shown));
    }
    shown
}

/// True if the text contains the prefix of a token.
fn has_prefix(text: &[u8]) -> bool {
    let mut marks = positions(text, 0, |byte| (byte == b'_') | (byte == b'-'));
    marks.any(|at| ends_prefix(&text[..=at]))
}

/// Returns the word without the users and passwords of its URLs.
fn hide_users(word: &str) -> String {
    let mut shown = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, after)) = rest.split_once("://") {
        let (user, after) = split_user(after);
        shown.push_str(&format!("{before}://{}", shown_user(before, user)));
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// Splits the text after `://` into the user of the authority, if there is one, and the rest.
fn split_user(text: &str) -> (Option<&str>, &str) {
    let end = text.find(['/', '?', '#']).unwrap_or(text.len());
    match text[..end].rsplit_once('@') {
        Some((user, _)) => (Some(user), &text[user.len() + 1..]),
        None => (None, text),
    }
}

/// The user of ssh is not a secret; that of http often is a token.
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

/// Replaces the credentials in `key=value` pairs after `?` and `&`.
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

    /// Redacts every word separately, as a slow reference.
    fn word_by_word(text: &str) -> String {
        let words = text.split_inclusive(ends_url).map(|word| {
            let end = word.trim_end_matches(ends_url).len();
            let mut shown = hide_users(&word[..end]);
            if word.contains("://") {
                shown = hide_values(&shown);
            }
            hide_tokens(&shown) + &word[end..]
        });
        words.collect()
    }

    proptest::proptest! {
        #[test]
        fn words_that_are_left_out_have_nothing_to_hide(
            text in "([ \n\"?&@:/=ä-]|://|https://|token=|npm_|ghp_|github_pat_|[a-z_]{1,18}){0,12}",
        ) {
            proptest::prop_assert_eq!(redact(&text), word_by_word(&text), "{:?}", text);
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
