use super::super::fixture::*;
use super::super::tail::LogTail;
use super::*;

const WIDE: Size = Size {
    columns: 60,
    rows: 24,
};

fn tty() -> Tty {
    Tty::new(Look {
        phase: "Building".into(),
        description: "docker:default".into(),
        palette: Palette::none(),
        log_lines: 6,
    })
}

/// Returns the screen of a terminal after these writes.
fn shown(writings: &[String]) -> Vec<String> {
    let mut terminal = LogTail::default();
    writings
        .iter()
        .for_each(|text| terminal.write(text.as_bytes(), Default::default()));
    let lines: Vec<String> = terminal.lines().map(|(_, line)| line).collect();
    let used = lines
        .iter()
        .rposition(|line| !line.is_empty())
        .map_or(0, |last| last + 1);
    lines[..used].to_vec()
}

fn draw(view: &View, size: Size, now: u64) -> Vec<String> {
    shown(&[tty().draw(view, size, at(now))])
}

#[test]
fn a_running_build_is_shown_with_times_at_the_right() {
    let view = view(
        1500,
        &[
            vertexes([vertex("z", "later", None, None)]),
            ended("a", "[internal] load build definition", 0, 200),
            cached("b", "[1/3] FROM busybox", 300),
            begun("c", "[2/3] RUN make", 400),
            transfer("c", "pulling", (1_500_000, 3_000_000), 1500, false),
            log("c", 500, b"first\n\nsecond\rSECO\nthird"),
            warning("a", "old keyword"),
        ],
    );
    let expected = [
        "[+] Building 1.5s (2/4)                      docker:default",
        " => [internal] load build definition                   0.2s",
        " => => WARN: old keyword",
        " => CACHED [1/3] FROM busybox                          0.0s",
        " => [2/3] RUN make                                     1.1s",
        " => => pulling 1.50MB / 3.00MB                         1.5s",
        " => => # first",
        " => => # SECOnd",
        " => => # third",
    ];
    assert_eq!(draw(&view, WIDE, 1500), expected);
}

#[test]
fn a_finished_build_says_so_and_shows_everything() {
    let view = view(900, &eight_platforms(0));
    let last = shown(&[tty().finish(
        &view,
        Size {
            columns: 60,
            rows: 5,
        },
        at(900),
    )]);
    assert_eq!(last.len(), 1 + 1 + 3 * 8);
    assert!(!last[0].contains("FINISHED"));

    let done = super::super::fixture::view(900, &[ended("a", "one", 0, 900)]);
    let last = shown(&[tty().finish(&done, WIDE, at(900))]);
    assert_eq!(
        last[0],
        "[+] Building 0.9s (1/1) FINISHED             docker:default"
    );

    let failed = [failed("a", "one", 0, 900, "exit code: 1")];
    let last = shown(&[tty().finish(&super::super::fixture::view(900, &failed), WIDE, at(900))]);
    assert!(last[0].starts_with("[+] Building 0.9s (1/1) "));
    assert!(!last[0].contains("FINISHED"));
}

#[test]
fn failures_and_cancellations_are_marked() {
    let view = view(
        900,
        &[
            failed("a", "[linux/arm64 2/2] RUN x", 0, 100, "exit code: 1"),
            failed("b", "[linux/386 2/2] RUN x", 0, 100, "context canceled"),
        ],
    );
    let lines = draw(&view, WIDE, 900);
    assert_eq!(
        lines[1],
        " => CANCELED [linux/386 2/2] RUN x                     0.1s"
    );
    assert_eq!(
        lines[2],
        " => ERROR [linux/arm64 2/2] RUN x                      0.1s"
    );
}

