use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn recorder(variables: &[(&str, &str)]) -> Recorder {
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let settings = Settings::from_variables(variable, "tool").unwrap();
    Recorder::new(settings.unwrap()).unwrap()
}

fn within<T>(recorder: &Recorder, work: impl FnOnce() -> T) -> T {
    let subscriber = tracing_subscriber::registry().with(recorder.clone());
    tracing::subscriber::with_default(subscriber, work)
}

fn header_now() -> String {
    let mut headers = HeaderMap::new();
    add_headers(&mut headers);
    headers["traceparent"].to_str().unwrap().to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn spans_are_children_of_the_one_around_them_or_of_the_root() {
    let recorder = recorder(&[("TRACEPARENT", PARENT)]);
    let (outside, inside) = within(&recorder, || {
        let root = tracing::info_span!("command", otel.name = "build .");
        let inside = root.in_scope(|| {
            tracing::info_span!("solve", platform = "linux/arm64", steps = 3_u32)
                .in_scope(header_now)
        });
        // A separate task is not inside any span.
        tracing::info_span!("connect", address = "https://me:hunter2@host").in_scope(|| ());
        let outside = header_now();
        drop(root);
        (outside, inside)
    });
    let spans = recorder.spans().ended.clone();
    let names: Vec<_> = spans.iter().map(|it| it.details.name.as_str()).collect();
    assert_eq!(names, ["solve", "connect", "build ."]);
    let [solve, connect, root] = &spans[..] else {
        panic!("{spans:?}")
    };
    assert_eq!(hex(&root.parent), "b7ad6b7169203331");
    assert_eq!((solve.parent, connect.parent), (root.id, root.id));
    let trace = "0af7651916cd43dd8448eb211c80319c";
    assert_eq!(inside, format!("00-{trace}-{}-01", hex(&solve.id)));
    assert_eq!(outside, format!("00-{trace}-{}-01", hex(&root.id)));
    let text = |value: &str| Value::Text(value.to_owned());
    assert_eq!(
        solve.details.attributes,
        [("platform", text("linux/arm64")), ("steps", Value::Int(3))]
    );
    assert_eq!(
        connect.details.attributes,
        [("address", text("https://xxxxx@host"))]
    );
}

#[test]
fn an_error_becomes_the_status() {
    let recorder = recorder(&[("OTEL_TRACES_EXPORTER", "otlp")]);
    within(&recorder, || {
        let span = tracing::info_span!("solve", error = tracing::field::Empty);
        span.record("error", "no such file");
    });
    let spans = recorder.spans().ended.clone();
    assert_eq!(spans[0].details.error.as_deref(), Some("no such file"));
    assert_eq!(spans[0].parent, [0; 8]);
    let request = messages::request(&recorder.0.root, &recorder.0.settings, &spans);
    let span = &request.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!(span.status.as_ref().unwrap().message, "no such file");
    assert!(span.parent_span_id.is_empty());
    assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
}

#[test]
fn a_parent_that_is_not_recorded_is_passed_on_as_it_is() {
    let unsampled = PARENT.replace("-01", "-00");
    let recorder = recorder(&[("TRACEPARENT", &unsampled), ("TRACESTATE", "a=b")]);
    within(&recorder, || {
        let _root = tracing::info_span!("command").entered();
        assert_eq!(header_now(), unsampled);
    });
    assert!(recorder.spans().ended.is_empty());
}

#[test]
fn a_flood_of_spans_is_bounded() {
    let recorder = recorder(&[("TRACEPARENT", PARENT)]);
    within(&recorder, || {
        for _ in 0..SPAN_LIMIT + 5 {
            tracing::info_span!("x");
        }
    });
    let spans = recorder.spans();
    assert_eq!((spans.ended.len(), spans.dropped), (SPAN_LIMIT, 5));
    assert!(spans.open.is_empty());
}

#[tokio::test]
async fn without_a_recorder_nothing_is_added() {
    let mut headers = HeaderMap::new();
    async { add_headers(&mut headers) }
        .instrument(tracing::info_span!("x"))
        .await;
    assert!(headers.is_empty());
    assert!(Recorder::current().is_none());
}
