//! Chooses the proxy of a request: the rules of Go's `golang.org/x/net/http/httpproxy`, which
//! docker and BuildKit follow.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::Url;

use super::origin::host_of;

/// The proxies of `HTTP_PROXY` and `HTTPS_PROXY`, and the `NO_PROXY` hosts that are reached
/// directly. Local names and addresses are always reached directly.
#[derive(Clone, Default)]
pub struct Proxies(Arc<Settings>);

#[derive(Default)]
struct Settings {
    http: Option<Url>,
    https: Option<Url>,
    direct: Direct,
}

/// The hosts of `NO_PROXY`.
#[derive(Default)]
struct Direct {
    all: bool,
    networks: Vec<IpNet>,
    addresses: Vec<(IpAddr, Option<u16>)>,
    domains: Vec<Domain>,
}

struct Domain {
    /// The domain with a leading dot.
    suffix: String,
    port: Option<u16>,
    /// True if the domain itself matches, and not only its subdomains.
    itself: bool,
}

impl Proxies {
    /// Reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, or their lower-case forms, through a
    /// function such as `|name| std::env::var(name).ok()`. In a CGI program (`REQUEST_METHOD` is
    /// set) `HTTP_PROXY` is ignored, because a request header can set it.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| {
            let upper = variable(name).filter(|value| !value.is_empty());
            upper.or_else(|| variable(&name.to_ascii_lowercase()))
        };
        let http = match variable("REQUEST_METHOD").is_some_and(|value| !value.is_empty()) {
            true => None,
            false => get("HTTP_PROXY"),
        };
        Self::new(
            http.as_deref(),
            get("HTTPS_PROXY").as_deref(),
            get("NO_PROXY").as_deref(),
        )
    }

    /// Creates the settings from proxies (`[SCHEME://][USER:PASSWORD@]HOST[:PORT]`) and a list of
    /// direct hosts: `*`, addresses, networks (`10.0.0.0/8`), or domains (`example.com` includes
    /// itself, `.example.com` only its subdomains). All but networks may have a port. Invalid proxy
    /// addresses are ignored.
    pub fn new(http: Option<&str>, https: Option<&str>, direct: Option<&str>) -> Self {
        Self(Arc::new(Settings {
            http: http.and_then(address),
            https: https.and_then(address),
            direct: Direct::parse(direct.unwrap_or_default()),
        }))
    }

    /// Returns the proxy for an address, if any.
    pub fn proxy_for(&self, url: &Url) -> Option<Url> {
        let proxy = match url.scheme() {
            "https" => self.0.https.as_ref()?,
            _ => self.0.http.as_ref()?,
        };
        let host = url
            .host_str()?
            .trim_start_matches('[')
            .trim_end_matches(']');
        let port = url.port_or_known_default()?;
        (!self.0.direct.has(&host.to_ascii_lowercase(), port)).then(|| proxy.clone())
    }

    /// Returns the proxy of plain HTTP, for messages: `HOST:PORT` without a password.
    pub fn http(&self) -> Option<String> {
        self.0.http.as_ref().map(host_of)
    }

    /// Returns the proxy of HTTPS, for messages: `HOST:PORT` without a password.
    pub fn https(&self) -> Option<String> {
        self.0.https.as_ref().map(host_of)
    }

    /// Returns the proxy for an address, for messages: `HOST:PORT` without a password.
    pub(super) fn name_for(&self, url: &Url) -> Option<String> {
        self.proxy_for(url).map(|proxy| host_of(&proxy))
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |url: &Option<Url>| url.as_ref().map(host_of);
        f.debug_struct("Proxies")
            .field("http", &name(&self.0.http))
            .field("https", &name(&self.0.https))
            .finish_non_exhaustive()
    }
}

/// Parses a proxy's address; the default scheme is HTTP.
fn address(text: &str) -> Option<Url> {
    let text = text.trim();
    let known = |url: &Url| {
        matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") && url.has_host()
    };
    let parsed = match text.contains("://") {
        true => Url::parse(text),
        false => Url::parse(&format!("http://{text}")),
    };
    parsed.ok().filter(known)
}

impl Direct {
    fn parse(text: &str) -> Self {
        let mut direct = Self::default();
        for part in text.split(',') {
            let part = part.trim().to_ascii_lowercase();
            if part == "*" {
                direct.all = true;
            } else if let Ok(network) = part.parse::<IpNet>() {
                direct.networks.push(network);
            } else if let Some((host, port)) = host_and_port(&part) {
                direct.add(host, port);
            }
        }
        direct
    }

    fn add(&mut self, host: &str, port: Option<u16>) {
        if let Ok(address) = host.parse() {
            self.addresses.push((address, port));
            return;
        }
        let host = host.strip_prefix('*').unwrap_or(host);
        let itself = !host.starts_with('.');
        let suffix = match itself {
            true => format!(".{host}"),
            false => host.to_owned(),
        };
        self.domains.push(Domain {
            suffix,
            port,
            itself,
        });
    }

