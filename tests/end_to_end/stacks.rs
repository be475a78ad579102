//! The commands keep their large states off the stack of the first thread: it has 8 MiB on most
//! systems, and programs without optimisation use several times what the shipped one does.

use crate::support::{Engine, Finished, folder_of, solvekit, with_stack};

/// In KiB.
const STACK: u32 = 5120;

#[test]
fn builds_fit_on_a_small_stack() {
    let bake = "target \"default\" {\n  contexts = { base = \"target:base\" }\n}\n\
                target \"base\" {\n  dockerfile-inline = \"FROM busybox\\nRUN echo base\"\n}\n";
    let dockerfile = "FROM base\nRUN exit 7\n";
    let folder = folder_of(&[
        ("docker-bake.hcl", bake),
        ("Dockerfile", dockerfile),
        ("Alone", "FROM busybox\nRUN exit 7\n"),
    ]);
    for (code, arguments) in [
        (1, &["build", "-f", "Alone", "."][..]),
        (1, &["debug", "build", "-f", "Alone", "."]),
        // 1 is the code for an image that differs.
        (2, &["verify", "-f", "Alone", "."]),
        (1, &["bake"]),
    ] {
        let mut command = with_stack(STACK, &solvekit(arguments));
        command.env("BUILDKIT_HOST", &Engine::get().host);
        let failed = Finished::of(command.current_dir(folder.path()));
        failed.failed_with(code, &["exit code: 7"]);
    }
}
