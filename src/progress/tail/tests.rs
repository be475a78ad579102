use proptest::prelude::*;

use super::*;

fn shown(parts: &[&[u8]]) -> Vec<String> {
    let mut tail = LogTail::default();
    parts
        .iter()
        .for_each(|part| tail.write(part, Duration::ZERO));
    tail.lines().map(|(_, text)| text).collect()
}

#[test]
fn a_line_may_come_in_pieces() {
    assert_eq!(
        shown(&[b"one\ntw", b"o\n", b"three"]),
        ["one", "two", "three"]
    );
    assert_eq!(
        shown(&[b"caf\xc3", b"\xa9 \xe2\x82", b"\xac\n"]),
        ["café €"]
    );
}

#[test]
fn the_last_line_of_stderr_is_found() {
    let mut tail = LogTail::default();
    let mut write = |stream, text: &str| tail.write_from(stream, text.as_bytes(), Duration::ZERO);
    write(LogStream::Stdout, "one\n");
    write(LogStream::Stderr, "wrong\n\n");
    write(LogStream::Stdout, "two\nthree\n");
    assert_eq!(tail.last_of_stderr(), Some(1));
    assert_eq!(LogTail::default().last_of_stderr(), None);
}

#[test]
fn bytes_that_are_no_text_are_marked() {
    assert_eq!(shown(&[b"a\xffb\xc3(c"]), ["a\u{fffd}b\u{fffd}(c"]);
}

#[test]
fn a_carriage_return_writes_over_the_line() {
    assert_eq!(shown(&[b"10%\r", b"100%\rdone\r\nnext"]), ["done", "next"]);
    assert_eq!(shown(&[b"long line\rab\x1b[K"]), ["ab"]);
    assert_eq!(shown(&[b"abc\x08\x08X"]), ["aXc"]);
}

#[test]
fn colours_and_titles_are_taken_out() {
    assert_eq!(
        shown(&[b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07ok\x1b(B!\x1b]8;;x\x1b\\y"]),
        ["red ok!y"]
    );
    assert_eq!(
        shown(&[b"\x1b[?25lhi\x1b[", b"38;5;1", b"23mthere\x00\x7f\xc2\x9b"]),
        ["hithere"]
    );
}

#[test]
fn a_display_of_several_lines_is_followed() {
    assert_eq!(
        shown(&[b"a: 1\nb: 1\n\x1b[2A", b"a: 2\nb: 2\n"]),
        ["a: 2", "b: 2"]
    );
    assert_eq!(shown(&[b"a\nb\n\x1b[2J\x1b[Hc"]), ["c"]);
    assert_eq!(shown(&[b"a\nb\nc\x1b[2A\r\x1b[Jd"]), ["d"]);
}

#[test]
fn tabs_go_to_the_next_stop() {
    assert_eq!(shown(&[b"a\tb"]), ["a       b"]);
}

#[test]
fn memory_is_bounded() {
    let mut tail = LogTail::default();
    for number in 0..10_000 {
        tail.write(format!("line {number}\n").as_bytes(), Duration::ZERO);
    }
    assert_eq!(tail.lines.len(), LINES);
    assert_eq!(tail.last(2), ["line 9998", "line 9999"]);
    tail.write(&[b'x'; 1 << 20], Duration::ZERO);
    assert_eq!(tail.lines.back().unwrap().text.len(), COLUMNS);
    assert_eq!(tail.count(6), 6);
}

proptest! {
    #[test]
    fn anything_can_be_written(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
    ) {
        let mut tail = LogTail::default();
        parts.iter().for_each(|part| tail.write(part, Duration::ZERO));
        for (_, text) in tail.lines() {
            prop_assert!(!text.chars().any(char::is_control));
        }
    }

    #[test]
    fn control_sequences_keep_within_bounds(
        text in "(\x1b\\[[0-9;?]{0,6}[@-~]|[a-c\n\r\t\x08]){0,60}",
    ) {
        let mut tail = LogTail::default();
        tail.write(text.as_bytes(), Duration::ZERO);
        prop_assert!(tail.lines.len() <= LINES);
        prop_assert!(tail.lines.iter().all(|line| line.text.len() <= COLUMNS));
    }
}
