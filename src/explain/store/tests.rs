use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use solvekit_core::explain::{
    Ended, FileStat, Graph, Kind as StepKind, Pick, Read, Reason, Step, TableWriter, VERSION,
};

use super::folder::Kind;
use super::*;

fn file(time: i64) -> FileStat<'static> {
    FileStat {
        path: b"a",
        mode: 0o644,
        size: 1,
        time,
        ..FileStat::default()
    }
}

fn built(time: i64, digest: u8) -> Built {
    let mut writer = TableWriter::default();
    writer.push(&file(time));
    let pick = Pick::default();
    let folder = "context".to_owned();
    let steps = vec![Step {
        name: "[1/1] COPY a /".into(),
        text: "COPY a /".into(),
        kind: StepKind::Files,
        ended: Ended::Ran,
        reads: vec![Read { folder, pick }],
        ..Step::default()
    }];
    let graph = Graph {
        platform: "linux/amd64".into(),
        steps,
        ..Graph::default()
    };
    Built {
        record: Record {
            version: VERSION,
            succeeded: true,
            graphs: vec![graph],
            ..Record::default()
        },
        tables: writer
            .finish(vec![(0, [digest; 16])])
            .map(|table| ("context".to_owned(), Arc::new(table)))
            .into_iter()
            .collect(),
        build_refs: vec![format!("ref{time}")],
    }
}

fn keep(store: &Store, built: Built) -> (Report, Vec<String>) {
    let mut notes = Vec::new();
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(built.build_refs.len() as u64);
    let targets = vec![(String::new(), "key".to_owned(), built)];
    let report = store.keep(targets, at, &mut |error| notes.push(error.to_string()));
    (report, notes)
}

fn reason(report: &Report) -> &Reason {
    &report.targets[0].ran[0].reasons[0]
}

#[test]
fn a_build_is_compared_with_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("explain"));
    let (first, notes) = keep(&store, built(1, 1));
    assert_eq!((first.targets[0].compared, notes.len()), (false, 0));
    let (same, _) = keep(&store, built(1, 1));
    assert_eq!(reason(&same), &Reason::Pruned);
    let (touched, _) = keep(&store, built(2, 1));
    assert_eq!(reason(&touched), &Reason::Pruned);
    let (changed, _) = keep(&store, built(3, 2));
    assert!(matches!(reason(&changed), Reason::Files { total: 1, .. }));
    assert_eq!(
        store.report(None).unwrap().unwrap().targets[0]
            .build_refs
            .len(),
        1
    );
    assert_eq!(store.report(Some("ref2")).unwrap(), Some(touched));
    assert_eq!(store.report(Some("ref9")).unwrap(), None);
}

#[test]
fn what_is_unchanged_is_not_written_again() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    // The daemon requests no content that it already has.
    let unchanged = || {
        let mut writer = TableWriter::default();
        writer.push(&file(1));
        let table = writer.finish(Vec::new()).map(Arc::new);
        let tables = table.map(|table| ("context".to_owned(), table));
        Built {
            tables: tables.into_iter().collect(),
            ..built(1, 1)
        }
    };
    let files = |kind: Kind| -> Vec<(u64, SystemTime)> {
        let entries = fs::read_dir(folder.path().join(kind.folder)).unwrap();
        let metadata = entries.map(|entry| entry.unwrap().metadata().unwrap());
        metadata
            .map(|it| (it.ino(), it.modified().unwrap()))
            .collect()
    };
    keep(&store, built(1, 1));
    let before = [files(TARGETS), files(FILES)].concat();
    std::thread::sleep(Duration::from_millis(5));
    keep(&store, unchanged());
    let after = [files(TARGETS), files(FILES)].concat();
    assert_eq!(before.len(), 2);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.0, after.0, "the same file");
        assert!(before.1 < after.1, "marked as used");
    }
    keep(&store, built(2, 2));
    assert_ne!(files(TARGETS)[0].0, before[0].0);
}

#[test]
fn nobody_else_can_read_the_records() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("explain"));
    keep(&store, built(1, 1));
    let mut files = 0;
    for kind in [TARGETS, FILES, REPORTS] {
        let folder = folder.path().join("explain").join(kind.folder);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        for entry in fs::read_dir(&folder).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
            files += 1;
        }
    }
    assert_eq!(files, 3);
}

#[test]
fn broken_records_are_as_none_and_are_noted() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    keep(&store, built(1, 1));
    for kind in [TARGETS, FILES, REPORTS] {
        for entry in fs::read_dir(folder.path().join(kind.folder)).unwrap() {
            fs::write(entry.unwrap().path(), "\0broken").unwrap();
        }
    }
    assert!(matches!(store.report(None), Err(StoreError::Report { .. })));
    let (report, notes) = keep(&store, built(2, 1));
    assert!(!report.targets[0].compared);
    assert_eq!(notes, ["the record is not valid JSON"]);
    // The next record is valid again, but the old table is damaged.
    let (report, notes) = keep(&store, built(2, 1));
    assert!(report.targets[0].compared && notes.is_empty());
}

#[test]
fn the_oldest_files_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let few = Kind {
        folder: "reports",
        most: 3,
        bytes: 10,
    };
    fs::create_dir(folder.path().join("reports")).unwrap();
    for name in ["a", "b", "c", "d", "e"] {
        let folder = &store.folder;
        folder.write(few, &folder.file(few, name), b"1234").unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut names = store.folder.names(few).unwrap();
    names.sort();
    assert_eq!(names, ["d", "e"]);
}

#[test]
fn a_removal_makes_room_for_a_fifth_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let ten = Kind {
        folder: "reports",
        most: 10,
        bytes: 1000,
    };
    fs::create_dir(folder.path().join("reports")).unwrap();
    for (written, kept) in (1..=12).zip([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 8, 9]) {
        let path = store.folder.file(ten, &written.to_string());
        store.folder.write(ten, &path, b"1").unwrap();
        assert_eq!(store.folder.names(ten).unwrap().len(), kept, "{written}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_fails_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let (report, notes) = keep(&Store::new(folder.path().join("file")), built(1, 1));
    assert_eq!(report.targets[0].ran.len(), 1);
    assert!(notes[0].starts_with("cannot create "), "{notes:?}");
}
