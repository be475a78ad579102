use std::collections::BTreeMap;

use solvekit_bake::target::{Output, Secret, Ssh};

use super::*;

/// Paths by name, and one variable.
#[derive(Default)]
struct Memory {
    paths: BTreeMap<&'static str, Found>,
    variable: Option<(&'static str, &'static str)>,
    is_terminal: bool,
}

impl Machine for Memory {
    fn variable(&self, name: &str) -> Option<String> {
        let (known, value) = self.variable?;
        (known == name).then(|| value.to_owned())
    }

    fn look(&self, path: &str) -> io::Result<Found> {
        self.paths
            .get(path)
            .copied()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn check_key(&self, _: &str) -> Result<(), session::Error> {
        Ok(())
    }

    fn stdout_is_terminal(&self) -> bool {
        self.is_terminal
    }
}

fn failed(target: Target, machine: &Memory) -> String {
    check(&target, machine).unwrap_err().to_string()
}

fn target(change: impl FnOnce(&mut Target)) -> Target {
    let mut target = Target::default();
    change(&mut target);
    target
}

#[test]
fn a_secret_by_its_id_is_a_variable_or_a_file() {
    let secret = || {
        target(|target| {
            target.secrets = vec![Secret {
                id: "tok".into(),
                ..Secret::default()
            }];
        })
    };
    let none = Memory::default();
    assert!(failed(secret(), &none).contains("the file of the secret tok is missing"));
    let variable = Memory {
        variable: Some(("tok", "")),
        ..Memory::default()
    };
    assert!(check(&secret(), &variable).is_ok());
    let file = Memory {
        paths: [("tok", Found::File(5))].into(),
        ..Memory::default()
    };
    assert!(check(&secret(), &file).is_ok());
    let large = Memory {
        paths: [("tok", Found::File(600_000))].into(),
        ..Memory::default()
    };
    assert!(failed(secret(), &large).contains("600000 bytes"));
    let nameless = target(|target| target.secrets = vec![Secret::default()]);
    assert_eq!(failed(nameless, &none), "a secret has no id");
}

#[test]
fn an_agent_is_one_socket_or_keys() {
    let machine = Memory {
        paths: [
            ("s", Found::Socket),
            ("t", Found::Socket),
            ("k", Found::File(1)),
        ]
        .into(),
        ..Memory::default()
    };
    let agent = |paths: &[&str]| {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        target(|target| {
            target.ssh = vec![Ssh {
                id: String::new(),
                paths,
            }]
        })
    };
    assert!(check(&agent(&["s"]), &machine).is_ok());
    assert!(check(&agent(&["k", "k"]), &machine).is_ok());
    assert!(failed(agent(&["s", "t"]), &machine).contains("s is a socket"));
    assert!(failed(agent(&["k", "s"]), &machine).contains("s is a socket"));
    assert!(failed(agent(&["none"]), &machine).contains("none"));
    assert!(failed(agent(&[]), &machine).contains("SSH_AUTH_SOCK, which is not set"));
    let from_git = target(|target| target.context = Some("git@h:r".into()));
    assert!(failed(from_git, &machine).contains("SSH_AUTH_SOCK"));
}

#[test]
fn outputs_need_a_place_of_the_right_kind() {
    let machine = Memory {
        paths: [("file", Found::File(1)), ("folder", Found::Folder)].into(),
        ..Memory::default()
    };
    let outputs = |texts: &[&str]| {
        let outputs = texts
            .iter()
            .map(|text| Output::parse(text).unwrap())
            .collect();
        target(|target| target.outputs = Some(outputs))
    };
    for good in [
        "type=local,dest=folder",
        "type=docker",
        "type=tar",
        "type=oci,dest=file",
    ] {
        assert!(check(&outputs(&[good]), &machine).is_ok(), "{good}");
    }
    for (bad, problem) in [
        ("type=local", "dest is needed"),
        ("type=local,dest=-", "a folder cannot be written"),
        ("type=local,dest=file", "file is a file"),
        ("type=tar,dest=folder", "folder is a folder"),
        ("type=oci,tar=false", "dest is needed"),
    ] {
        assert!(failed(outputs(&[bad]), &machine).contains(problem), "{bad}");
    }
    assert!(failed(outputs(&["type=tar", "type=oci"]), &machine).contains("already"));
    let terminal = Memory {
        is_terminal: true,
        ..Memory::default()
    };
    assert!(failed(outputs(&["type=tar"]), &terminal).contains("terminal"));
}

#[test]
fn values_that_cannot_be_read_are_named() {
    let machine = Memory::default();
    let cases: [(Target, &str); 6] = [
        (target(|t| t.context = Some("-".into())), "the context"),
        (
            target(|t| t.dockerfile = Some("-".into())),
            "the Dockerfile",
        ),
        (target(|t| t.shm_size = Some("lots".into())), "shm-size"),
        (
            target(|t| t.platforms = Some(vec!["bogus".into()])),
            "platforms",
        ),
        (target(|t| t.ulimits = vec!["nofile".into()]), "ulimits"),
        (target(|t| t.annotations = vec!["x".into()]), "annotations"),
    ];
    for (target, expected) in cases {
        assert!(failed(target, &machine).starts_with(expected), "{expected}");
    }
    let limits = Resources {
        memory: Some("x".into()),
        ..Resources::default()
    };
    let limited = target(|target| target.resources = Some(limits));
    assert!(failed(limited, &machine).starts_with("resources: memory"));
}