#[test]
fn steps_of_a_platform_stand_together() {
    let view = view(
        900,
        &[
            begun("0", "[internal] load context", 0),
            begun("1", "[linux/amd64 1/2] FROM x", 1),
            begun("2", "[linux/386 1/2] FROM x", 2),
            begun("3", "[linux/amd64->386 build 2/2] RUN x", 3),
            begun("4", "[linux/amd64 2/2] RUN x", 4),
            begun("5", "exporting to image", 5),
            begun("6", "[internal] load more", 6),
        ],
    );
    let names: Vec<String> = draw(&view, WIDE, 900)
        .into_iter()
        .skip(1)
        .map(|line| line[4..30].trim().into())
        .collect();
    let expected = [
        "[internal] load context",
        "[internal] load more",
        "[linux/386 1/2] FROM x",
        "[linux/amd64->386 build 2/",
        "[linux/amd64 1/2] FROM x",
        "[linux/amd64 2/2] RUN x",
        "exporting to image",
    ];
    assert_eq!(names, expected);
}

#[test]
fn ended_steps_are_folded_when_there_is_no_room() {
    let view = view(900, &eight_platforms(0));
    // The header, the context, eight pairs (folded, running), and the cursor's line.
    let lines = draw(
        &view,
        Size {
            columns: 60,
            rows: 19,
        },
        900,
    );
    assert_eq!(lines.len(), 18);
    assert_eq!(
        lines[2],
        " => [linux/386] 2 steps done, 1 cached                 0.2s"
    );
    assert_eq!(
        lines[3],
        " => [linux/386 3/3] RUN make                           0.6s"
    );
}

#[test]
fn logs_share_the_room_and_come_before_ended_steps() {
    let view = view(900, &eight_platforms(9));
    let lines = draw(
        &view,
        Size {
            columns: 60,
            rows: 30,
        },
        900,
    );
    assert_eq!(lines.len(), 29);
    assert_eq!(
        lines[1],
        " => 17 steps done, 8 cached                            0.3s"
    );
    assert_eq!(
        lines[2],
        " => [linux/386 3/3] RUN make                           0.6s"
    );
    assert_eq!(lines[3], " => => # line 6 of linux/386");
    assert_eq!(lines[5], " => => # line 8 of linux/386");
    let running = lines
        .iter()
        .filter(|line| line.contains("RUN make"))
        .count();
    let logs = lines.iter().filter(|line| line.contains("# line")).count();
    assert_eq!((running, logs), (8, 19));
}

#[test]
fn a_low_window_shows_what_runs_and_how_much_is_hidden() {
    let view = view(900, &eight_platforms(3));
    let lines = draw(
        &view,
        Size {
            columns: 60,
            rows: 7,
        },
        900,
    );
    assert_eq!(lines.len(), 6);
    assert_eq!(
        lines[1],
        " => [linux/386 3/3] RUN make                           0.6s"
    );
    assert_eq!(lines[5], " => … 5 more");
    for rows in 0..4 {
        assert!(draw(&view, Size { columns: 60, rows }, 900).len() <= 2);
    }
}

#[test]
fn a_narrow_window_keeps_times_and_bytes() {
    let view = view(
        900,
        &[
            begun("a", "[linux/arm64 2/3] RUN 日本語 and more", 0),
            transfer(
                "a",
                "transferring context:",
                (1_500_000, 3_000_000),
                900,
                false,
            ),
            log("a", 1, "日本語日本語日本語日本語日本語日本語\n".as_bytes()),
        ],
    );
    let expected = [
        "[+] Building 0.9s (0/1)",
        " => [linux/arm64 2/3] RUN 日  0.9s",
        " => => transferrin 1.50MB / 3.00MB",
        " => => # 日本語日本語日本語日本語",
    ];
    assert_eq!(
        draw(
            &view,
            Size {
                columns: 35,
                rows: 24
            },
            900
        ),
        expected
    );
    for columns in 1..40 {
        for line in draw(&view, Size { columns, rows: 24 }, 900) {
            let (_, width) = crate::text::clip(&line, usize::MAX);
            assert!(width < usize::from(columns).max(1), "{columns}: {line:?}");
        }
    }
}

