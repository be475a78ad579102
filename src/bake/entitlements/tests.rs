//! Privileges that targets need, with real folders and links.

use std::os::unix::fs::symlink;

use super::super::Found;
use super::*;
use crate::session;

struct Bare;

impl Machine for Bare {
    fn variable(&self, name: &str) -> Option<String> {
        (name == "SET").then(|| "value".to_owned())
    }

    fn look(&self, path: &str) -> io::Result<Found> {
        match path {
            "git@x:folder" => Ok(Found::Folder),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn check_key(&self, _: &str) -> Result<(), session::Error> {
        Ok(())
    }

    fn stdout_is_terminal(&self) -> bool {
        false
    }
}

/// The missing privileges of a target in a folder `work`, beside a folder `other`.
fn asked(granted: &[&str], change: impl FnOnce(&mut Target)) -> Entitlements {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    std::fs::create_dir_all(root.join("work/sub")).unwrap();
    std::fs::create_dir(root.join("other")).unwrap();
    symlink("../other", root.join("work/link")).unwrap();
    let mut target = Target::default();
    change(&mut target);
    let mut plan = Plan::default();
    plan.targets.insert("app".to_owned(), target);
    let mut grants = Entitlements::default();
    for text in granted {
        assert!(grants.grant(text), "{text}");
    }
    let missing = grants.missing(&plan, &root.join("work"), &Bare).unwrap();
    let shorten = |paths: BTreeSet<String>| {
        let root = format!("{}/", root.display());
        let paths = paths.into_iter();
        paths.map(|path| path.replace(&root, "")).collect()
    };
    Entitlements {
        read: shorten(missing.read),
        write: shorten(missing.write),
        ..missing
    }
}

fn set(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

#[test]
fn the_working_directory_is_granted() {
    let missing = asked(&[], |target| {
        target.context = Some("sub".to_owned());
        target
            .contexts
            .insert("a".to_owned(), "cwd://sub".to_owned());
        target
            .contexts
            .insert("b".to_owned(), "target:b".to_owned());
        target
            .contexts
            .insert("c".to_owned(), "docker-image://alpine".to_owned());
        target
            .contexts
            .insert("d".to_owned(), "https://x.example/a.git".to_owned());
        target.secrets = vec![Secret::parse("id=SET").unwrap()];
        target.outputs = Some(vec![Output::parse("type=local,dest=out").unwrap()]);
    });
    assert!(missing.is_empty(), "{missing:?}");
}

/// They need a grant like any other folder, also through links.
#[test]
fn image_layouts_elsewhere_are_asked_for() {
    let change = |target: &mut Target| {
        let contexts = [
            ("a", "oci-layout://../layout:1.0"),
            (
                "b",
                "oci-layout://link@sha256:0000000000000000000000000000000000000000000000000000000000000000",
            ),
            ("c", "oci-layout://sub"),
            ("d", "oci-layout:///srv/layout"),
        ];
        for (name, context) in contexts {
            target.contexts.insert(name.to_owned(), context.to_owned());
        }
    };
    let missing = asked(&[], change);
    assert_eq!(missing.read, set(&["/srv/layout", "layout", "other"]));
    assert!(asked(&["fs.read=*"], change).is_empty());
}

#[test]
fn files_elsewhere_are_asked_for_where_links_lead() {
    let change = |target: &mut Target| {
        target.context = Some("link".to_owned());
        target
            .contexts
            .insert("a".to_owned(), "../other/deep".to_owned());
        target.dockerfile = Some("/etc/Dockerfile".to_owned());
        target.secrets = vec![Secret::parse("id=../key").unwrap()];
        target.cache_from = Some(entries("type=local,src=../cache"));
        target.cache_to = Some(entries("type=local,dest=../cache"));
        target.outputs = Some(vec![Output::parse("type=tar,dest=link/a.tar").unwrap()]);
        target.ssh = vec![Ssh::parse("default=/home/me/key")];
    };
    let missing = asked(&[], change);
    let read = ["/etc/Dockerfile", "/home/me/key", "cache", "key", "other"];
    assert_eq!(missing.read, set(&read));
    assert_eq!(missing.write, set(&["cache", "other/a.tar"]));
    assert!(!missing.ssh);
    let missing = asked(&["fs=..", "fs.read=/etc"], change);
    assert_eq!(missing.read, set(&["/home/me/key"]));
    assert_eq!(missing.write, BTreeSet::new());
    assert!(asked(&["fs=*"], change).is_empty());
}

#[test]
fn what_looks_remote_and_is_read_here_is_asked_for() {
    let missing = asked(&["fs.read=/etc"], |target| {
        target.context = Some("https://x.example/a.git".to_owned());
        target.dockerfile = Some("/srv/Dockerfile".to_owned());
        target
            .contexts
            .insert("a".to_owned(), "git@x:folder".to_owned());
        target
            .contexts
            .insert("b".to_owned(), "git@x:repository".to_owned());
    });
    assert_eq!(missing.read, set(&["/srv/Dockerfile"]));
}

#[test]
fn privileges_are_asked_for_unless_they_are_granted() {
    let change = |target: &mut Target| {
        let asked = [
            "network.host",
            "security.insecure",
            "device=v.example/gpu=all,alias=x",
        ];
        target.entitlements = asked.map(str::to_owned).to_vec();
        target.ssh = vec![Ssh::parse("default")];
        target.outputs = Some(vec![
            Output::parse("type=local,dest=o,mode=delete").unwrap(),
        ]);
    };
    let missing = asked(&[], change);
    assert!(missing.network_host && missing.security_insecure);
    assert!(missing.ssh && missing.local_delete);
    assert_eq!(missing.devices, set(&["v.example/gpu=all"]));
    assert!(!missing.clone().without_files().ssh);
    let granted = [
        "network.host",
        "security.insecure",
        "device=v.example/gpu=all",
        "ssh",
        "buildx.local.delete",
    ];
    assert!(asked(&granted, change).is_empty());
    let host = asked(&[], |target| target.network = Some("host".to_owned()));
    assert!(host.network_host);
    let git = |target: &mut Target| target.context = Some("git@x.example:a/b.git".to_owned());
    assert!(asked(&[], git).ssh);
}

#[test]
fn overrides_of_the_user_are_grants() {
    let mut granted = Entitlements::default();
    for text in [
        "*.output=type=local,dest=/out",
        "a.cache-to+=type=local,dest=/cache",
        "a.cache-from=type=local,src=/from",
        "a.secret.id=src=/secret",
        "a.ssh=default=/key",
        "a.entitlements=network.host",
        "a.context=/elsewhere",
    ] {
        granted.grant_override(text);
    }
    assert_eq!(granted.read, set(&["/from", "/key", "/secret"]));
    assert_eq!(granted.write, set(&["/cache", "/out"]));
    assert!(granted.network_host);
}
