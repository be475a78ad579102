//! Stand-ins for the tutorials' images that cannot be pulled here, under their own names in the
//! mirror of Docker Hub.

use std::sync::OnceLock;

use crate::support::{Engine, Finished, folder_of, solvekit, stand_in_image};

/// The output of `tonistiigi/binfmt`. `tests/engine` has registered the emulators, and they stay.
const BINFMT: &str = "#!/bin/sh
mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc \
/proc/sys/fs/binfmt_misc || exit 1
test -w /proc/sys/fs/binfmt_misc/register || exit 1
case \"$1\" in
--install) echo \"installing: $2 OK\" ;;
--uninstall) echo \"uninstalling: $2 OK\" ;;
*) echo \"no $1 here\"; exit 2 ;;
esac
";

/// Pushes them to the mirror, once.
pub(crate) fn provide() {
    static PROVIDED: OnceLock<()> = OnceLock::new();
    PROVIDED.get_or_init(|| {
        let mirror = &Engine::get().registry;
        let names = [
            "moby/buildkit:master",
            "moby/buildkit:buildx-stable-1",
            "dockerpracticesig/buildkit:master",
            "dockerpracticesig/buildkit:master-tencent",
        ];
        let mut copy = solvekit(["imagetools", "create"]);
        for name in names {
            copy.arg("-t").arg(format!("{mirror}/{name}"));
        }
        Finished::of(copy.arg(stand_in_image())).succeeded();
        let folder = folder_of(&[
            (
                "Dockerfile",
                "FROM busybox\nCOPY --chmod=755 binfmt /usr/bin/\nENTRYPOINT [\"binfmt\"]\n",
            ),
            ("binfmt", BINFMT),
        ]);
        let mut build = solvekit(["build", "--push"]);
        for tag in ["latest", "buildkit-master"] {
            build
                .arg("-t")
                .arg(format!("{mirror}/tonistiigi/binfmt:{tag}"));
        }
        Finished::of(build.arg(folder.path())).succeeded();
    });
}
