//! `--allow`: the entitlements that bake files need and the user grants.

use std::path::Path;

use solvekit::bake::{Entitlements, Machine, Plan};
use solvekit::pipeline::{BuildRequest, Entitlement, csv_fields};
use solvekit::progress::Mode;
use solvekit_host::files;

use super::Reading;
use crate::cli::args::values;
use crate::cli::identity::Identity;
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
    reading: &Reading<'_>,
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
    let folder = files::canonical(&folder).unwrap_or(folder);
    let wanted = wanted(&missing, &folder);
    let flags: Vec<String> = wanted.iter().map(|it| quoted(&it.flag)).collect();
    let flags = flags.join(" ");
    let command = again(&["bake"], &flags);
    let is_buildx = reading.environment.identity == Identity::Buildx;
    let (text, question) = match is_buildx {
        true => words_of_buildx(&wanted),
        false => own_words(&wanted, &flags),
    };
    let refused = Failure::from(BakeUsage::NotAllowed { flags, command });
    if mode == Mode::RawJson {
        return Err(refused);
    }
    reading.show().await;
    talk(&text);
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

/// The text above the question, and the question.
fn own_words(wanted: &[Wanted], flags: &str) -> (String, String) {
    let mut text =
        String::from("The bake file asks for more than a build of this folder may do:\n\n");
    for it in wanted {
        text.push_str(&format!("  - {}\n", it.what));
    }
    let question = format!("\n{flags} allows it without this question.\nAllow it now? [y/N] ");
    (text, question)
}

/// The same in buildx's words, for scripts that look for them.
fn words_of_buildx(wanted: &[Wanted]) -> (String, String) {
    let mut text = String::from(
        "Your build is requesting privileges for following possibly insecure capabilities:\n\n",
    );
    for it in wanted {
        text.push_str(&format!(" - {}\n", it.in_buildx));
    }
    let flags: Vec<&str> = wanted.iter().map(|it| it.flag.as_str()).collect();
    let flags = flags.join(" ");
    text.push_str(&format!(
        "\nPass {flags:?} to grant requested privileges.\n\n"
    ));
    let question = "Do you want to grant requested privileges and continue? [y/N] ";
    (text, question.to_owned())
}

/// An entitlement that is not granted.
struct Wanted {
    what: String,
    /// The same in buildx's words.
    in_buildx: String,
    flag: String,
}

/// The entitlements that are not granted.
fn wanted(missing: &Entitlements, folder: &Path) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    let mut add = |what: &str, in_buildx: &str, flag: &str| {
        wanted.push(Wanted {
            what: what.to_owned(),
            in_buildx: in_buildx.to_owned(),
            flag: format!("--allow={flag}"),
        });
    };
    if missing.network_host {
        let in_buildx = "Running build containers that can access host network";
        add(
            "use the network of the daemon's machine",
            in_buildx,
            "network.host",
        );
    }
    if missing.security_insecure {
        let in_buildx = "Running privileged containers that can make system changes";
        add("run privileged steps", in_buildx, "security.insecure");
    }
    if missing.all_devices {
        add("use all devices", "Access to CDI devices", "device");
    }
    for name in &missing.devices {
        let what = format!("use the device {name}");
        add(
            &what,
            &format!("Access to device {name}"),
            &format!("device={name}"),
        );
    }
    if missing.local_delete {
        let in_buildx = "Deleting stale files from local output destinations";
        add(
            "delete files in the folders of outputs",
            in_buildx,
            "buildx.local.delete",
        );
    }
    if missing.ssh {
        add(
            "use your SSH agent",
            "Forwarding default SSH agent socket",
            "ssh",
        );
    }
    for path in missing.read.union(&missing.write) {
        let (what, in_buildx, key) =
            match (missing.read.contains(path), missing.write.contains(path)) {
                (true, true) => ("read and write", "Read and write", "fs"),
                (true, false) => ("read", "Read", "fs.read"),
                (false, _) => ("write", "Write", "fs.write"),
            };
        let path = shown(path, folder);
        let in_buildx = format!("{in_buildx} access to path {path}");
        add(
            &format!("{what} {path}"),
            &in_buildx,
            &format!("{key}={path}"),
        );
    }
    wanted
}

/// The path relative to the folder, if it is at most one folder up.
fn shown(path: &str, folder: &Path) -> String {
    let up = folder.parent().map(|parent| (parent, Path::new("..")));
    let mut bases = [(folder, Path::new(""))].into_iter().chain(up);
    let relative = bases.find_map(|(base, way)| {
        let rest = Path::new(path).strip_prefix(base).ok()?;
        Some(match rest.as_os_str().is_empty() {
            true => way.to_owned(),
            false => way.join(rest),
        })
    });
    let relative = relative.filter(|relative| !relative.starts_with("../.."));
    relative.map_or_else(|| path.to_owned(), |path| path.display().to_string())
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
    fn buildx_s_words_are_there_for_scripts() {
        let mut missing = Entitlements::default();
        for text in ["ssh", "fs=/w/b", "fs.read=/w/a", "fs.write=/w/c"] {
            missing.grant(text);
        }
        let (text, _) = words_of_buildx(&wanted(&missing, Path::new("/w/app")));
        let expected = "\
Your build is requesting privileges for following possibly insecure capabilities:

 - Forwarding default SSH agent socket
 - Read access to path ../a
 - Read and write access to path ../b
 - Write access to path ../c

Pass \"--allow=ssh --allow=fs.read=../a --allow=fs=../b --allow=fs.write=../c\" to grant \
                        requested privileges.

";
        assert_eq!(text, expected);
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
        let flags: Vec<String> = wanted.iter().map(|it| quoted(&it.flag)).collect();
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
