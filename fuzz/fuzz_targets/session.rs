//! Requests of a hostile daemon to the sender of contexts: any patterns and paths to follow, and
//! any frames. Only files inside the folder are named, wherever its links point.

#![no_main]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (first, rest) = input.split_first().unwrap_or((&0, &[]));
    let _ = solvekit::fuzzing::read_frames(rest, usize::from(*first));
    let mut lists = [Vec::new(), Vec::new(), Vec::new()];
    for line in String::from_utf8_lossy(rest).lines().take(20) {
        let list = line.len() % 3;
        lists[list].push(line.to_owned());
    }
    let [include, exclude, follow] = lists;
    let Ok(paths) = solvekit::fuzzing::list_all(root(), include, exclude, follow) else {
        return;
    };
    for path in paths {
        let path = String::from_utf8(path).expect("the folder has no other names");
        assert!(
            !path.contains("secret") && !path.split('/').any(|name| name == ".."),
            "{path}"
        );
    }
});

/// Returns a folder with links out of it and in cycles, beside a secret; created once.
fn root() -> &'static PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let base = std::env::temp_dir().join(format!("fuzz-session-{}", std::process::id()));
        let root = base.join("root");
        fs::create_dir_all(root.join("a/b")).expect("a temporary folder");
        fs::create_dir_all(base.join("secret")).expect("a temporary folder");
        fs::write(base.join("secret/key"), b"").expect("a temporary file");
        fs::write(root.join("a/b/c"), b"").expect("a temporary file");
        for (target, link) in [
            ("..", "up"),
            ("/", "root"),
            ("a", "l"),
            ("m", "l2"),
            ("l2", "m"),
            ("../secret", "a/out"),
        ] {
            symlink(target, root.join(link)).expect("a temporary link");
        }
        root
    })
}
