//! The progress of a build: the cost of an update does not depend on the number of steps.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, SystemTime};

use solvekit::progress::{
    ProgressGroup, StatusUpdate, Vertex, VertexLog, VertexStatus, View, Warning,
};

#[path = "../crates/core/tests/linear/mod.rs"]
mod linear;
use linear::{assert_linear, assert_linear_steps};

fn at(second: usize) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second as u64)
}

fn vertex(digest: &str, started: usize) -> Vertex {
    Vertex {
        digest: digest.into(),
        name: digest.into(),
        started: Some(at(started)),
        completed: Some(at(started + 1)),
        ..Vertex::default()
    }
}

/// An update for each number.
fn updates(count: usize, update: impl Fn(usize) -> StatusUpdate) -> Vec<StatusUpdate> {
    let first = StatusUpdate {
        vertexes: vec![vertex("step", 0)],
        ..StatusUpdate::default()
    };
    std::iter::once(first)
        .chain((0..count).map(update))
        .collect()
}

fn show(updates: &Vec<StatusUpdate>) {
    let mut view = View::default();
    for update in updates {
        view.apply(1, update, at(0));
    }
}

#[test]
fn a_step_that_begins_again_and_again() {
    let again = |count| {
        updates(count, |number| StatusUpdate {
            vertexes: vec![vertex("step", 10 * number)],
            ..StatusUpdate::default()
        })
    };
    assert_linear(200, again, show);
    assert_linear_steps(100, again, show);
}

#[test]
fn steps_and_members_of_a_group() {
    for group in [false, true] {
        let members = |count| {
            updates(count, |number| StatusUpdate {
                vertexes: vec![Vertex {
                    cached: true,
                    progress_group: group.then(|| ProgressGroup {
                        id: "group".into(),
                        name: "group".into(),
                        weak: false,
                    }),
                    // All members run at once: a group does not restart.
                    ..vertex(&format!("member {number}"), 1)
                }],
                ..StatusUpdate::default()
            })
        };
        assert_linear(500, members, show);
        assert_linear_steps(500, members, show);
    }
}

#[test]
fn transfers_and_logs_of_a_step() {
    let transfers = |count| {
        updates(2 * count, |number| StatusUpdate {
            statuses: vec![VertexStatus {
                id: format!("layer {}", number % count),
                vertex: "step".into(),
                started: Some(at(1)),
                ..VertexStatus::default()
            }],
            logs: vec![VertexLog {
                vertex: "step".into(),
                data: "line\n".into(),
                timestamp: Some(at(1)),
                ..VertexLog::default()
            }],
            ..StatusUpdate::default()
        })
    };
    assert_linear(500, transfers, show);
    assert_linear_steps(240, transfers, show);
}

#[test]
fn warnings_of_a_build() {
    let warnings = |count| {
        updates(2 * count, |number| StatusUpdate {
            warnings: vec![Warning {
                vertex: "step".into(),
                short: format!("warning {}", number % count).into(),
                ..Warning::default()
            }],
            ..StatusUpdate::default()
        })
    };
    let seen = |updates: &Vec<StatusUpdate>| {
        let mut view = View::default();
        for update in updates {
            view.apply(1, update, at(0));
        }
        assert_eq!(view.warnings().len(), (updates.len() - 1) / 2);
    };
    assert_linear(120, warnings, seen);
    assert_linear_steps(120, warnings, seen);
}
