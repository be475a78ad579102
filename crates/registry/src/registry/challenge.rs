//! `WWW-Authenticate` (RFC 9110, section 11.6.1): the authentication that a registry demands.

use http::header::{HeaderMap, WWW_AUTHENTICATE};

/// A challenge of a supported kind.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Challenge {
    /// A token from this server.
    Bearer {
        /// The server's address.
        realm: String,
        /// The registry's name at the token server; can be empty.
        service: String,
        /// The scopes that the registry names; can be empty.
        scopes: Vec<String>,
    },
    /// A name and a password.
    Basic,
}

impl Challenge {
    /// Returns the strongest supported challenge: `Bearer` before `Basic`. Others, such as `Digest`
    /// and `Negotiate`, are ignored.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        let all: Vec<Self> = texts.flat_map(Self::parse).collect();
        let bearer = all.iter().find(|one| matches!(one, Self::Bearer { .. }));
        bearer.or(all.first()).cloned()
    }

    /// Returns all supported challenges of one header, in order. Malformed parts are skipped.
    pub fn parse(header: &str) -> Vec<Self> {
        let mut scanner = Scanner { rest: header };
        let mut found: Vec<(&str, Vec<(&str, String)>)> = Vec::new();
        while scanner.skip_separators() {
            let Some(word) = scanner.token() else {
                scanner.skip_one();
                continue;
            };
            match (scanner.value(), found.last_mut()) {
                (Some(value), Some((_, parameters))) => parameters.push((word, value)),
                (Some(_), None) => {}
                (None, _) => found.push((word, Vec::new())),
            }
        }
        let read = found.into_iter();
        read.filter_map(|(scheme, parameters)| Self::read(scheme, &parameters))
            .collect()
    }

    fn read(scheme: &str, parameters: &[(&str, String)]) -> Option<Self> {
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let get = |name: &str| {
            let mut own = parameters.iter();
            let found = own.find(|(own, _)| own.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        Some(Self::Bearer {
            realm: get("realm").filter(|realm| !realm.is_empty())?,
            service: get("service").unwrap_or_default(),
            scopes: get("scope")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        })
    }
}

struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    /// Returns `false` at the end of the text.
    fn skip_separators(&mut self) -> bool {
        let separator = |c: char| c == ',' || c.is_whitespace();
        self.rest = self.rest.trim_start_matches(separator);
        !self.rest.is_empty()
    }

    fn skip_one(&mut self) {
        let mut chars = self.rest.chars();
        chars.next();
        self.rest = chars.as_str();
    }

    /// Reads a word. The token68 of Basic may contain slashes and is skipped as one word.
    fn token(&mut self) -> Option<&'a str> {
        let is_word = |c: char| c.is_ascii_graphic() && !matches!(c, ',' | '=' | '"');
        let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    /// Reads the value after `=`, quoted or not; `None` without `=`.
    fn value(&mut self) -> Option<String> {
        let after = self.rest.trim_start().strip_prefix('=')?;
        self.rest = after.trim_start();
        let Some(quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', ' ', '\t']);
            let (value, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
            self.rest = rest;
            return Some(value.to_owned());
        };
        let mut value = String::new();
        let mut chars = quoted.chars();
        while let Some(c) = chars.next() {
            match c {
                '"' => break,
                '\\' => value.extend(chars.next()),
                c => value.push(c),
            }
        }
        self.rest = chars.as_str();
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: &str, scopes: &[&str]) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.to_owned(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        }
    }

    fn of(values: &[&str]) -> Option<Challenge> {
        let values = values.iter();
        let values = values.map(|value| (WWW_AUTHENTICATE, value.parse().unwrap()));
        Challenge::of(&values.collect())
    }

    #[test]
    fn challenges_are_read() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a:pull""#;
        let read = bearer(
            "https://auth.docker.io/token",
            "registry.docker.io",
            &["repository:a:pull"],
        );
        assert_eq!(of(&[hub]), Some(read));
        assert_eq!(of(&["Basic realm=\"x\""]), Some(Challenge::Basic));
        assert_eq!(of(&["Basic"]), Some(Challenge::Basic));
        assert_eq!(of(&["Bearer x"]), None);
        assert_eq!(of(&["Bearer realm=\"\""]), None);
    }

    #[test]
    fn the_strongest_of_several_counts() {
        let token = bearer("https://t/", "s", &[]);
        for values in [
            &["Basic realm=\"r\", Bearer realm=\"https://t/\",service=\"s\""][..],
            &["Bearer realm=\"https://t/\",service=\"s\", Basic realm=\"r\""],
            &[
                "Basic realm=\"r\"",
                "Bearer realm=\"https://t/\",service=\"s\"",
            ],
            &[
                "Negotiate",
                "Digest realm=\"d\", nonce=\"n\"",
                "Bearer realm=\"https://t/\",service=s",
            ],
            &["Negotiate dG9rZW4/+w==, Bearer realm=\"https://t/\" ,\tservice = \"s\""],
        ] {
            assert_eq!(of(values), Some(token.clone()), "{values:?}");
        }
        let digest = "Digest realm=\"d\", Basic realm=\"r\"";
        assert_eq!(of(&[digest]), Some(Challenge::Basic));
        assert_eq!(of(&["Digest realm=\"d\""]), None);
    }

    #[test]
    fn names_are_whole_and_in_any_case() {
        let odd =
            "bEARER xrealm=\"https://evil/\" , REALM = \"https://t/\"\t,  Service=s,scope=\"a  b\"";
        assert_eq!(of(&[odd]), Some(bearer("https://t/", "s", &["a", "b"])));
        let quoted = r#"Bearer error="realm=\"https://evil/\"",realm="https://t/?a=\"b\"""#;
        assert_eq!(of(&[quoted]), Some(bearer("https://t/?a=\"b\"", "", &[])));
        assert_eq!(
            of(&[r#"Bearer realm="https://t/"#]),
            Some(bearer("https://t/", "", &[]))
        );
    }

    #[test]
    fn any_text_is_read_in_linear_steps() {
        for text in ["=\"", "a=,", "\\\"", "Bearer ", ",=,="] {
            Challenge::parse(&text.repeat(100_000));
        }
    }
}
