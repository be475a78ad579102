//! Endless progress: only a part is shown, and the memory stays bounded.

use futures_util::{StreamExt as _, stream};

use super::daemon::flood;
use super::proto::moby::buildkit::v1 as control;
use super::support::folder_of;

fn update(round: u64) -> control::StatusResponse {
    let digest = |n: u64| format!("sha256:{round}-{n}");
    let at = |seconds: i64| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let vertexes = (0..1000).map(|n| control::Vertex {
        digest: digest(n),
        name: "a step without end ".repeat(50),
        started: at(1),
        ..Default::default()
    });
    let warnings = (0..100).map(|n| control::VertexWarning {
        vertex: digest(n),
        short: format!("{round} {n}").into_bytes(),
        ..Default::default()
    });
    control::StatusResponse {
        vertexes: vertexes.collect(),
        warnings: warnings.collect(),
        ..Default::default()
    }
}

#[test]
fn steps_and_warnings_without_end_are_cut_off_and_reported() {
    let context = folder_of(&[("Dockerfile", "FROM scratch\n")]);
    let context = context.path().to_str().unwrap();
    let finished = flood(&["--progress=none", context], || {
        // About 300 MB of text.
        stream::iter((0..300).map(|round| Ok(update(round)))).boxed()
    });
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("the attack is over"),
        "{}",
        finished.stderr
    );
    assert!(finished.stderr.len() < 1 << 20);
}
