use super::*;
use crate::explain::FileChange;
use crate::explain::record::{Fact, Read};
use crate::explain::{Pick, VERSION};

/// A record with FROM, the context, COPY src and RUN make, all unchanged since the last build.
fn record() -> Record {
    let step = |name: &str, kind, inputs: &[usize], facts: &[(&str, &str)]| Step {
        name: name.to_owned(),
        text: name
            .split_once("] ")
            .map_or(name, |(_, text)| text)
            .to_owned(),
        kind,
        inputs: inputs.to_vec(),
        facts: facts
            .iter()
            .map(|(key, value)| Fact {
                key: (*key).to_owned(),
                value: (*value).to_owned(),
            })
            .collect(),
        ended: Ended::Cached,
        ..Step::default()
    };
    let mut copy = step("[2/4] COPY src /", Kind::Files, &[0, 1], &[]);
    copy.reads = vec![Read {
        folder: "context".into(),
        pick: Pick {
            source: "/src".into(),
            ..Pick::default()
        },
    }];
    Record {
        version: VERSION,
        name: String::new(),
        succeeded: true,
        graphs: vec![Graph {
            platform: "linux/amd64".into(),
            daemon: "one".into(),
            address: "docker".into(),
            steps: vec![
                step("[1/4] FROM a", Kind::Image, &[], &[("image", "a@sha256:1")]),
                step(
                    "load build context",
                    Kind::Folder,
                    &[],
                    &[("folder", "context")],
                ),
                copy,
                step(
                    "[3/4] RUN make",
                    Kind::Run,
                    &[2],
                    &[("env V", "1"), ("user", "x")],
                ),
                step("[4/4] RUN test", Kind::Run, &[3], &[]),
            ],
        }],
        folders: BTreeMap::new(),
    }
}

fn ran(change: impl FnOnce(&mut Record), from: usize) -> Record {
    let mut new = record();
    for step in &mut new.graphs[0].steps[from..] {
        step.ended = Ended::Ran;
    }
    change(&mut new);
    new
}

fn reasons(old: &Record, new: &Record, changes: &[(&str, How)]) -> Vec<Vec<Reason>> {
    let files = changes.iter().map(|(path, how)| FileChange {
        path: (*path).to_owned(),
        how: *how,
    });
    let changes = Changes {
        files: files.collect(),
        has_more: false,
    };
    let changes = [("context".to_owned(), changes)].into();
    let explained = explain(old, new, &changes).into_iter();
    explained.map(|step| step.reasons).collect()
}

fn parent(step: &str) -> Reason {
    Reason::Parent {
        step: step.to_owned(),
    }
}

#[test]
fn a_changed_file_explains_its_copy_and_all_after_it() {
    let changes = [("doc/a", How::Added), ("src/a", How::Content)];
    let reasons = reasons(&record(), &ran(|_| {}, 2), &changes);
    let files = vec![FileChange {
        path: "src/a".into(),
        how: How::Content,
    }];
    let files = Reason::Files {
        files,
        total: 1,
        more: false,
    };
    let after = parent("[2/4] COPY src /");
    assert_eq!(reasons, [vec![files], vec![after.clone()], vec![after]]);
}

#[test]
fn variables_parts_and_texts_are_reported() {
    let new = ran(
        |new| {
            let run = &mut new.graphs[0].steps[3];
            run.facts[0].value = "2".into();
            run.facts[1].value = "y".into();
            new.graphs[0].steps[4].text = "RUN test -v".into();
        },
        3,
    );
    let variables = Reason::Variables {
        names: vec!["V".into()],
    };
    let parts = Reason::Parts {
        names: vec!["user".into()],
    };
    let text = Reason::Text {
        old: "RUN test".into(),
        new: "RUN test -v".into(),
    };
    assert_eq!(
        reasons(&record(), &new, &[]),
        [vec![variables, parts], vec![text, parent("[3/4] RUN make")]]
    );
}

#[test]
fn a_moved_image_explains_what_stands_on_it() {
    let change = |new: &mut Record| new.graphs[0].steps[0].facts[0].value = "a@sha256:2".into();
    let reasons = reasons(&record(), &ran(change, 2), &[]);
    let moved = Reason::BaseImage {
        old: "a@sha256:1".into(),
        new: "a@sha256:2".into(),
    };
    assert_eq!(reasons[0], [moved]);
    assert_eq!(reasons[1], [parent("[2/4] COPY src /")]);
}

#[test]
fn without_a_change_the_daemon_or_the_last_build_explains_it() {
    let only = |old: &Record, new: &Record| reasons(old, new, &[]).swap_remove(0);
    assert_eq!(only(&record(), &ran(|_| {}, 4)), [Reason::Pruned]);
    let mut failed = record();
    failed.graphs[0].steps[4].ended = Ended::Failed;
    assert_eq!(only(&failed, &ran(|_| {}, 4)), [Reason::NotDone]);
    let elsewhere = |new: &mut Record| {
        new.graphs[0].daemon = "two".into();
        new.graphs[0].address = "tcp://b".into();
    };
    let daemon = Reason::Daemon {
        old: "docker".into(),
        new: "tcp://b".into(),
    };
    assert_eq!(only(&record(), &ran(elsewhere, 4)), [daemon]);
    let without = |new: &mut Record| new.graphs[0].steps[4].ignores_cache = true;
    assert_eq!(only(&record(), &ran(without, 4)), [Reason::NoCache]);
    assert_eq!(only(&Record::default(), &ran(|_| {}, 4)), [Reason::New]);
}

#[test]
fn steps_of_a_new_platform_are_new() {
    let on = |record: &mut Record, name: &str| {
        record.graphs[0].platform = name.into();
        record.graphs[0].steps[3].facts.push(Fact {
            key: "platform".into(),
            value: name.into(),
        });
    };
    let mut old = record();
    on(&mut old, "linux/amd64");
    let new = ran(|new| on(new, "linux/arm64"), 2);
    let reasons = reasons(&old, &new, &[]);
    assert_eq!(reasons[0], [Reason::New]);
    assert_eq!(reasons[1], [Reason::New, parent("[2/4] COPY src /")]);
    assert_eq!(reasons[2], [parent("[3/4] RUN make")]);
}

#[test]
fn cached_steps_need_no_reason() {
    assert_eq!(explain(&record(), &record(), &BTreeMap::new()), []);
}
