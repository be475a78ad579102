//! Twice the input takes about twice the work: the tests count allocations and their bytes. Only
//! for work without allocations do they compare processor time.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use solvekit_core::dockerfile::{parse, parse_ignore, render_error};
use solvekit_core::ignore::PatternMatcher;
use solvekit_core::llb::{Env, render};
use solvekit_core::template::Template;
use solvekit_core::text;
use solvekit_core::translate::{Options, Outcome, ResolvedImages, Translation, translate};

mod linear;
use linear::{assert_linear, assert_linear_steps};

fn translated(text: &String) -> Box<Translation> {
    let dockerfile = parse(text.as_bytes()).unwrap();
    match translate(&dockerfile, &Options::default(), &ResolvedImages::new()).unwrap() {
        Outcome::Done(translation) => translation,
        _ => panic!("nothing has to be looked up"),
    }
}

fn build(text: &String) {
    translated(text);
}

/// Returns the first text with a line for each number.
fn numbered(first: &str, count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(first.to_owned(), |text, number| text + &line(number))
}

#[test]
fn lines_and_history() {
    assert_linear(
        400,
        |size| numbered("FROM scratch\n", size, |at| format!("COPY a{at} /\n")),
        build,
    );
    assert_linear(
        2000,
        |size| numbered("FROM scratch\n", size, |at| format!("# c{at}\n")) + "RUN true\n",
        build,
    );
    assert_linear(
        2000,
        |size| {
            numbered("FROM scratch\nRUN true", size, |at| {
                format!(" \\\n  && {at}")
            })
        },
        build,
    );
}

#[test]
fn stages() {
    assert_linear(
        200,
        |size| {
            numbered("FROM scratch AS s\n", size, |at| {
                format!("FROM scratch AS s{at}\nCOPY --from=s a /\n")
            })
        },
        build,
    );
}

#[test]
fn stages_that_build_on_each_other() {
    assert_linear(
        200,
        |size| {
            numbered("FROM scratch AS s0\nCOPY a /\n", size, |at| {
                format!("FROM s{at} AS s{}\nCOPY a{at} /\n", at + 1)
            })
        },
        build,
    );
}

#[test]
fn mounts() {
    let mounts = |size| {
        numbered("FROM scratch\nRUN", size, |at| {
            format!(" --mount=type=tmpfs,target=/m{at}")
        })
    };
    assert_linear(400, |size| mounts(size) + " true\n", build);
    let binds = |size| {
        numbered("FROM scratch\nRUN", size, |at| {
            format!(" --mount=target=/m{at}")
        })
    };
    assert_linear(400, |size| binds(size) + " true\n", build);
}

#[test]
fn args_environment_and_labels() {
    for instruction in ["ARG", "ENV", "LABEL"] {
        let lines = |size| {
            numbered("FROM scratch\n", size, |at| {
                format!("{instruction} k{at}=v\n")
            })
        };
        assert_linear(400, |size| lines(size) + "RUN true\n", build);
    }
    assert_linear(
        400,
        |size| numbered("", size, |at| format!("ARG k{at}=v\n")) + "FROM scratch\n",
        build,
    );
    assert_linear(
        400,
        |size| numbered("FROM scratch\nLABEL", size, |at| format!(" k{at}=v")),
        build,
    );
}

#[test]
fn names_of_the_environment() {
    let names = |count| (0..count).map(|at| format!("k{at}")).collect::<Vec<_>>();
    assert_linear_steps(1000, names, |names| {
        let mut env = Env::new();
        for name in names.iter().chain(names) {
            env.set(name, "v");
        }
        assert_eq!(env.len(), names.len());
        for name in names {
            assert_eq!(env.get(name), Some("v"));
            env.remove(name);
        }
        assert!(env.is_empty());
    });
}

#[test]
fn arguments_and_variables_that_are_used() {
    let used = |instruction: &str, count| {
        numbered("FROM scratch\n", count, |at| {
            format!("{instruction} k{at}=v\n{instruction} k{at}=${{k{at}}}\n")
        })
    };
    for instruction in ["ARG", "ENV"] {
        let input = |count| used(instruction, count);
        assert_linear(400, input, build);
        assert_linear_steps(400, input, build);
    }
}

#[test]
fn heredocs() {
    assert_linear(
        2000,
        |size| {
            numbered("FROM scratch\nRUN <<EOF\n", size, |at| {
                format!("line {at}\n")
            }) + "EOF\n"
        },
        build,
    );
    let bodies = |size| numbered("", size, |at| format!("x\nE{at}\n"));
    assert_linear(
        400,
        |size| {
            numbered("FROM scratch\nCOPY", size, |at| format!(" <<E{at}")) + " /\n" + &bodies(size)
        },
        build,
    );
}

#[test]
fn words_and_expansions() {
    assert_linear(
        2000,
        |size| {
            numbered("FROM scratch\nARG a=b\nENV x=\"", size, |_| {
                "${a:-c}".to_owned()
            }) + "\"\n"
        },
        build,
    );
}

#[test]
fn ignore_patterns() {
    let patterns =
        |size| parse_ignore(numbered("", size, |at| format!("a{at}/**/x*\n!b{at}\n")).as_bytes());
    assert_linear(400, patterns, |patterns| {
        PatternMatcher::new(patterns).unwrap();
    });
    assert_linear(
        20_000,
        |size| "*".repeat(size),
        |pattern| {
            let _ = PatternMatcher::new(std::slice::from_ref(pattern));
        },
    );
}

#[test]
fn errors_with_their_lines() {
    assert_linear(
        50_000,
        |size| numbered("FROM scratch\nRUN <<EOF\n", size, |_| "x\n".to_owned()),
        |text| {
            let error = parse(text.as_bytes()).unwrap_err();
            let shown = render_error("Dockerfile", text.as_bytes(), &error);
            assert!(shown.lines().count() < 30 && shown.len() < 4096, "{shown}");
        },
    );
}

#[test]
fn trees_of_long_lines_and_many_stages() {
    let tree = |text: &String| {
        let translation = translated(text);
        let mut shown = String::new();
        let tree = render::tree(&[("linux/amd64".to_owned(), &translation.definition)], 80);
        write!(shown, "{tree}").unwrap();
        assert!(shown.lines().all(|line| line.chars().count() <= 80));
    };
    assert_linear(
        20_000,
        |size| format!("FROM scratch\nRUN {}\n", "x".repeat(size)),
        tree,
    );
    assert_linear(
        200,
        |size| {
            numbered("FROM scratch\nRUN", size, |at| {
                format!(" --mount=target=/m{at}")
            }) + " true\n"
        },
        tree,
    );
}

#[test]
fn texts_that_are_shown() {
    let hostile = |size| "\x1b[31m\u{9b}2Jhttps://a:b@c/?token=x&y=".repeat(size);
    assert_linear(1000, hostile, |text| drop(text::lines(text)));
    assert_linear(1000, hostile, |text| drop(text::redact(text)));
    assert_linear(
        1000,
        |size| "a://".repeat(size),
        |text| drop(text::redact(text)),
    );
    assert_linear(1000, hostile, |text| drop(text::coloured(text)));
}

#[test]
fn templates() {
    assert_linear(
        1000,
        |size| "{{.A}}x".repeat(size),
        |text| drop(Template::parse(text).unwrap()),
    );
}
