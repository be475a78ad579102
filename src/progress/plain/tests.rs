use super::super::fixture::*;
use super::super::view::View;
use super::*;

/// Plain output with a clock.
struct Printer {
    plain: Plain,
    view: View,
    out: Vec<u8>,
}

impl Printer {
    fn new() -> Self {
        Self {
            plain: Plain::default(),
            view: View::default(),
            out: Vec::new(),
        }
    }

    /// Applies updates at a time, then prints.
    fn at(&mut self, now: u64, updates: &[StatusUpdate]) -> &mut Self {
        for update in updates {
            let changes = self.view.take_in(0, update, at(now));
            self.plain.note(update, &changes, at(now));
        }
        self.out.extend(self.plain.print(&self.view, at(now)));
        self
    }

    fn finish(&mut self, now: u64) -> String {
        self.out.extend(self.plain.finish(&self.view, at(now)));
        String::from_utf8(std::mem::take(&mut self.out)).unwrap()
    }
}

#[test]
fn a_recorded_build_is_printed_as_buildkit_prints_it() {
    let mut plain = Plain::new(
        Some("building with \"default\" instance using docker driver".into()),
        false,
    );
    let mut view = View::default();
    let mut out = Vec::new();
    let (mut now, mut printed) = (None, None);
    for update in recorded() {
        let times = update
            .vertexes
            .iter()
            .map(|vertex| vertex.completed.max(vertex.started));
        let times = times.chain(update.logs.iter().map(|log| log.timestamp));
        now = times
            .chain(update.statuses.iter().map(|status| status.timestamp))
            .flatten()
            .chain(now)
            .max();
        let Some(now) = now else { continue };
        // Ten times a second.
        if now
            .duration_since(*printed.get_or_insert(now))
            .unwrap()
            .as_millis()
            >= 100
        {
            out.extend(plain.print(&view, now));
            printed = Some(now);
        }
        let changes = view.take_in(1, &update, now);
        plain.note(&update, &changes, now);
    }
    out.extend(plain.finish(&view, now.unwrap()));
    let out = String::from_utf8(out).unwrap();
    assert_eq!(
        out,
        include_str!("../fixtures/two-platforms.plain"),
        "{out}"
    );
}

#[test]
fn nothing_is_printed_before_anything_happens() {
    let mut printer = Printer::new();
    printer.plain = Plain::new(Some("building".into()), false);
    assert_eq!(
        printer
            .at(0, &[vertexes([vertex("a", "one", None, None)])])
            .finish(10),
        ""
    );
}

#[test]
fn every_end_has_its_word() {
    let out = Printer::new()
        .at(
            0,
            &[
                ended("a", "one", 0, 1234),
                cached("b", "two", 1300),
                failed("c", "three", 0, 1400, "exit code: 2"),
                failed("d", "four", 0, 1500, "rpc error: context canceled"),
            ],
        )
        .finish(2000);
    let expected = "#1 one\n#1 DONE 1.2s\n\n#2 two\n#2 CACHED\n\n#3 three\n#3 ERROR: exit code: \
                    2\n\n#4 four\n#4 CANCELED\n";
    assert_eq!(out, expected);
}

#[test]
fn one_step_speaks_until_it_ends() {
    let out = Printer::new()
        .at(0, &[begun("a", "one", 0), begun("b", "two", 0)])
        .at(100, &[log("a", 100, b"a1\n"), log("b", 100, b"b1\n")])
        .at(200, &[log("b", 200, b"b2\n")])
        .at(300, &[ended("a", "one", 0, 300)])
        .at(400, &[log("b", 400, b"b3\n"), ended("b", "two", 0, 400)])
        .finish(500);
    let expected = "#1 one\n#1 0.100 a1\n#1 DONE 0.3s\n\n#2 two\n#2 0.100 b1\n#2 0.200 b2\n#2 \
                    0.400 b3\n#2 DONE 0.4s\n";
    assert_eq!(out, expected);
}

#[test]
fn a_step_that_ends_is_reported_at_once_and_the_other_goes_on() {
    let out = Printer::new()
        .at(0, &[begun("a", "one", 0), begun("b", "two", 0)])
        .at(100, &[log("a", 100, b"half")])
        .at(200, &[ended("b", "two", 0, 200)])
        .at(
            300,
            &[log("a", 300, b" and half\n"), ended("a", "one", 0, 300)],
        )
        .finish(500);
    let expected = "#1 one\n#1 0.100 half\n#1 ...\n\n#2 two\n#2 DONE 0.2s\n\n#1 one\n#1 0.100 half \
                    and half\n#1 DONE 0.3s\n";
    assert_eq!(out, expected);
}

#[test]
fn a_step_is_not_kept_waiting_for_more_than_ten_seconds() {
    let mut printer = Printer::new();
    printer
        .at(0, &[begun("a", "one", 0), begun("b", "two", 0)])
        .at(100, &[log("b", 100, b"b1\n")]);
    for second in 1..=12 {
        let now = second * 1000;
        printer.at(now, &[log("a", now, format!("a{second}\n").as_bytes())]);
    }
    let out = String::from_utf8(printer.out.clone()).unwrap();
    assert!(
        out.contains("#1 10.00 a10\n#1 ...\n\n#2 two\n#2 0.100 b1\n")
            || out.contains("a11\n#1 ...\n\n#2 two\n"),
        "{out}"
    );
}

#[test]
fn a_step_that_writes_a_lot_does_not_wait_in_memory() {
    let mut printer = Printer::new();
    printer.at(
        0,
        &[
            begun("a", "one", 0),
            begun("b", "two", 0),
            log("a", 0, b"x\n"),
        ],
    );
    for number in 0..1000 {
        printer.at(
            number,
            &[log("b", number, &[b'y'; 1024]), log("b", number, b"\n")],
        );
        assert!(
            printer
                .plain
                .entries
                .iter()
                .map(|entry| entry.bytes)
                .sum::<usize>()
                < 300 << 10
        );
    }
}

