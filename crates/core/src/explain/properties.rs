//! Properties: no input from a disk panics; equal builds have nothing to explain.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::record::{Fact, Read};
use super::*;

fn any_step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        Just(Kind::Image),
        Just(Kind::Folder),
        Just(Kind::Remote),
        Just(Kind::Run),
        Just(Kind::Files),
    ];
    let ended = prop_oneof![
        Just(Ended::Unseen),
        Just(Ended::Cached),
        Just(Ended::Ran),
        Just(Ended::Failed),
    ];
    let facts = prop::collection::vec(("[a-c]{1,2}|env [A-C]", "[0-3]"), 0..4);
    let texts = (
        "\\[(linux/amd64 )?[ab]? ?[1-9]/9\\] [A-C] x?|.{0,8}",
        "[A-C] x{0,2}|.{0,8}",
    );
    let inputs = prop::collection::vec(any::<usize>(), 0..3);
    (
        texts,
        kind,
        ended,
        facts,
        inputs,
        any::<bool>(),
        "[*a/]{0,3}",
    )
        .prop_map(
            |((name, text), kind, ended, facts, inputs, ignores_cache, source)| Step {
                name,
                text,
                kind,
                ended,
                ignores_cache,
                facts: facts
                    .into_iter()
                    .map(|(key, value)| Fact { key, value })
                    .collect(),
                inputs,
                reads: vec![Read {
                    folder: "context".into(),
                    pick: Pick {
                        source,
                        wildcards: true,
                        ..Pick::default()
                    },
                }],
                ..Step::default()
            },
        )
}

fn any_record() -> impl Strategy<Value = Record> {
    (prop::collection::vec(any_step(), 0..12), any::<bool>()).prop_map(|(mut steps, succeeded)| {
        for (at, step) in steps.iter_mut().enumerate() {
            step.inputs.retain_mut(|input| {
                *input = input.checked_rem(at).unwrap_or_default();
                at > 0
            });
        }
        Record {
            version: VERSION,
            name: String::new(),
            succeeded,
            graphs: vec![Graph {
                platform: "linux/amd64".into(),
                steps,
                ..Graph::default()
            }],
            folders: BTreeMap::new(),
        }
    })
}

proptest! {
    #[test]
    fn every_step_that_ran_has_a_reason_and_no_other(old in any_record(), new in any_record()) {
        let explained = explain(&old, &new, &BTreeMap::new());
        let ran = |step: &&Step| {
            matches!(step.ended, Ended::Ran | Ended::Failed) && !step.kind.is_source()
        };
        let ran = new.graphs[0].steps.iter().filter(ran);
        let names: HashSet<_> = ran.map(|step| &step.name).collect();
        prop_assert_eq!(names.len(), explained.len());
        for step in &explained {
            prop_assert!(names.contains(&step.step));
            prop_assert!(!step.reasons.is_empty());
        }
    }

    #[test]
    fn an_equal_build_changed_nothing(record in any_record()) {
        for step in explain(&record, &record, &BTreeMap::new()) {
            for reason in step.reasons {
                let changed = matches!(
                    reason,
                    Reason::New
                        | Reason::Text { .. }
                        | Reason::BaseImage { .. }
                        | Reason::Files { .. }
                        | Reason::Variables { .. } | Reason::Parts { .. } | Reason::Daemon { .. }
                );
                prop_assert!(!changed, "{:?}", reason);
            }
        }
    }

    #[test]
    fn records_are_read_as_written_and_damage_does_no_harm(
        record in any_record(),
        cut in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = record.to_bytes().unwrap();
        prop_assert_eq!(&Record::parse(&bytes).unwrap(), &record);
        let at = cut.index(bytes.len());
        bytes[at] = byte;
        if let Ok(other) = Record::parse(&bytes) {
            explain(&other, &record, &BTreeMap::new());
            explain(&record, &other, &BTreeMap::new());
        }
        prop_assert!(Record::parse(&bytes[..at]).is_err());
    }

    #[test]
    fn tables_are_read_as_written_and_damage_does_no_harm(
        paths in prop::collection::btree_set("[a-c]{1,3}(/[a-c]{1,2}){0,2}", 0..20),
        cut in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut writer = TableWriter::default();
        for path in &paths {
            writer.push(&FileStat {
                path: path.as_bytes(),
                mode: 0o644,
                size: 3,
                time: -5,
                ..FileStat::default()
            });
        }
        let numbers = (0..u32::try_from(paths.len()).unwrap()).step_by(2);
        let digests = numbers.map(|number| (number, [7; 16]));
        let table = writer.finish(digests.collect()).unwrap();
        let mut bytes = table.to_bytes();
        prop_assert_eq!(&Table::parse(&bytes).unwrap(), &table);
        prop_assert_eq!(table.changes_since(&table).unwrap(), Changes::default());
        let at = cut.index(bytes.len());
        bytes[at] = byte;
        if let Ok(mut other) = Table::parse(&bytes) {
            let _ = table.changes_since(&other);
            let _ = other.keep_digests(&table);
            let _ = other.united(&table);
        }
        let _ = Table::parse(&bytes[..at]);
    }
}
