use solvekit_bake::target::Policy;

use super::*;
use crate::bake::Found;

struct Runner;

impl Machine for Runner {
    fn variable(&self, name: &str) -> Option<String> {
        let value = match name {
            "ACTIONS_RUNTIME_TOKEN" => "hunter2",
            "ACTIONS_CACHE_URL" => "https://cache.example/",
            _ => return None,
        };
        Some(value.to_owned())
    }

    fn look(&self, _: &str) -> std::io::Result<Found> {
        Err(std::io::ErrorKind::NotFound.into())
    }

    fn check_key(&self, _: &str) -> Result<(), crate::session::Error> {
        Ok(())
    }

    fn stdout_is_terminal(&self) -> bool {
        false
    }
}

#[test]
fn the_runner_s_token_goes_to_the_runner_s_cache_only() {
    let token = |text: &str| {
        let given = Cache::parse_entries(text).unwrap();
        let found = caches(Some(&given), CacheDirection::From, &Runner).unwrap();
        let entry = found.into_iter().next()?;
        entry.attrs.get("token").cloned()
    };
    let runner_s = Some("hunter2".to_owned());
    assert_eq!(token("type=gha"), runner_s);
    assert_eq!(token("type=gha,url=https://cache.example/"), runner_s);
    assert_eq!(token("type=gha,url=https://evil.example/"), None);
    assert_eq!(token("type=gha,url_v2=https://evil.example/"), None);
    let own = token("type=gha,url=https://own.example/,token=mine");
    assert_eq!(own.as_deref(), Some("mine"));
}

#[test]
fn networks_of_a_builder_are_no_networks_of_a_build() {
    let of = |mode: &str| {
        let mut target = Target::default();
        target.network = Some(mode.to_owned());
        network(&target)
    };
    assert_eq!(of("").unwrap(), Network::Default);
    assert_eq!(of("host").unwrap(), Network::Host);
    let refused = of("backend").unwrap_err();
    assert!(
        matches!(&refused, RequestError::Network { mode } if mode == "backend"),
        "{refused}"
    );
}

#[test]
fn the_policies_of_a_target_are_those_of_its_build() {
    let text = Policy::parse("filename=a.rego,strict=true,log-level=debug").unwrap();
    let config = crate::policy::config(&text);
    assert_eq!(config.files, ["a.rego"]);
    assert_eq!(config.strict, Some(true));
    assert_eq!(config.log_level, Some(crate::policy::LogLevel::Debug));
}

/// A machine on which every path is a folder.
struct Folders {
    accepts: bool,
}

impl Machine for Folders {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn look(&self, _: &str) -> std::io::Result<Found> {
        Ok(Found::Folder)
    }

    fn check_key(&self, _: &str) -> Result<(), crate::session::Error> {
        Ok(())
    }

    fn stdout_is_terminal(&self) -> bool {
        false
    }

    fn accepts_secret_folders(&self) -> bool {
        self.accepts
    }
}

#[test]
fn a_folder_is_a_secret_only_where_it_is_accepted() {
    for text in ["id=a,src=/", "id=/"] {
        let given = [Secret::parse(text).unwrap()];
        let accepted = secrets(&given, &Folders { accepts: true }).unwrap();
        assert!(!accepted.is_empty(), "{text}");
        let refused = secrets(&given, &Folders { accepts: false }).unwrap_err();
        let words = refused.to_string();
        assert!(words.starts_with("cannot use / as secret"), "{words}");
    }
}
