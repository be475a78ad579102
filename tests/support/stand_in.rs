//! An image that stands in for `moby/buildkit`, which cannot be pulled here: its `buildkitd` does nothing, its `buildctl` leads to
//! the BuildKit that `UPSTREAM` names. Everything around it is real.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use super::{Engine, Finished, solvekit, unique};

const BUILDKITD: &str = "#!/bin/sh
[ \"$1\" = --version ] && { echo 'buildkitd github.com/moby/buildkit v0.0.0-stand-in 0'; exit; }
echo \"$@\" > /var/lib/buildkit/flags
trap 'exit 0' TERM
sleep 100000 & wait
";
const BUILDCTL: &str = "#!/bin/sh
case \"$1\" in
dial-stdio) exec /solvekit --addr \"$UPSTREAM\" dial-stdio --progress none ;;
debug) exec /solvekit --addr \"$UPSTREAM\" workers ;;
*) echo \"no $1 here\" >&2; exit 1 ;;
esac
";
const DOCKERFILE: &str = "FROM busybox\nCOPY . /\nENTRYPOINT [\"buildkitd\"]\n";

/// The name of the image, pushed to the plain registry once in a run of tests.
pub fn stand_in_image() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let context = tempfile::tempdir().expect("a temporary folder");
        let program = Path::new(env!("CARGO_BIN_EXE_solvekit"));
        let stripped = context.path().join("solvekit");
        output(Command::new("strip").arg("-o").arg(&stripped).arg(program));
        let libraries = output(Command::new("ldd").arg(program));
        for library in libraries
            .split_whitespace()
            .filter(|word| word.starts_with('/'))
        {
            let place = context.path().join(library.trim_start_matches('/'));
            fs::create_dir_all(place.parent().expect("a folder")).expect("the folder can be made");
            fs::copy(library, place).expect("the library can be copied");
        }
        let programs = context.path().join("usr/local/bin");
        fs::create_dir_all(&programs).expect("the folder can be made");
        for (name, text) in [("buildkitd", BUILDKITD), ("buildctl", BUILDCTL)] {
            let path = programs.join(name);
            fs::write(&path, text).expect("it can be written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        }
        fs::write(context.path().join("Dockerfile"), DOCKERFILE).expect("it can be written");
        let name = format!("{}/test/buildkit:{}", Engine::get().registry, unique());
        Finished::of(solvekit(["build", "--push", "-t", &name]).arg(context.path())).succeeded();
        name
    })
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("strip and ldd are there");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
