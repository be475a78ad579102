use super::*;

type File<'a> = (&'a str, u32, u64, i64, Option<u8>);

fn table(files: &[File<'_>]) -> Table {
    let (mut writer, mut digests) = (TableWriter::default(), Vec::new());
    for (number, (path, mode, size, time, digest)) in files.iter().enumerate() {
        writer.push(&FileStat {
            path: path.as_bytes(),
            mode: *mode,
            size: *size,
            time: *time,
            ..FileStat::default()
        });
        digests.extend(digest.map(|byte| (u32::try_from(number).unwrap(), [byte; 16])));
    }
    writer.finish(digests).unwrap()
}

fn changes(old: &[File<'_>], new: &[File<'_>]) -> Vec<(String, How)> {
    let changes = table(new).changes_since(&table(old)).unwrap();
    let files = changes.files.into_iter();
    files.map(|file| (file.path, file.how)).collect()
}

#[test]
fn each_kind_of_change_is_reported() {
    let old = [
        ("a", 0o644, 1, 1, Some(1)),
        ("b", 0o644, 1, 1, Some(1)),
        ("c", 0o644, 1, 1, Some(1)),
        ("d", 0o644, 1, 1, Some(1)),
        ("e", 0o644, 1, 1, None),
        ("f", 0o644, 1, 1, Some(1)),
    ];
    let new = [
        ("a", 0o644, 1, 2, Some(2)),
        ("b", 0o755, 1, 1, None),
        ("c", 0o644, 2, 1, None),
        ("e", 0o644, 1, 2, Some(2)),
        ("f", DIRECTORY | 0o755, 0, 0, None),
        ("g", 0o644, 1, 1, None),
    ];
    let named = |path: &str, how| (path.to_owned(), how);
    assert_eq!(
        changes(&old, &new),
        [
            named("a", How::Content),
            named("b", How::Mode),
            named("c", How::Content),
            named("d", How::Removed),
            named("e", How::Time),
            named("f", How::Type),
            named("g", How::Added),
        ]
    );
}

#[test]
fn a_file_that_was_only_touched_has_not_changed() {
    let old = [("a", 0o644, 1, 1, Some(7))];
    assert_eq!(changes(&old, &[("a", 0o644, 1, 2, Some(7))]), []);
    let folder = |time| [("d", DIRECTORY | 0o755, 4096, time, None)];
    assert_eq!(changes(&folder(1), &folder(2)), []);
    assert_eq!(table(&folder(1)).name(), table(&folder(2)).name());
}

#[test]
fn digests_of_unchanged_files_are_kept() {
    let old = table(&[("a", 0o644, 1, 1, Some(1)), ("b", 0o644, 1, 1, Some(2))]);
    let mut new = table(&[("a", 0o644, 1, 1, None), ("b", 0o644, 1, 2, None)]);
    new.keep_digests(&old).unwrap();
    assert_eq!(
        new,
        table(&[("a", 0o644, 1, 1, Some(1)), ("b", 0o644, 1, 2, None)])
    );
}

#[test]
fn two_tables_of_a_folder_are_united() {
    let one = table(&[("a", 0o644, 1, 1, Some(1)), ("d/x", 0o644, 1, 1, None)]);
    let two = table(&[("a", 0o600, 1, 1, None), ("d-x", 0o644, 1, 1, Some(3))]);
    let united = one.united(&two).unwrap().unwrap();
    let wanted = [
        ("a", 0o644, 1, 1, Some(1)),
        ("d/x", 0o644, 1, 1, None),
        ("d-x", 0o644, 1, 1, Some(3)),
    ];
    assert_eq!(united, table(&wanted));
}

#[test]
fn a_table_of_fifty_thousand_files_is_small() {
    let mut writer = TableWriter::default();
    for number in 0..50_000u32 {
        let path = format!(
            "node_modules/package-{:04}/lib/file-{:03}.js",
            number / 100,
            number % 100
        );
        writer.push(&FileStat {
            path: path.as_bytes(),
            mode: 0o644,
            size: 1234,
            time: 1_700_000_000_000_000_000,
            ..FileStat::default()
        });
    }
    let bytes = writer.finish(Vec::new()).unwrap().to_bytes();
    assert!(bytes.len() < 2 << 20, "{}", bytes.len());
}

#[test]
fn too_many_files_make_no_table() {
    let mut writer = TableWriter::default();
    let path = "x".repeat(8000);
    for _ in 0..3000 {
        writer.push(&FileStat {
            path: path.as_bytes(),
            link: path.as_bytes(),
            ..FileStat::default()
        });
    }
    assert_eq!(writer.finish(Vec::new()), None);
}
