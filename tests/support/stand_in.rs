//! A stand-in for the image `moby/buildkit`, which cannot be pulled here: its `buildkitd` does
//! nothing, and its `buildctl` leads to the BuildKit in `UPSTREAM`. Everything around it is real.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::OnceLock;

use super::own_program::add_program;
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

/// The name of the image, pushed to the plain registry once per test run.
pub fn stand_in_image() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let context = tempfile::tempdir().expect("a temporary folder");
        add_program(context.path());
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