#[test]
fn transfers_are_reported_when_they_have_progressed() {
    let out = Printer::new()
        .at(0, &[begun("a", "one", 0)])
        .at(100, &[transfer("a", "context", (10, 1000), 100, false)])
        .at(200, &[transfer("a", "context", (20, 1000), 200, false)])
        .at(300, &[transfer("a", "context", (70, 1000), 300, false)])
        .at(6000, &[transfer("a", "context", (71, 1000), 6000, false)])
        .at(
            7000,
            &[
                transfer("a", "context", (1500, 0), 7000, true),
                transfer("a", "push", (0, 0), 5, true),
            ],
        )
        .finish(9000);
    let expected = "#1 one\n#1 context 10B / 1.00kB 0.1s\n#1 context 70B / 1.00kB 0.3s\n#1 context \
                    71B / 1.00kB 6.0s\n\
                    #1 context 1.50kB 7.0s done\n#1 push done\n";
    assert_eq!(out, expected);
}

#[test]
fn a_transfer_that_goes_on_keeps_its_step_open() {
    let mut printer = Printer::new();
    printer.at(
        0,
        &[
            ended("a", "one", 0, 10),
            transfer("a", "cache", (0, 0), 20, false),
        ],
    );
    assert!(!String::from_utf8_lossy(&printer.out).contains("DONE"));
    let out = printer
        .at(100, &[transfer("a", "cache", (0, 0), 90, true)])
        .finish(200);
    assert_eq!(
        out,
        "#1 one\n#1 cache 0.0s\n#1 cache 0.1s done\n#1 DONE 0.0s\n"
    );
}

#[test]
fn warnings_stand_with_their_step() {
    let out = Printer::new()
        .at(0, &[begun("a", "one", 0), warning("a", "care\x1bful")])
        .finish(10);
    assert_eq!(out, "#1 one\n#1 WARN: careful\n");
}

#[test]
fn what_was_not_printed_is_printed_at_the_end() {
    let out = Printer::new()
        .at(0, &[begun("a", "one", 0), begun("b", "two", 0)])
        .at(100, &[log("a", 100, b"open"), log("b", 100, b"waiting\n")])
        .finish(200);
    assert_eq!(
        out,
        "#1 one\n#1 0.100 open\n#1 ...\n\n#2 two\n#2 0.100 waiting\n"
    );
}

#[test]
fn of_logs_only_text_and_colours_are_shown() {
    let mut printer = Printer::new();
    let hostile =
        b"\x1b[31mred\x1b[2J\x1b]0;title\x07\xff\r\n\x1b[0m10%\r20%\xe2\x80\xae\nend\x1b[";
    printer.at(0, &[begun("a", "one", 0), log("a", 0, hostile)]);
    printer.at(100, &[log("a", 100, b"Hup\x1b[8m")]);
    let out = printer.at(200, &[log("a", 200, b"s")]).finish(300);
    assert_eq!(
        out,
        "#1 one\n#1 0.000 \x1b[31mred\u{fffd}\n#1 0.000 \x1b[0m10%\n#1 0.000 20%\n#1 0.000 \
         endup\x1b[8m\x1b[0ms\n"
    );
}

#[test]
fn an_error_is_one_line_without_controls() {
    let mut failed = ended("a", "one", 0, 10);
    failed.vertexes[0].error = "a\x1b[2J\nb".into();
    let out = Printer::new().at(0, &[failed]).finish(10);
    assert_eq!(out, "#1 one\n#1 ERROR: a[2J b\n");
}

#[test]
fn names_are_one_line_and_may_be_cut() {
    let name = format!("RUN <<EOF\n{}", "x".repeat(100));
    let mut printer = Printer::new();
    printer.plain = Plain::new(None, true);
    let out = printer.at(0, &[begun("a", &name, 0)]).finish(1);
    assert_eq!(out, format!("#1 RUN <<EOF {}...\n", "x".repeat(62)));
}

#[test]
fn nothing_is_repeated_when_nothing_happens() {
    let mut printer = Printer::new();
    printer.at(0, &[begun("a", "one", 0), begun("b", "two", 0)]);
    let before = printer.out.len();
    for now in 1..200 {
        printer.at(now * 100, &[]);
    }
    // The other step has waited long enough for one turn.
    let after = String::from_utf8(printer.out[before..].to_vec()).unwrap();
    assert_eq!(after, "#1 ...\n\n#2 two\n");
}

#[test]
fn the_digests_of_many_platforms_are_counted() {
    let mut updates = vec![begun("a", "exporting to image", 0)];
    for platform in 0..8 {
        for kind in ["manifest", "config", "attestation manifest"] {
            let id = format!("exporting {kind} sha256:{platform}");
            updates.push(transfer("a", &id, (0, 0), 5, true));
        }
    }
    let list = "exporting manifest list sha256:9";
    updates.push(transfer("a", list, (0, 0), 5, true));
    updates.push(ended("a", "exporting to image", 0, 100));
    let out = Printer::new().at(100, &updates).finish(100);
    let expected = "\
#1 exporting to image
#1 exporting manifest sha256:0 done
#1 exporting config sha256:0 done
#1 exporting attestation manifest sha256:0 done
#1 exporting manifest sha256:1 done
#1 exporting config sha256:1 done
#1 exporting attestation manifest sha256:1 done
#1 exporting manifest list sha256:9 done
#1 exporting 18 more manifests and configs
#1 DONE 0.1s
";
    assert_eq!(out, expected);
}
