//! `rawjson`: every update as one line of JSON, as Go encodes BuildKit's `client.SolveStatus`.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

use super::event::StatusUpdate;

/// Renders an update as a line with its line end.
pub(super) fn render(update: &StatusUpdate) -> Vec<u8> {
    let mut line = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::with_formatter(&mut line, GoFormatter);
    // Writing to memory does not fail, and all keys are strings.
    let _ = update.serialize(&mut serializer);
    line.push(b'\n');
    line
}

/// Formats as compactly as Go, and escapes characters that are special in HTML and JavaScript.
struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let special = |c: char| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
        let mut rest = fragment;
        while let Some(index) = rest.find(special) {
            let (before, after) = rest.split_at(index);
            let c = after.chars().next().unwrap_or_default();
            CompactFormatter.write_string_fragment(writer, before)?;
            write!(writer, "\\u{:04x}", u32::from(c))?;
            rest = &after[c.len_utf8()..];
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::super::event::*;
    use super::*;

    fn at(seconds: u64, nanos: u32) -> Option<SystemTime> {
        Some(UNIX_EPOCH + Duration::new(seconds, nanos))
    }

    fn text(update: &StatusUpdate) -> String {
        String::from_utf8(render(update)).unwrap()
    }

    #[test]
    fn a_vertex_leaves_out_what_it_does_not_say() {
        let vertex = Vertex {
            digest: "sha256:a".into(),
            name: "RUN a && b <\u{2028}\"".into(),
            started: at(1_700_000_000, 120_000_000),
            progress_group: Some(ProgressGroup {
                id: "g".into(),
                name: String::new(),
                weak: true,
            }),
            ..Default::default()
        };
        let update = StatusUpdate {
            vertexes: vec![vertex],
            ..Default::default()
        };
        let expected = r#"{"vertexes":[{"digest":"sha256:a","name":"RUN a \u0026\u0026 b \u003c\u2028\"","started":"2023-11-14T22:13:20.12Z","progressGroup":{"id":"g","weak":true}}]}"#;
        assert_eq!(text(&update), format!("{expected}\n"));
    }

    #[test]
    fn statuses_and_logs_always_have_their_numbers_and_times() {
        let status = VertexStatus {
            id: "transferring".into(),
            vertex: "sha256:a".into(),
            ..Default::default()
        };
        let log = VertexLog {
            vertex: "sha256:a".into(),
            stream: LogStream::Stderr,
            data: "\x00ÿ".into(),
            timestamp: at(0, 1),
        };
        let update = StatusUpdate {
            statuses: vec![status],
            logs: vec![log, VertexLog::default()],
            ..Default::default()
        };
        let expected = r#"{"statuses":[{"id":"transferring","vertex":"sha256:a","current":0,"timestamp":"1970-01-01T00:00:00Z"}],"logs":[{"vertex":"sha256:a","stream":2,"data":"AMO/","timestamp":"1970-01-01T00:00:00.000000001Z"},{"data":null,"timestamp":"1970-01-01T00:00:00Z"}]}"#;
        assert_eq!(text(&update), format!("{expected}\n"));
    }

    #[test]
    fn a_warning_has_its_source_and_ranges() {
        let warning = Warning {
            vertex: "sha256:a".into(),
            level: 1,
            short: "hm".into(),
            detail: vec!["x".into()],
            url: "https://example.com/?a&b".into(),
            source: Some(SourceInfo {
                filename: "Dockerfile".into(),
                data: "FROM".into(),
                language: "Dockerfile".into(),
                ..Default::default()
            }),
            ranges: vec![SourceRange::lines(1, 1)],
        };
        let update = StatusUpdate {
            warnings: vec![warning],
            ..Default::default()
        };
        let expected = r#"{"warnings":[{"vertex":"sha256:a","level":1,"short":"aG0=","detail":["eA=="],"url":"https://example.com/?a\u0026b","sourceInfo":{"filename":"Dockerfile","data":"RlJPTQ==","language":"Dockerfile"},"range":[{"start":{"line":1},"end":{"line":1}}]}]}"#;
        assert_eq!(text(&update), format!("{expected}\n"));
    }

    #[test]
    fn what_was_written_can_be_read() {
        let line = r#"{"vertexes":[{"digest":"d","inputs":["i"],"name":"n","started":"2023-11-14T22:13:20.000000001+02:00","completed":"1969-12-31T23:59:59.5Z","cached":true,"error":"e"}],"logs":[{"vertex":"d","data":null,"timestamp":"1970-01-01T00:00:00Z"}],"unknown":1}"#;
        let update: StatusUpdate = serde_json::from_str(line).unwrap();
        assert_eq!(update.vertexes[0].started, at(1_699_992_800, 1));
        assert_eq!(
            update.vertexes[0].completed,
            Some(UNIX_EPOCH - Duration::from_millis(500))
        );
        assert_eq!(update.logs[0].timestamp, None);
        let again: StatusUpdate = serde_json::from_slice(&render(&update)).unwrap();
        assert_eq!(again, update);
    }

    #[test]
    fn an_empty_update_is_an_empty_object() {
        assert_eq!(text(&StatusUpdate::default()), "{}\n");
    }
}
