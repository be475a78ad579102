use std::sync::{Arc, Mutex};

use super::super::channel::channel;
use super::super::event::StatusUpdate;
use super::super::fixture::*;
use super::*;

/// A writer whose text can be read while it is in use. It can fail after a number of writes.
#[derive(Debug, Clone, Default)]
struct Shared {
    text: Arc<Mutex<Vec<u8>>>,
    writings: Arc<Mutex<usize>>,
    breaks_after: Option<usize>,
}

impl Shared {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }
}

impl Write for Shared {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let mut writings = self.writings.lock().unwrap();
        *writings += 1;
        if self.breaks_after.is_some_and(|limit| *writings > limit) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.text.lock().unwrap().extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn display(mode: Mode, out: &Shared) -> Display<Shared> {
    let options = Options {
        palette: Palette::none(),
        clock: || at(5000),
        ..Options::default()
    };
    Display::new(mode, out.clone(), options)
}

async fn show(mode: Mode, updates: Vec<StatusUpdate>) -> (Summary, String) {
    let out = Shared::default();
    let (writer, receiver) = channel();
    let sent = async move {
        let source = writer.source();
        for update in updates {
            source.send(update).await;
        }
    };
    let (summary, ()) = tokio::join!(display(mode, &out).run(receiver), sent);
    (summary, out.text())
}

fn failing_build() -> Vec<StatusUpdate> {
    vec![
        begun("a", "[linux/arm64 2/3] RUN make", 0),
        log("a", 100, b"cc\n\x1b[31mmake: Error 2\x1b[0m\n"),
        failed(
            "a",
            "[linux/arm64 2/3] RUN make",
            0,
            200,
            "did not complete successfully: exit code: 2",
        ),
        failed("b", "[linux/386 2/3] RUN make", 0, 200, "context canceled"),
        warning("a", "careful"),
    ]
}

#[tokio::test]
async fn every_mode_knows_the_failed_step_and_the_warnings() {
    for (_, mode) in Mode::NAMES {
        let (summary, _) = show(mode, failing_build()).await;
        assert_eq!(summary.failed.len(), 1, "{mode}");
        let step = &summary.failed[0];
        assert_eq!(step.name, "[linux/arm64 2/3] RUN make");
        assert_eq!(step.platform.as_deref(), Some("linux/arm64"));
        assert_eq!(step.log, ["0.100 cc", "0.100 make: Error 2"]);
        assert_eq!(step.exit_code(), Some(2));
        assert_eq!(summary.warnings.len(), 1);
        assert_eq!((summary.ended, summary.steps), (2, 2));
    }
}

#[tokio::test]
async fn quiet_and_none_write_nothing() {
    assert_eq!(show(Mode::Quiet, failing_build()).await.1, "");
    assert_eq!(show(Mode::None, failing_build()).await.1, "");
}

#[tokio::test]
async fn rawjson_is_one_update_a_line() {
    let (_, text) = show(Mode::RawJson, recorded()).await;
    let lines: Vec<StatusUpdate> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines, recorded());
    assert_eq!(text, RECORDED);
}

#[tokio::test]
async fn plain_has_printed_everything_at_the_end() {
    let (_, text) = show(Mode::Plain, failing_build()).await;
    assert!(text.contains("#1 0.100 cc\n"), "{text}");
    assert!(text.contains("exit code: 2\n") && text.contains(" CANCELED\n"));
}

#[tokio::test]
async fn a_terminal_ends_with_the_whole_view() {
    let (_, text) = show(Mode::Tty, eight_platforms(0)).await;
    assert!(text.contains("[+] Building 0.3s (17/25)"), "{text}");
    assert_eq!(text.matches("RUN make").count(), 8);
    assert!(text.ends_with("\x1b[?25h"));
}