    fn has(&self, host: &str, port: u16) -> bool {
        let is_port = |own: Option<u16>| own.is_none_or(|own| own == port);
        if host == "localhost" || self.all {
            return true;
        }
        if let Ok(address) = host.parse::<IpAddr>() {
            let address = address.to_canonical();
            return address.is_loopback()
                || self
                    .networks
                    .iter()
                    .any(|network| network.contains(&address))
                || self
                    .addresses
                    .iter()
                    .any(|(own, port)| own.to_canonical() == address && is_port(*port));
        }
        self.domains.iter().any(|domain| {
            let below = host.ends_with(&domain.suffix);
            (below || domain.itself && host == &domain.suffix[1..]) && is_port(domain.port)
        })
    }
}

/// Splits `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`, or an IPv6 address. Returns `None` without a host.
fn host_and_port(part: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match part.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            match port.parse() {
                Ok(port) => (host, Some(port)),
                // An invalid port never matches.
                Err(_) => return None,
            }
        }
        _ => (part, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty() && host != "." && host != "*.").then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_proxied(direct: &str, url: &str) -> bool {
        let proxies = Proxies::new(Some("p.example:3128"), Some("p.example"), Some(direct));
        proxies.proxy_for(&Url::parse(url).unwrap()).is_some()
    }

    #[test]
    fn this_machine_is_never_reached_through_a_proxy() {
        for url in [
            "http://localhost:5000/",
            "https://LOCALHOST/",
            "http://127.0.0.1/",
            "http://127.8.9.1:80/",
            "http://[::1]:5000/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            assert!(!is_proxied("", url), "{url}");
        }
        assert!(is_proxied("", "http://localhost.example.com/"));
    }

    #[test]
    fn hosts_without_a_proxy_are_named_as_in_go() {
        for (direct, url, proxied) in [
            ("*", "https://r.example/", false),
            ("a.example, * ,b.example", "https://r.example/", false),
            ("r.example", "https://r.example/", false),
            ("r.example", "https://a.r.example/", false),
            ("r.example", "https://other-r.example/", true),
            (".r.example", "https://a.r.example/", false),
            (".r.example", "https://r.example/", true),
            ("*.r.example", "https://a.r.example/", false),
            ("*.r.example", "https://r.example/", true),
            ("R.Example", "https://r.example/", false),
            ("r.example:443", "https://r.example/", false),
            ("r.example:5000", "https://r.example/", true),
            ("r.example:5000", "https://r.example:5000/", false),
            ("r.example:80", "http://a.r.example/", false),
            ("10.0.0.0/8", "http://10.1.2.3:5000/", false),
            ("10.0.0.0/8", "http://11.1.2.3:5000/", true),
            ("10.1.2.3", "http://10.1.2.3:5000/", false),
            ("10.1.2.3:80", "http://10.1.2.3:5000/", true),
            ("fd00::/8", "http://[fd00::1]/", false),
            ("fd00::1", "http://[fd00::1]/", false),
            ("[fd00::1]:80", "http://[fd00::1]/", false),
            ("[fd00::1]:81", "http://[fd00::1]/", true),
            (" , ,:80,", "https://r.example/", true),
        ] {
            assert_eq!(is_proxied(direct, url), proxied, "{direct} {url}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_one_is_no_proxy() {
        for text in [
            "http://:99999",
            "ftp://p.example",
            "http:// p",
            "http://",
            "",
        ] {
            assert_eq!(Proxies::new(Some(text), None, None).http(), None, "{text}");
        }
        let plain = Proxies::new(Some("p.example:3128"), None, None);
        assert_eq!(plain.http().unwrap(), "p.example:3128");
    }

    #[test]
    fn each_scheme_has_its_proxy() {
        let variables = |name: &str| match name {
            "http_proxy" => Some("plain.example:3128".to_owned()),
            "HTTPS_PROXY" => Some("http://me:hunter2@tls.example:8080/".to_owned()),
            "https_proxy" => Some("other.example".to_owned()),
            _ => None,
        };
        let proxies = Proxies::from_variables(variables);
        let name = |url: &str| proxies.name_for(&Url::parse(url).unwrap());
        assert_eq!(name("http://a.example").unwrap(), "plain.example:3128");
        assert_eq!(name("https://a.example").unwrap(), "tls.example:8080");
        assert!(!format!("{proxies:?}").contains("hunter2"));
        let cgi = |name: &str| match name {
            "REQUEST_METHOD" => Some("GET".to_owned()),
            other => variables(other),
        };
        let proxies = Proxies::from_variables(cgi);
        let plain = Url::parse("http://a.example").unwrap();
        assert!(proxies.proxy_for(&plain).is_none());
    }
}
