use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::super::fixture;
use super::*;

fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn at(seconds: u64) -> Option<SystemTime> {
    Some(UNIX_EPOCH + Duration::from_secs(seconds))
}

fn update(vertex: Vertex) -> StatusUpdate {
    StatusUpdate {
        vertexes: vec![vertex],
        ..StatusUpdate::default()
    }
}

#[test]
fn a_step_tells_its_platform_and_each_state_once() {
    let mut made = JsonLines::new(None);
    let mut vertex = Vertex {
        digest: "d".into(),
        name: "[linux/arm64 2/3] RUN make".into(),
        started: at(1),
        ..Vertex::default()
    };
    let first = lines(&made.render(&update(vertex.clone()), UNIX_EPOCH));
    assert_eq!(
        first,
        [
            json!({"event": "step", "time": "1970-01-01T00:00:01Z", "step": "d",
                "platform": "linux/arm64",
            "name": "[linux/arm64 2/3] RUN make", "state": "started"})
        ]
    );
    assert!(made.render(&update(vertex.clone()), UNIX_EPOCH).is_empty());
    vertex.completed = at(3);
    vertex.error = "exit code: 1".into();
    let last = lines(&made.render(&update(vertex), UNIX_EPOCH));
    assert_eq!(last[0]["state"], "failed");
    assert_eq!(last[0]["seconds"], 2.0);
    assert_eq!(last[0]["error"], "exit code: 1");
}

#[test]
fn steps_of_a_build_for_one_platform_have_it_too() {
    let mut made = JsonLines::new(Some("linux/amd64".into()));
    let mut platform = |name: &str| {
        let vertex = Vertex {
            digest: name.into(),
            name: name.into(),
            ..Vertex::default()
        };
        lines(&made.render(&update(vertex), UNIX_EPOCH))[0]["platform"].clone()
    };
    assert_eq!(platform("[build 1/2] FROM x"), "linux/amd64");
    assert_eq!(platform("[internal] load build context"), Value::Null);
    assert_eq!(platform("exporting to image"), Value::Null);
}

#[test]
fn a_cached_step_stays_cached_when_its_layers_are_fetched() {
    let mut made = JsonLines::new(None);
    let vertex = |cached| Vertex {
        digest: "d".into(),
        name: "[1/2] RUN x".into(),
        started: at(1),
        completed: at(1),
        cached,
        ..Vertex::default()
    };
    assert_eq!(
        lines(&made.render(&update(vertex(true)), UNIX_EPOCH))[0]["state"],
        "cached"
    );
    assert!(made.render(&update(vertex(false)), UNIX_EPOCH).is_empty());
}

#[test]
fn a_character_that_was_cut_is_put_together() {
    let mut made = JsonLines::new(None);
    let mut text = |data: &'static [u8]| {
        let log = VertexLog {
            vertex: "d".into(),
            stream: LogStream::Stdout,
            data: data.into(),
            timestamp: at(0),
        };
        let update = StatusUpdate {
            logs: vec![log],
            ..StatusUpdate::default()
        };
        let lines = lines(&made.render(&update, UNIX_EPOCH));
        lines
            .iter()
            .map(|line| line["text"].as_str().unwrap().to_owned())
            .collect::<String>()
    };
    assert_eq!(text(b"a\xe2\x82"), "a");
    assert_eq!(text(b"\xacb"), "€b");
    assert_eq!(text(b"\xff"), "\u{fffd}");
    assert_eq!(text(b"\xe2"), "");
    assert_eq!(text(b"x"), "\u{fffd}x");
}

#[test]
fn a_recorded_build_is_lines_of_known_events() {
    let mut made = JsonLines::new(None);
    let mut platforms = std::collections::BTreeSet::new();
    let mut seen = 0;
    for update in fixture::recorded() {
        for line in lines(&made.render(&update, UNIX_EPOCH)) {
            let event = line["event"].as_str().unwrap();
            assert!(["step", "transfer", "log", "warning"].contains(&event));
            assert!(line["time"].as_str().unwrap().ends_with('Z'));
            platforms.extend(line["platform"].as_str().map(str::to_owned));
            seen += 1;
        }
    }
    assert!(seen > 10);
    assert_eq!(platforms.len(), 2, "{platforms:?}");
}

#[test]
fn the_end_is_a_line_of_its_own() {
    let end = BuildEnd {
        exit_code: 1,
        error: Some("x".into()),
        ..BuildEnd::default()
    };
    let line = &lines(&end.to_line())[0];
    assert_eq!(line["event"], "end");
    assert_eq!(line["exit_code"], 1);
    assert_eq!(line["error"], "x");
}
