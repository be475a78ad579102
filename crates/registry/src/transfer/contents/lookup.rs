//! Looks up a path in a layer. Pure.

use std::collections::HashSet;

use super::layer::{Entry, Layer};

/// A path in an image without `.`, `..` and redundant slashes; the root is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Path(String);

impl Path {
    pub(super) fn parse(text: &str) -> Self {
        let mut parts: Vec<&str> = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        Self(parts.join("/"))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the folders of the path, the topmost first, then the path itself; the root is
    /// omitted.
    pub(super) fn ways(&self) -> impl Iterator<Item = &str> {
        let ends = self.0.match_indices('/').map(|(end, _)| end);
        let ends = ends.chain((!self.0.is_empty()).then_some(self.0.len()));
        ends.map(|end| &self.0[..end])
    }

    /// Returns the path after following a link at one of its [`ways`](Self::ways).
    fn through(&self, link: &str, target: &str) -> Self {
        let folder = match (target.starts_with('/'), link.rsplit_once('/')) {
            (false, Some((folder, _))) => folder,
            _ => "",
        };
        Self::parse(&format!("{folder}/{target}/{}", &self.0[link.len()..]))
    }
}

/// The result of looking up a path in a layer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The layer does not mention it: lower layers decide.
    Below,
    /// The path or one of its folders is a symbolic link.
    Symlink(Path),
    Hard(Path),
    Folder,
    /// A device, pipe or socket.
    Special,
    /// The path was removed, or one of its folders is not a folder.
    Nothing,
}

/// The folders of a path that upper layers contain.
#[derive(Debug, Default)]
pub(super) struct Folders(HashSet<String>);

/// Looks up a path in a layer that does not contain it as a file.
pub(super) fn verdict(layer: &Layer, wanted: &Path, folders: &mut Folders) -> Verdict {
    let mut is_hidden = layer.is_opaque("");
    for way in wanted.ways() {
        let is_last = way.len() == wanted.as_str().len();
        match layer.entry(way) {
            Some(Entry::Folder) if is_last => return Verdict::Folder,
            Some(Entry::Folder) => drop(folders.0.insert(way.to_owned())),
            // A folder of an upper layer replaces it.
            Some(_) if folders.0.contains(way) => return Verdict::Nothing,
            Some(Entry::Symlink(target)) => return Verdict::Symlink(wanted.through(way, target)),
            Some(Entry::Hard(target)) if is_last => return Verdict::Hard(Path::parse(target)),
            Some(Entry::Special) if is_last => return Verdict::Special,
            Some(_) => return Verdict::Nothing,
            None => {}
        }
        is_hidden |= layer.is_removed(way);
        if !is_last {
            is_hidden |= layer.is_opaque(way);
        }
    }
    match is_hidden {
        true => Verdict::Nothing,
        false => Verdict::Below,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(entries: &[(&str, Entry)]) -> Layer {
        let mut layer = Layer::default();
        for (path, entry) in entries {
            layer.add(path, entry.clone()).unwrap();
        }
        layer
    }

    fn said(entries: &[(&str, Entry)], wanted: &str) -> Verdict {
        verdict(
            &layer(entries),
            &Path::parse(wanted),
            &mut Folders::default(),
        )
    }

    fn link(target: &str) -> Entry {
        Entry::Symlink(target.to_owned())
    }

    #[test]
    fn paths_are_cleaned_and_cannot_leave_the_image() {
        assert_eq!(Path::parse("/etc//./passwd").as_str(), "etc/passwd");
        assert_eq!(Path::parse("../../etc/x/../y").as_str(), "etc/y");
        assert!(Path::parse("/..").is_root());
        let path = Path::parse("a/b/c");
        assert_eq!(path.ways().collect::<Vec<_>>(), ["a", "a/b", "a/b/c"]);
        assert_eq!(Path::parse("/").ways().count(), 0);
    }

    #[test]
    fn whiteouts_hide_what_is_below() {
        let removed = |path: &str| said(&[(path, Entry::File)], "etc/app/conf");
        assert_eq!(removed("etc/app/.wh.conf"), Verdict::Nothing);
        assert_eq!(removed("etc/.wh.app"), Verdict::Nothing);
        assert_eq!(removed("etc/app/.wh..wh..opq"), Verdict::Nothing);
        assert_eq!(removed(".wh..wh..opq"), Verdict::Nothing);
        assert_eq!(removed("etc/app/.wh.other"), Verdict::Below);
        assert_eq!(removed("etc/app/conf/.wh..wh..opq"), Verdict::Below);
    }

    #[test]
    fn links_on_the_way_are_followed_within_the_image() {
        let through = |target: &str| match said(&[("usr/lib", link(target))], "usr/lib/x/y") {
            Verdict::Symlink(path) => path.as_str().to_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(through("lib64"), "usr/lib64/x/y");
        assert_eq!(through("/lib64"), "lib64/x/y");
        assert_eq!(through("../../../../lib"), "lib/x/y");
        let hard = Entry::Hard("bin/busybox".to_owned());
        assert_eq!(
            said(&[("bin/sh", hard)], "bin/sh"),
            Verdict::Hard(Path::parse("bin/busybox"))
        );
    }

    #[test]
    fn a_folder_above_takes_the_place_of_a_link() {
        let mut folders = Folders::default();
        let wanted = Path::parse("lib/x");
        let above = layer(&[("lib", Entry::Folder)]);
        assert_eq!(verdict(&above, &wanted, &mut folders), Verdict::Below);
        let below = layer(&[("lib", link("usr/lib"))]);
        assert_eq!(verdict(&below, &wanted, &mut folders), Verdict::Nothing);
    }

    #[test]
    fn what_is_no_folder_has_no_files() {
        assert_eq!(
            said(&[("etc", Entry::File)], "etc/passwd"),
            Verdict::Nothing
        );
        assert_eq!(
            said(&[("dev/null", Entry::Special)], "dev/null"),
            Verdict::Special
        );
        assert_eq!(said(&[("etc", Entry::Folder)], "etc"), Verdict::Folder);
    }
}
