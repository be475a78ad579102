//! Updates for tests, with times in milliseconds since a fixed moment.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::event::*;
use super::view::View;

/// A build for two platforms, recorded from a real daemon.
pub(super) const RECORDED: &str = include_str!("fixtures/two-platforms.jsonl");

pub(super) fn recorded() -> Vec<StatusUpdate> {
    RECORDED
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

pub(super) fn at(millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_millis(millis)
}

pub(super) fn vertex(
    digest: &str,
    name: &str,
    started: Option<u64>,
    completed: Option<u64>,
) -> Vertex {
    Vertex {
        digest: digest.into(),
        name: name.into(),
        started: started.map(at),
        completed: completed.map(at),
        ..Default::default()
    }
}

pub(super) fn vertexes(vertexes: impl IntoIterator<Item = Vertex>) -> StatusUpdate {
    StatusUpdate {
        vertexes: vertexes.into_iter().collect(),
        ..Default::default()
    }
}

/// A running step.
pub(super) fn begun(digest: &str, name: &str, started: u64) -> StatusUpdate {
    vertexes([vertex(digest, name, Some(started), None)])
}

/// A completed step.
pub(super) fn ended(digest: &str, name: &str, started: u64, completed: u64) -> StatusUpdate {
    vertexes([vertex(digest, name, Some(started), Some(completed))])
}

pub(super) fn cached(digest: &str, name: &str, when: u64) -> StatusUpdate {
    vertexes([Vertex {
        cached: true,
        ..vertex(digest, name, Some(when), Some(when))
    }])
}

pub(super) fn failed(
    digest: &str,
    name: &str,
    started: u64,
    completed: u64,
    error: &str,
) -> StatusUpdate {
    let error = error.to_string();
    vertexes([Vertex {
        error,
        ..vertex(digest, name, Some(started), Some(completed))
    }])
}

pub(super) fn log(digest: &str, when: u64, data: &[u8]) -> StatusUpdate {
    let data = data.to_vec().into();
    let log = VertexLog {
        vertex: digest.into(),
        stream: LogStream::Stdout,
        data,
        timestamp: Some(at(when)),
    };
    StatusUpdate {
        logs: vec![log],
        ..Default::default()
    }
}

pub(super) fn transfer(
    digest: &str,
    id: &str,
    bytes: (i64, i64),
    when: u64,
    completed: bool,
) -> StatusUpdate {
    let status = VertexStatus {
        id: id.into(),
        vertex: digest.into(),
        current: bytes.0,
        total: bytes.1,
        timestamp: Some(at(when)),
        started: Some(at(0)),
        completed: completed.then(|| at(when)),
        ..Default::default()
    };
    StatusUpdate {
        statuses: vec![status],
        ..Default::default()
    }
}

pub(super) fn warning(digest: &str, short: &str) -> StatusUpdate {
    let warning = Warning {
        vertex: digest.into(),
        short: short.to_string().into(),
        level: 1,
        ..Default::default()
    };
    StatusUpdate {
        warnings: vec![warning],
        ..Default::default()
    }
}

/// A view after these updates at one moment.
pub(super) fn view(now: u64, updates: &[StatusUpdate]) -> View {
    let mut view = View::default();
    updates
        .iter()
        .for_each(|update| view.apply(0, update, at(now)));
    view
}

/// Eight platforms: each has completed two steps and runs a third, which has written `lines` lines.
pub(super) fn eight_platforms(lines: usize) -> Vec<StatusUpdate> {
    const PLATFORMS: [&str; 8] = [
        "linux/386",
        "linux/amd64",
        "linux/arm/v5",
        "linux/arm/v7",
        "linux/arm64",
        "linux/mips64le",
        "linux/ppc64le",
        "linux/s390x",
    ];
    let mut updates = vec![ended("internal", "[internal] load build context", 0, 100)];
    for platform in PLATFORMS {
        updates.push(cached(
            &format!("{platform}/1"),
            &format!("[{platform} 1/3] FROM busybox"),
            100,
        ));
        updates.push(ended(
            &format!("{platform}/2"),
            &format!("[{platform} 2/3] WORKDIR /src"),
            100,
            300,
        ));
        updates.push(begun(
            &format!("{platform}/3"),
            &format!("[{platform} 3/3] RUN make"),
            300,
        ));
        for line in 0..lines {
            updates.push(log(
                &format!("{platform}/3"),
                400,
                format!("line {line} of {platform}\n").as_bytes(),
            ));
        }
    }
    updates
}
