//! The files of a step at the debugger's prompt.

use solvekit::debug::Pause;
use solvekit::gateway::{FileInfo, FileKind, Ref};

use super::monitor::failed;
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_data, print_text};

/// The bytes of a file that are read at a time.
const PIECE: u64 = 1 << 20;

/// Finds the file system of a path, and the path in it.
fn place<'p>(pause: &'p Pause<'_>, path: &'p str) -> Result<(&'p Ref, &'p str), Failure> {
    let has = |name: &str| {
        let rest = path.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with('/') || name == "/").then_some(rest)
    };
    let files = pause.files.iter();
    let found = files.filter_map(|files| Some((files, has(&files.name)?)));
    let best = found.max_by_key(|(files, _)| files.name.len());
    match best.or(pause.files.first().map(|files| (files, path))) {
        Some((files, "")) => Ok((&files.result, "/")),
        Some((files, path)) => Ok((&files.result, path)),
        None => Err(Failure::new("the files of this step are not known")),
    }
}

/// Lists a folder.
pub(super) async fn list(pause: &Pause<'_>, path: &str) -> Result<(), Failure> {
    let (result, inner) = place(pause, path)?;
    if result.is_scratch() {
        return Ok(());
    }
    let entries = pause.bridge().read_dir(result, inner, "").await;
    let mut text: String = entries.map_err(failed)?.iter().map(entry_line).collect();
    if path == "/" {
        let mounts = pause.files.iter().filter(|files| files.name != "/");
        mounts.for_each(|files| text.push_str(&format!("{} (another mount)\n", files.name)));
    }
    print_text(&text)
}

/// Shows a file.
pub(super) async fn show(pause: &Pause<'_>, path: &str) -> Result<(), Failure> {
    let (result, inner) = place(pause, path)?;
    let mut at = 0;
    loop {
        let range = Some(at..at + PIECE);
        let bytes = pause.bridge().read_file(result, inner, range).await;
        let bytes = bytes.map_err(failed)?;
        print_data(&bytes)?;
        at += bytes.len() as u64;
        if (bytes.len() as u64) < PIECE {
            return Ok(());
        }
    }
}

fn entry_line(entry: &FileInfo) -> String {
    let (kind, end) = match entry.kind {
        FileKind::Directory => ('d', "/".to_owned()),
        FileKind::Symlink => ('l', format!(" -> {}", entry.link_target)),
        FileKind::File => ('-', String::new()),
        _ => ('?', String::new()),
    };
    let (mode, owner) = (entry.mode, format!("{}:{}", entry.uid, entry.gid));
    format!(
        "{kind}{mode:04o} {owner:>9} {:>12} {}{end}\n",
        entry.size, entry.path
    )
}
