//! `--allow`: the entitlements that bake files need and the user grants.

use std::path::Path;

use solvekit::bake::{Entitlements, Machine, Plan};
use solvekit::pipeline::{BuildRequest, Entitlement, csv_fields};
use solvekit::progress::Mode;

use crate::cli::args::values;
use crate::cli::interrupt;
use crate::cli::report::again::{again, quoted};
use crate::cli::report::terminal::talk;
use crate::cli::report::usage::BakeUsage;
use crate::cli::report::{Failure, prompt};

/// Entitlements without a value.
const PLAIN: [&str; 4] = [
    "network.host",
    "security.insecure",
    "ssh",
    "buildx.local.delete",
];
/// Entitlements with a value.
const VALUED: [&str; 7] = [
    "device",
    "fs.read",
    "fs.write",
    "fs",
    "image.push",
    "image.load",
    "image",
];

/// Checks that all entitlements are known.
pub(super) fn check(given: &[String]) -> Result<(), Failure> {
    for text in given {
        if PLAIN.contains(&text.as_str()) {
            continue;
        }
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        let invalid = |reason: String| {
            Failure::from(BakeUsage::Allow {
                text: text.clone(),
                reason,
                known: format!(
                    "the entitlements are {} and {} with =VALUE",
                    PLAIN.join(", "),
                    VALUED.join(", ")
                ),
            })
        };
        if PLAIN.contains(&key) {
            return Err(invalid(format!("{key} has no value")));
        }
        if !VALUED.contains(&key) {
            return Err(invalid(format!("there is no entitlement {key:?}")));
        }
        if key == "device" {
            csv_fields(value).map_err(|error| invalid(error.to_string()))?;
        }
    }
    Ok(())
}

/// Turns the questions about files and the SSH agent on or off.
const FILES: &str = "BUILDX_BAKE_ENTITLEMENTS_FS";
/// The same for remote definitions, with the opposite meaning.
const REMOTE_FILES: &str = "BAKE_ALLOW_REMOTE_FS_ACCESS";

/// The entitlements that the flags grant: those of `--allow`, and the paths in overrides.
pub(super) fn grants(allow: &[String], set: &[String]) -> Entitlements {
    let mut granted = Entitlements::default();
    for text in allow {
        granted.grant(text);
    }
    for text in set {
        granted.grant_override(text);
    }
    granted
}

/// Asks the user for entitlements that the targets need and the flags do not grant, before the
/// build.
pub(super) async fn ask(
    granted: &Entitlements,
    plan: &Plan,
    is_remote: bool,
    mode: Mode,
    machine: &dyn Machine,
) -> Result<(), Failure> {
    let folder = std::env::current_dir()
        .map_err(|error| Failure::new(format!("cannot find the working directory: {error}")))?;
    let missing = granted.missing(plan, &folder, machine);
    let mut missing = missing.map_err(|error| Failure::from_error(&error))?;
    if !asks_for_files(is_remote, machine)? {
        missing = missing.without_files();
    }
    if mode == Mode::RawJson {
        // As in buildx: programs that read this output ask their users themselves.
        let deletes = missing.local_delete;
        missing = Entitlements::default();
        missing.local_delete = deletes;
    }
    if missing.is_empty() {
        return Ok(());
    }
    let folder = folder.canonicalize().unwrap_or(folder);
    let wanted = wanted(&missing, &folder);
    let mut text =
        String::from("The bake file asks for more than a build of this folder may do:\n\n");
    for (what, _) in &wanted {
        text.push_str(&format!("  - {what}\n"));
    }
    let flags: Vec<String> = wanted.iter().map(|(_, flag)| quoted(flag)).collect();
    let flags = flags.join(" ");
    let command = again(&["bake"], &flags);
    let asked = flags.clone();
    let refused = Failure::from(BakeUsage::NotAllowed { flags, command });
    if mode == Mode::RawJson {
        return Err(refused);
    }
    talk(&text);
    let question = format!("\n{asked} allows it without this question.\nAllow it now? [y/N] ");
    let cancelled = interrupt::token()?;
    let answer = tokio::select! {
        answer = prompt::line(&question) => answer,
        () = cancelled.cancelled() => return Err(Failure::new("interrupted").code(130)),
    };
    match answer {
        Ok(answer) if answer.trim().eq_ignore_ascii_case("y") => Ok(()),
        Ok(_) | Err(prompt::NotAsked::NoTerminal) => Err(refused),
        Err(prompt::NotAsked::Failed(failure)) => Err(failure),
    }
}

