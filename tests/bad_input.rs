//! Broken and hostile input: it gives a clear error or the right answer, quickly and with little
//! memory.
//!
//! In a release build each test takes less than a second; the time limit here only distinguishes a
//! hang from a slow machine.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write;
use std::time::{Duration, Instant};

use solvekit::dockerfile::{self, Linter, ParseErrorKind, parse_ignore, render_error};
use solvekit::oci::{Digest, Platform, PlatformMatcher};
use solvekit::session::PatternMatcher;
use solvekit::translate::{
    Error, Options, Outcome, Reason, ResolvedImage, ResolvedImages, Translation, translate_and_lint,
};

const BOUND: Duration = Duration::from_secs(120);

const CONFIG: &str = r#"{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"]},
"rootfs":{"type":"layers","diff_ids":["sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]}}"#;

/// Calls `action`, which must return quickly.
fn soon<T>(action: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = action();
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    done
}

fn refused(source: impl AsRef<[u8]>) -> ParseErrorKind {
    soon(|| {
        let error = dockerfile::parse(source.as_ref()).unwrap_err();
        let shown = render_error("Dockerfile", source.as_ref(), &error);
        assert!(shown.len() < 10_000, "{shown}");
        *error.kind
    })
}

fn translated(source: impl AsRef<[u8]>) -> Result<Translation, Error> {
    soon(|| {
        let mut linter = Linter::default();
        let dockerfile = dockerfile::parse_and_lint(source.as_ref(), &mut linter).unwrap();
        let platform = Platform::parse("linux/amd64").unwrap();
        let options = Options {
            platform: Some(platform.clone()),
            build_platforms: vec![platform],
            ..Options::default()
        };
        let mut images = ResolvedImages::new();
        loop {
            match translate_and_lint(&dockerfile, &options, &images, &mut linter)? {
                Outcome::Done(done) => return Ok(*done),
                Outcome::NeedsImages(requests) => {
                    for request in requests {
                        let digest = Digest::sha256(request.log_name.as_bytes());
                        let image = ResolvedImage::parse(Some(digest), CONFIG.as_bytes());
                        images.insert(request, image.unwrap());
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    })
}

fn vertices(source: impl AsRef<[u8]>) -> usize {
    translated(source).unwrap().definition.vertices().len()
}

fn failure(source: impl AsRef<[u8]>) -> Reason {
    *translated(source).unwrap_err().reason
}

/// The head, followed by the text of `line` for each number.
fn lines(head: &str, count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(head.to_owned(), |mut text, number| {
        let _ = writeln!(text, "{}", line(number));
        text
    })
}

#[test]
fn bytes_that_are_no_text_are_refused_where_they_matter() {
    assert!(matches!(
        failure(b"FROM a\nRUN echo \xff\xfe\n"),
        Reason::InvalidUtf8
    ));
    assert_eq!(vertices(b"FROM a\n# \xff\nRUN true\n"), 2);
    assert!(matches!(
        refused(b"\xff\xff\n"),
        ParseErrorKind::UnknownInstruction { .. }
    ));
}

#[test]
fn nul_bytes_are_characters_as_any_other() {
    assert_eq!(vertices("FROM a\nRUN echo \0\nENV a=\0\0\n"), 2);
    assert!(matches!(
        refused("FROM a\n\0\n"),
        ParseErrorKind::UnknownInstruction { .. }
    ));
}

#[test]
fn a_line_is_no_longer_than_the_reference_reads() {
    let line = format!("FROM a\nRUN {}\n", "x".repeat(100_000));
    assert!(matches!(refused(line), ParseErrorKind::LineTooLong { .. }));
    let continued = format!("FROM a\nRUN {}\n", "xxxxxxxxx \\\n".repeat(100_000));
    assert_eq!(vertices(continued), 2);
}

#[test]
fn a_dockerfile_of_50_megabytes_is_refused() {
    let too_large = |source: Vec<u8>| matches!(refused(source), ParseErrorKind::TooLarge { .. });
    assert!(too_large(b"RUN true\n".repeat(50_000_000 / 9)));
    assert!(too_large(vec![0xff; 50_000_000]));
}

#[test]
fn more_instructions_than_can_be_built_are_refused() {
    let source = lines("FROM a\n", 100_000, |_| "RUN x".into());
    assert!(matches!(
        refused(source),
        ParseErrorKind::TooManyInstructions { .. }
    ));
}

#[test]
fn ten_thousand_stages_are_translated() {
    let alone = lines("", 10_000, |n| format!("FROM a AS s{n}\nRUN x"));
    assert_eq!(vertices(alone), 2);
    let chain = lines("FROM a AS s0\n", 10_000, |n| {
        format!("FROM s{n} AS s{}\nRUN x", n + 1)
    });
    assert_eq!(vertices(chain), 10_001);
    let copies = lines("FROM a AS s0\n", 10_000, |n| {
        format!("FROM a AS s{}\nCOPY --from=s{n} /a /b", n + 1)
    });
    assert_eq!(vertices(copies), 10_001);
    let images = lines("FROM a\n", 10_000, |n| format!("COPY --from=b{n} /a /b"));
    assert_eq!(vertices(images), 20_001);
}

#[test]
fn a_graph_that_nothing_can_hold_is_refused() {
    let too_large = |source: String| matches!(failure(source), Reason::TooLarge { .. });
    assert!(too_large(lines("FROM a\n", 10_000, |n| format!(
        "ENV a{n}=b\nRUN x"
    ))));
    assert!(too_large(lines("FROM a\n", 10_000, |n| format!(
        "ARG a{n}=b\nRUN x"
    ))));
    assert!(too_large(lines("FROM a\n", 20_000, |_| {
        "WORKDIR abcdefgh".into()
    })));
    let ranges = "1-65535 ".repeat(5_000);
    assert!(too_large(format!("FROM a\nEXPOSE {ranges}\n")));
    let many_heirs = lines("FROM a AS b\n", 2_000, |_| "RUN x".into())
        + &lines("", 3_000, |n| format!("FROM b AS s{n}\nRUN y"))
        + &lines("FROM a\n", 3_000, |n| format!("COPY --from=s{n} /a /b"));
    assert!(too_large(many_heirs));
}

#[test]
fn many_variables_are_no_trouble() {
    let set = lines("FROM a\n", 3_000, |n| format!("ENV a{n}=$a{n}x"));
    let made = translated(set).unwrap();
    assert_eq!(made.image.config.env.len(), 3_001);
}

#[test]
fn twenty_thousand_heredocs_are_read() {
    let words = lines("FROM a\nCOPY \\\n", 20_000, |n| format!("<<E{n} \\")) + "/x/\n";
    let source = lines(&words, 20_000, |n| format!("E{n}"));
    assert_eq!(vertices(source), 20_002);
    let each = lines("FROM a\n", 20_000, |n| format!("RUN <<E{n}\nx\nE{n}"));
    assert_eq!(vertices(each), 20_001);
}

#[test]
fn heredocs_that_never_end_are_named() {
    let open = format!("FROM a\nRUN <<E\n{}", "x\n".repeat(5_000_000));
    assert!(matches!(refused(open), ParseErrorKind::HeredocUnclosed { name } if name == "E"));
    let many = lines("FROM a\n", 10_000, |n| format!("RUN <<E{n}"));
    assert!(matches!(refused(many), ParseErrorKind::HeredocUnclosed { name } if name == "E0"));
}

#[test]
fn arguments_that_double_are_refused() {
    let global = lines("ARG A=xxxxxxxxxx\n", 100, |_| "ARG A=$A$A".into()) + "FROM a\n";
    assert!(matches!(failure(global), Reason::Expand(_)));
    let stage = lines("FROM a\nENV A0=xxxxxxxxxx\n", 100, |n| {
        format!("ENV A{}=$A{n}$A{n}", n + 1)
    });
    assert!(matches!(failure(stage), Reason::Expand(_)));
    let long = format!("FROM a\nENV A={}\n", "x".repeat(60_000));
    let wide = lines(&long, 1_000, |n| format!("ENV B{n}={}", "$A".repeat(16)));
    assert!(matches!(failure(wide), Reason::TooLarge { .. }));
    let nested = format!("FROM a\nENV A={}\n", "${a:-".repeat(10_000));
    let error = translated(nested).unwrap_err();
    assert!(error.to_string().len() < 1_000, "{error}");
}

#[test]
fn patterns_of_substitutions_end() {
    let long = format!("FROM a\nENV A={}\n", "a".repeat(60_000));
    let slow = format!("{long}ENV B=${{A%%{}b}}\n", "a*".repeat(1_000));
    assert!(matches!(failure(slow), Reason::Expand(_)));
    // A pattern that is long because of an inner substitution.
    let made = "FROM a\nENV A=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nENV \
                B=${A#*${A//?/*${A//?/*$A}}}\n";
    let _ = translated(made);
}

#[test]
fn circles_are_shown_with_their_lines() {
    let error = translated("FROM x AS a\nCOPY --from=b / /\nFROM x AS b\nCOPY --from=a / /\n");
    let error = error.unwrap_err();
    assert!(matches!(*error.reason, Reason::Circular { .. }));
    assert_eq!(error.spans.len(), 2);
    let long = lines("FROM a AS s0\nCOPY --from=s10000 /a /b\n", 10_000, |n| {
        format!("FROM a AS s{}\nCOPY --from=s{n} /a /b", n + 1)
    });
    assert!(matches!(failure(long), Reason::Circular { .. }));
}

#[test]
fn a_hundred_thousand_patterns_are_matched() {
    let text = lines("", 100_000, |n| match n % 3 {
        0 => format!("!dir{n}/**/*.[ch]"),
        1 => format!("**/dir{n}/*.o"),
        _ => format!("dir{n}"),
    });
    soon(|| {
        let patterns = parse_ignore(text.as_bytes());
        assert_eq!(patterns.len(), 100_000);
        let matcher = PatternMatcher::new(&patterns).unwrap();
        assert_eq!(matcher.rule("dir5/a").map(|rule| rule.number), Some(6));
        assert!(matcher.matches("x/dir99997/a.o"));
        assert!(!matcher.matches("x/dir100000/a.o"));
    });
    let odd = lines("", 100_000, |n| format!("[[:alpha:]]{n}"));
    soon(|| PatternMatcher::new(parse_ignore(odd.as_bytes())).unwrap_err());
}

#[test]
fn a_variant_may_be_any_number() {
    let offered = Platform::parse("linux/amd64/v3").unwrap();
    let wanted = Platform::parse("linux/amd64/v4294967295").unwrap();
    assert!(soon(|| PlatformMatcher::only(&wanted).matches(&offered)));
}

#[test]
fn long_patterns_match_long_paths() {
    for (pattern, path) in [
        ("*a".repeat(2_000) + "b", "a".repeat(4_000)),
        ("**/a*/".repeat(500) + "b", "a/".repeat(2_000)),
        (
            "**".to_owned() + &"?".repeat(2_000) + "b",
            "a".repeat(4_000),
        ),
    ] {
        soon(|| assert!(!PatternMatcher::new([pattern]).unwrap().matches(&path)));
    }
}
