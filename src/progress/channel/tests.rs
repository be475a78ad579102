use super::super::event::{Vertex, VertexLog};
use super::*;

fn log(vertex: &str, data: &'static [u8]) -> StatusUpdate {
    let log = VertexLog {
        vertex: vertex.into(),
        data: data.into(),
        ..Default::default()
    };
    StatusUpdate {
        logs: vec![log],
        ..Default::default()
    }
}

fn vertex(name: &str) -> StatusUpdate {
    let vertex = Vertex {
        digest: "a".into(),
        name: name.into(),
        ..Default::default()
    };
    StatusUpdate {
        vertexes: vec![vertex],
        ..Default::default()
    }
}

#[tokio::test]
async fn a_log_that_two_builds_share_is_shown_once() {
    let (writer, mut updates) = channel();
    let (one, two) = (writer.source(), writer.source());
    one.send(log("a", b"first")).await;
    two.send(log("a", b"again")).await;
    drop(one);
    two.send(log("a", b"later")).await;
    drop((two, writer));
    let mut seen = Vec::new();
    while let Some(event) = updates.recv().await {
        seen.extend(event.update.logs.into_iter().map(|log| log.data));
    }
    assert_eq!(seen, [&b"first"[..], b"later"]);
}

#[tokio::test]
async fn a_prefix_goes_into_the_brackets() {
    let (writer, mut updates) = channel();
    let source = writer.source().with_prefix("web");
    source.send(vertex("[1/2] FROM x")).await;
    source.send(vertex("exporting")).await;
    assert_eq!(
        updates.recv().await.unwrap().update.vertexes[0].name,
        "[web 1/2] FROM x"
    );
    assert_eq!(
        updates.recv().await.unwrap().update.vertexes[0].name,
        "[web] exporting"
    );
}

#[tokio::test]
async fn steps_without_a_platform_name_their_node() {
    let (writer, mut updates) = channel();
    let source = writer.for_node("far").source();
    for (name, shown) in [
        ("[linux/arm64 1/2] FROM x", "[linux/arm64 1/2] FROM x"),
        ("exporting to image", "exporting to image (far)"),
    ] {
        source.send(vertex(name)).await;
        assert_eq!(updates.recv().await.unwrap().update.vertexes[0].name, shown);
    }
}

#[tokio::test]
async fn a_source_waits_while_the_display_lags() {
    let (writer, mut updates) = channel();
    let source = writer.source();
    for _ in 0..QUEUE {
        source.send(vertex("x")).await;
    }
    let one_more = source.send(vertex("y"));
    let waited = tokio::time::timeout(std::time::Duration::from_millis(20), one_more).await;
    assert!(waited.is_err());
    drop(updates.try_recv());
    assert!(source.send(vertex("y")).await);
}

#[tokio::test]
async fn sending_after_the_display_has_gone_is_harmless() {
    let (writer, updates) = channel();
    drop(updates);
    writer.note("late");
    assert!(!writer.source().send(vertex("x")).await);
}