/// Adds the granted entitlement that the daemon need not know: files may be deleted.
pub(super) fn hand_over(request: &mut BuildRequest) {
    let deletion = Entitlement::LocalDelete;
    if !request.entitlements.contains(&deletion) {
        request.entitlements.push(deletion);
    }
}

fn asks_for_files(is_remote: bool, machine: &dyn Machine) -> Result<bool, Failure> {
    let flag = |name: &str| {
        let value = machine.variable(name);
        let value = value.map(|value| values::boolean(&value)).transpose();
        value
            .map_err(|reason| Failure::new(format!("the variable {name} cannot be used: {reason}")))
    };
    let by_place = match is_remote {
        true => flag(REMOTE_FILES)?.map(|allowed| !allowed),
        false => None,
    };
    Ok(flag(FILES)?.or(by_place).unwrap_or(true))
}

/// Each entitlement as text and as a flag.
fn wanted(missing: &Entitlements, folder: &Path) -> Vec<(String, String)> {
    let mut wanted = Vec::new();
    let mut add = |what: String, flag: String| wanted.push((what, format!("--allow={flag}")));
    if missing.network_host {
        add(
            "use the network of the daemon's machine".to_owned(),
            "network.host".to_owned(),
        );
    }
    if missing.security_insecure {
        add(
            "run privileged steps".to_owned(),
            "security.insecure".to_owned(),
        );
    }
    if missing.all_devices {
        add("use all devices".to_owned(), "device".to_owned());
    }
    for name in &missing.devices {
        add(format!("use the device {name}"), format!("device={name}"));
    }
    if missing.local_delete {
        let what = "delete files in the folders of outputs".to_owned();
        add(what, "buildx.local.delete".to_owned());
    }
    if missing.ssh {
        add("use your SSH agent".to_owned(), "ssh".to_owned());
    }
    for path in missing.read.union(&missing.write) {
        let (read, write) = (missing.read.contains(path), missing.write.contains(path));
        let path = shown(path, folder);
        match (read, write) {
            (true, true) => add(format!("read and write {path}"), format!("fs={path}")),
            (true, false) => add(format!("read {path}"), format!("fs.read={path}")),
            (false, _) => add(format!("write {path}"), format!("fs.write={path}")),
        }
    }
    wanted
}

/// The path relative to the folder, if it is at most one folder up.
fn shown(path: &str, folder: &Path) -> String {
    let Some(folder) = folder.to_str() else {
        return path.to_owned();
    };
    let relative = solvekit::bake::filepath::relative(folder, path);
    relative
        .filter(|relative| !relative.starts_with("../.."))
        .unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entitlements_are_known_by_name() {
        for good in [
            "ssh",
            "fs=*",
            "fs.read=/x",
            "device",
            "device=a/b",
            "image.push=x",
        ] {
            assert!(check(&[good.to_owned()]).is_ok(), "{good}");
        }
        for bad in ["bogus", "security.insecure=x", "buildx.local.delete=1", ""] {
            assert!(check(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_flags_are_as_short_as_they_can_be_and_safe_in_a_shell() {
        let mut missing = Entitlements::default();
        for text in [
            "network.host",
            "ssh",
            "fs=/work",
            "fs.read=/work/app/../x y",
            "fs.write=/etc/a",
        ] {
            missing.grant(text);
        }
        let wanted = wanted(&missing, Path::new("/work/app/sub"));
        let flags: Vec<String> = wanted.iter().map(|(_, flag)| quoted(flag)).collect();
        assert_eq!(
            flags,
            [
                "--allow=network.host",
                "--allow=ssh",
                "--allow=fs.write=/etc/a",
                "--allow=fs=/work",
                "'--allow=fs.read=/work/app/../x y'",
            ]
        );
        assert_eq!(shown("/work/app/x", Path::new("/work/app/sub")), "../x");
    }
}
