use std::collections::BTreeSet;

use proptest::prelude::*;
use tar::{Builder, EntryType, Header};

use super::*;

/// A file of a test's layer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Made {
    path: String,
    content: String,
    mode: u32,
    user: u64,
    time: u64,
}

fn made(path: &str, content: &str) -> Made {
    Made {
        path: path.to_owned(),
        content: content.to_owned(),
        mode: 0o644,
        user: 0,
        time: 1,
    }
}

fn archive(files: &[Made]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for file in files {
        let mut header = Header::new_ustar();
        header.set_mode(file.mode);
        header.set_uid(file.user);
        header.set_gid(0);
        header.set_mtime(file.time);
        match file.content.strip_prefix("->") {
            Some(target) => {
                header.set_entry_type(EntryType::Symlink);
                header.set_size(0);
                builder
                    .append_link(&mut header, &file.path, target)
                    .unwrap();
            }
            None => {
                header.set_size(file.content.len() as u64);
                let content = file.content.as_bytes();
                builder
                    .append_data(&mut header, &file.path, content)
                    .unwrap();
            }
        }
    }
    builder.into_inner().unwrap()
}

fn compared(left: &[Made], right: &[Made], options: &Options) -> (LayerHow, FilesDiff) {
    compare_archives(&*archive(left), &*archive(right), options).unwrap()
}

fn whats(file: &FileDiff) -> Vec<What> {
    file.differences.iter().map(|it| it.what).collect()
}

#[test]
fn every_property_is_distinguished() {
    let left = [
        made("content", "a"),
        made("gone", ""),
        made("link", "->a"),
        made("mode", ""),
        made("owner", ""),
        made("time", ""),
        made("type", "x"),
    ];
    let mut right = left.clone();
    right[0].content = "bc".to_owned();
    right[1].path = "new".to_owned();
    right[2].content = "->b".to_owned();
    right[3].mode = 0o4755;
    right[4].user = 1000;
    right[5].time = 2;
    right[6].content = "->x".to_owned();
    let (how, diff) = compared(&left, &right, &Options::default());
    assert_eq!(how, LayerHow::Files);
    let found: Vec<_> = diff
        .files
        .iter()
        .map(|it| (&*it.path, it.change, whats(it)))
        .collect();
    assert_eq!(
        found,
        [
            ("content", Change::Changed, vec![What::Content, What::Size]),
            ("gone", Change::Removed, vec![]),
            ("link", Change::Changed, vec![What::Link]),
            ("mode", Change::Changed, vec![What::Mode]),
            ("new", Change::Added, vec![]),
            ("owner", Change::Changed, vec![What::Owner]),
            ("type", Change::Changed, vec![What::Type]),
            ("time", Change::Changed, vec![What::Time]),
        ]
    );
    assert_eq!((diff.total, diff.only_times), (8, 1));
    let mode = &diff.files[3].differences[0];
    assert_eq!((&*mode.left, &*mode.right), ("0644", "4755"));
    let few = Options {
        files: 2,
        ..Options::default()
    };
    let (_, diff) = compared(&left, &right, &few);
    assert_eq!((diff.files.len(), diff.total), (2, 8));
}

#[test]
fn layers_with_the_same_files_differ_in_order_headers_compression_or_ignored_times() {
    let files = [made("a", "1"), made("b", "2"), made("c", "3")];
    let options = Options::default();
    assert_eq!(compared(&files, &files, &options).0, LayerHow::Compression);
    let mut moved = files.clone();
    moved.swap(0, 1);
    let (how, diff) = compared(&files, &moved, &options);
    assert_eq!(how, LayerHow::Order);
    assert_eq!(diff.order, Some(["a".to_owned(), "b".to_owned()]));
    let (left, mut right) = (archive(&files), archive(&files));
    let text = b"dev";
    right[265..268].copy_from_slice(text);
    let mut header = Header::new_ustar();
    header.as_mut_bytes().copy_from_slice(&right[..512]);
    header.set_cksum();
    right[..512].copy_from_slice(header.as_bytes());
    let (how, diff) = compare_archives(&*left, &*right, &options).unwrap();
    assert_eq!(
        (how, whats(&diff.files[0])),
        (LayerHow::Files, vec![What::Owner])
    );
    let mut later = files.clone();
    later[2].time = 9;
    let ignoring = Options {
        ignore_times: true,
        ..Options::default()
    };
    assert_eq!(compared(&files, &later, &ignoring).0, LayerHow::Times);
    let (how, diff) = compared(&files, &later, &options);
    assert_eq!((how, diff.only_times), (LayerHow::Files, 1));
}