#[tokio::test]
async fn a_terminal_is_drawn_at_most_ten_times_a_second() {
    let started = Instant::now();
    let out = Shared::default();
    let (writer, receiver) = channel();
    let step = writer.step("one");
    let work = async move {
        for number in 0..150 {
            step.log(
                super::super::event::LogStream::Stdout,
                format!("{number}\n"),
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop((step, writer));
    };
    tokio::join!(display(Mode::Tty, &out).run(receiver), work);
    let writings = *out.writings.lock().unwrap();
    let most = started.elapsed().as_millis() / REDRAW_EVERY.as_millis() + 1;
    assert!(writings >= 1 && writings as u128 <= most, "{writings}");
}

#[tokio::test]
async fn a_reader_that_goes_away_does_not_end_the_build() {
    for mode in [Mode::Plain, Mode::RawJson, Mode::Tty] {
        let out = Shared {
            breaks_after: Some(0),
            ..Shared::default()
        };
        let (writer, receiver) = channel();
        writer.step("one").done();
        writer.step("two").done();
        drop(writer);
        let summary = display(mode, &out).run(receiver).await;
        assert_eq!(
            summary.write_error.unwrap().kind(),
            io::ErrorKind::BrokenPipe
        );
        assert_eq!(summary.ended, 2);
    }
}

#[tokio::test]
async fn a_display_that_is_dropped_leaves_the_terminal_in_order() {
    let out = Shared::default();
    let (writer, receiver) = channel();
    let _step = writer.step("one");
    let run = display(Mode::Tty, &out).run(receiver);
    assert!(
        tokio::time::timeout(Duration::from_millis(250), run)
            .await
            .is_err()
    );
    assert!(out.text().contains("=> one"));
    assert!(out.text().ends_with("\x1b[?25h"));
    writer.note("nobody is looking");
}

#[tokio::test]
async fn a_drawing_that_was_cut_off_is_made_good() {
    let out = Shared::default();
    let mut display = display(Mode::Tty, &out);
    display.out.dirty = true;
    drop(display);
    assert_eq!(out.text(), RESTORE);
}

#[tokio::test]
async fn a_display_that_is_held_draws_nothing_until_it_is_released() {
    let (writer, updates) = channel();
    let hold = Hold::default();
    let options = Options {
        hold: hold.clone(),
        ..Options::default()
    };
    let out = Shared::default();
    let display = Display::new(Mode::Plain, out.clone(), options);
    let shown = tokio::spawn(display.run(updates));
    let text = || out.text();

    writer.note("before");
    let held = hold.stop().await;
    assert!(text().contains("before"), "{}", text());
    writer.note("meanwhile");
    tokio::time::sleep(REDRAW_EVERY * 3).await;
    assert!(!text().contains("meanwhile"), "{}", text());
    drop(held);
    drop(writer);
    shown.await.unwrap();
    assert!(text().contains("meanwhile"), "{}", text());
}

#[tokio::test]
async fn a_full_queue_is_taken_before_the_next_redraw() {
    for mode in [Mode::Plain, Mode::Tty] {
        let out = Shared::default();
        let (writer, receiver) = channel();
        let started = Instant::now();
        let sent = async move {
            let source = writer.source();
            // Twenty times the queue.
            for _ in 0..20 * 1024 {
                source.send(StatusUpdate::default()).await;
            }
        };
        tokio::join!(display(mode, &out).run(receiver), sent);
        assert!(started.elapsed() < 10 * REDRAW_EVERY);
    }
}

#[tokio::test]
async fn the_end_does_not_wait_for_the_next_redraw() {
    for mode in [Mode::Plain, Mode::Tty] {
        let started = Instant::now();
        for _ in 0..20 {
            let out = Shared::default();
            let (writer, receiver) = channel();
            let step = writer.step("one");
            drop(writer);
            let done = async move {
                tokio::task::yield_now().await;
                step.done();
            };
            let (summary, ()) = tokio::join!(display(mode, &out).run(receiver), done);
            assert_eq!(summary.ended, 1);
        }
        assert!(started.elapsed() < 10 * REDRAW_EVERY);
    }
}

#[tokio::test]
async fn steps_of_both_clocks_stay_in_order_though_they_wait_for_the_redraw() {
    let out = Shared::default();
    let (writer, receiver) = channel();
    let options = Options::default();
    let sent = async move {
        let source = writer.source();
        // The daemon's clock is years behind.
        source.send(begun("a", "first", 0)).await;
        source.send(ended("a", "first", 0, 0)).await;
        tokio::time::sleep(REDRAW_EVERY / 10).await;
        writer.step("second").done();
    };
    let display = Display::new(Mode::Plain, out.clone(), options);
    tokio::join!(display.run(receiver), sent);
    let place = |name| out.text().find(name).expect(name);
    assert!(place("first") < place("second"), "{}", out.text());
}