#[test]
fn only_what_changed_is_written() {
    let mut tty = tty();
    let first = view(900, &[ended("a", "one", 0, 100), begun("b", "two", 100)]);
    let writings = [
        tty.draw(&first, WIDE, at(900)),
        tty.draw(&first, WIDE, at(1900)),
    ];
    assert!(writings[0].contains("one") && !writings[1].contains("one"));
    assert!(writings[1].contains("two") && writings[1].contains("1.8s"));
    assert_eq!(shown(&writings), draw(&first, WIDE, 1900));
}

#[test]
fn fewer_lines_leave_nothing_behind() {
    let mut tty = tty();
    let many = view(900, &eight_platforms(2));
    let writings = [
        tty.draw(
            &many,
            Size {
                columns: 60,
                rows: 60,
            },
            at(900),
        ),
        tty.draw(
            &many,
            Size {
                columns: 60,
                rows: 10,
            },
            at(900),
        ),
    ];
    assert_eq!(
        shown(&writings),
        draw(
            &many,
            Size {
                columns: 60,
                rows: 10
            },
            900
        )
    );
}

#[test]
fn a_narrower_window_is_cleared_of_wrapped_lines() {
    let mut tty = tty();
    let view = view(900, &[begun("a", "one", 0), begun("b", "two", 0)]);
    tty.draw(&view, WIDE, at(900));
    // Three lines of 59 columns take six of 30 columns.
    let narrow = tty.draw(
        &view,
        Size {
            columns: 30,
            rows: 24,
        },
        at(900),
    );
    assert!(narrow.contains("\r\x1b[6A["), "{narrow:?}");
    assert!(narrow.contains("\x1b[J"));
}

#[test]
fn every_writing_restores_the_terminal() {
    let mut tty = tty();
    let view = view(900, &eight_platforms(3));
    for text in [
        tty.draw(&view, WIDE, at(900)),
        tty.draw(&view, WIDE, at(950)),
        tty.finish(&view, WIDE, at(999)),
    ] {
        assert!(text.starts_with("\x1b[?25l\x1b[?7l"));
        assert!(text.ends_with("\x1b[?7h\x1b[?25h"));
    }
}

#[test]
fn nothing_in_names_and_logs_moves_the_cursor() {
    let nasty = "a\x1b[2J\r\n\x07\u{9b}31mb";
    let view = view(
        900,
        &[
            begun("a", nasty, 0),
            transfer("a", nasty, (1, 2), 1, false),
            warning("a", nasty),
            log("a", 1, nasty.as_bytes()),
        ],
    );
    let text = tty().draw(&view, WIDE, at(900));
    let text = text
        .replace("\r\n", "")
        .replace("\x1b[K", "")
        .replace("\x1b[?", "")
        .replace("\x1b[J", "")
        .replacen('\r', "", 1);
    assert!(!text.contains(char::is_control), "{text:?}");
}

#[test]
fn a_recorded_build_can_be_drawn_at_any_size() {
    let mut tty = tty();
    let mut view = View::default();
    for (number, update) in recorded().iter().enumerate() {
        let now = update
            .vertexes
            .first()
            .and_then(|vertex| vertex.completed)
            .unwrap_or(at(0));
        view.apply(1, update, now);
        let size = Size {
            columns: (number * 7 % 150) as u16,
            rows: (number * 3 % 50) as u16,
        };
        tty.draw(&view, size, now);
    }
    let (ended, all) = view.counts();
    assert_eq!(ended, all);
}

#[test]
fn the_digests_of_many_platforms_are_one_row() {
    let mut updates = vec![begun("a", "exporting to image", 0)];
    for platform in 0..8 {
        let id = format!("exporting manifest sha256:{platform}");
        updates.push(transfer("a", &id, (0, 0), 5, true));
    }
    let lines = draw(&view(100, &updates), WIDE, 100);
    let shown = lines.iter().filter(|line| line.contains("sha256:")).count();
    assert_eq!(shown, 6, "{lines:?}");
    assert!(
        lines.contains(&" => => exporting 2 more manifests and configs".to_owned()),
        "{lines:?}"
    );
}