#[test]
fn files_of_one_path_are_paired_in_order() {
    let left = [made("a", "1"), made("a", "2"), made("b", "")];
    let right = [
        made("a", "1"),
        made("a", "3"),
        made("a", "4"),
        made("b", ""),
    ];
    let (_, diff) = compared(&left, &right, &Options::default());
    let found: Vec<_> = diff.files.iter().map(|it| (it.key.1, it.change)).collect();
    assert_eq!(found, [(1, Change::Changed), (2, Change::Added)]);
}

#[test]
fn texts_show_their_lines_and_other_files_their_first_byte() {
    let (_, mut diff) = compared(
        &[made("bin", "a\0b"), made("text", "a\nb\n")],
        &[made("bin", "a\0c"), made("text", "a\nc\n")],
        &Options::default(),
    );
    let [left, right] = wanted(&diff, 5);
    assert_eq!(left.len(), 2);
    assert_eq!(wanted(&diff, 1)[0].len(), 1);
    let contents = |of: [&str; 2]| {
        let files = left
            .keys()
            .zip(of)
            .map(|(key, text)| (key.clone(), text.as_bytes().to_vec()));
        files.collect::<HashMap<_, _>>()
    };
    assert_eq!(left, right);
    add_texts(
        &mut diff,
        &[contents(["a\0b", "a\nb\n"]), contents(["a\0c", "a\nc\n"])],
    );
    assert_eq!(
        (diff.files[0].first_byte, &diff.files[0].text),
        (Some(2), &None)
    );
    assert_eq!(
        diff.files[1].text.as_deref(),
        Some("@@ -1,2 +1,2 @@\n a\n-b\n+c\n")
    );
}

fn files() -> impl Strategy<Value = Vec<Made>> {
    let file = ("[a-d](/[a-d])?", "(->)?[ab]", 0..2_u32, 0..2_u64, 0..2_u64);
    let file = file.prop_map(|(path, content, mode, user, time)| Made {
        path,
        content,
        mode: 0o644 + mode,
        user,
        time,
    });
    proptest::collection::vec(file, 0..12)
}

proptest! {
    #[test]
    fn a_layer_is_like_itself(files in files()) {
        let (how, diff) = compared(&files, &files, &Options::default());
        prop_assert_eq!((how, diff.total), (LayerHow::Compression, 0));
    }

    #[test]
    fn layers_are_alike_only_if_their_files_are(left in files(), right in files()) {
        let (how, diff) = compared(&left, &right, &Options::default());
        prop_assert_eq!(how == LayerHow::Compression, left == right);
        let sorted = |files: &[Made]| -> BTreeSet<String> {
            files.iter().map(|it| it.path.clone()).collect()
        };
        for file in &diff.files {
            let is_there = |files: &[Made]| sorted(files).contains(&file.path);
            prop_assert!(file.change == Change::Added || is_there(&left));
            prop_assert!(file.change == Change::Removed || is_there(&right));
        }
    }

    #[test]
    fn the_other_way_round_additions_are_removals(left in files(), right in files()) {
        let (how, there) = compared(&left, &right, &Options::default());
        let (how_back, back) = compared(&right, &left, &Options::default());
        prop_assert_eq!((how, there.total), (how_back, back.total));
        let turned = |change| match change {
            Change::Added => Change::Removed,
            Change::Removed => Change::Added,
            changed => changed,
        };
        for (a, b) in there.files.iter().zip(&back.files) {
            prop_assert_eq!((&a.path, a.change), (&b.path, turned(b.change)));
        }
    }

    #[test]
    fn any_bytes_are_compared_or_refused(
        left in proptest::collection::vec(any::<u8>(), 0..2000), files in files(),
        at in 0..1024_usize, byte in any::<u8>(),
    ) {
        let _ = compare_archives(&*left, &*archive(&files), &Options::default());
        let mut damaged = archive(&files);
        damaged[at] = byte;
        let _ = compare_archives(&*damaged, &*archive(&files), &Options::default());
    }
}
