//! Results and errors of parsing whole files.

use super::*;
use crate::dockerfile::{HealthcheckInstruction, RunNetwork, RunSecurity};

fn kinds(source: &str) -> Vec<InstructionKind> {
    let dockerfile = parse(source.as_bytes()).unwrap();
    dockerfile
        .stages
        .into_iter()
        .flat_map(|stage| stage.instructions)
        .map(|instruction| instruction.kind)
        .collect()
}

/// Returns the only instruction after `FROM a`.
fn kind(instruction: &str) -> InstructionKind {
    let mut kinds = kinds(&format!("FROM a\n{instruction}\n"));
    assert_eq!(kinds.len(), 1, "{instruction}");
    kinds.remove(0)
}

fn fails(source: &str) -> (ParseErrorKind, u32, u32) {
    let error = parse(source.as_bytes()).expect_err(source);
    let span = error.span.unwrap_or_default();
    (*error.kind, span.first, span.last)
}

fn shell(text: &str) -> CommandLine {
    CommandLine::Shell(text.to_owned())
}

#[test]
fn continuations_are_joined_without_comments_and_blank_lines() {
    let dockerfile =
        parse(b"FROM a\nRUN b \\\n  # comment\n\n  c \\ \t\n  d\nRUN e \\\\\nRUN f\n").unwrap();
    let [first, second, third] = &dockerfile.stages[0].instructions[..] else {
        panic!()
    };
    assert_eq!(
        (first.original.as_str(), first.span),
        ("RUN b   c   d", Span::new(2, 6))
    );
    assert_eq!(
        (second.original.as_str(), third.original.as_str()),
        ("RUN e \\\\", "RUN f")
    );
}

#[test]
fn the_escape_directive_changes_continuations_and_words() {
    let source = "# syntax=x\n#  Escape = `\r\nFROM a\r\nRUN b `\r\n c\r\nENV d=C:\\ e=f` g\r\n";
    let dockerfile = parse(source.as_bytes()).unwrap();
    assert_eq!(
        (
            dockerfile.directives.escape,
            dockerfile.directives.syntax.as_deref()
        ),
        ('`', Some("x"))
    );
    assert_eq!(dockerfile.stages[0].instructions[0].original, "RUN b  c");
    let InstructionKind::Env(env) = &dockerfile.stages[0].instructions[1].kind else {
        panic!()
    };
    assert_eq!(
        (env.pairs[0].value.as_str(), env.pairs[1].value.as_str()),
        ("C:\\", "f` g")
    );
}

#[test]
fn stages_have_names_platforms_and_descriptions() {
    let source =
        "ARG x=1\n\n# other\n# base is the base\nfrom --platform=$p img:$x As BASE\nFROM base\n";
    let dockerfile = parse(source.as_bytes()).unwrap();
    assert_eq!(
        dockerfile.global_args[0].args.variables[0]
            .default
            .as_deref(),
        Some("1")
    );
    let stage = &dockerfile.stages[0];
    assert_eq!(
        (
            stage.name.as_deref(),
            stage.written_name.as_deref(),
            stage.doc.as_deref()
        ),
        (Some("base"), Some("BASE"), Some("is the base"))
    );
    assert_eq!(
        (
            stage.base.as_str(),
            stage.platform.as_deref(),
            stage.keyword()
        ),
        ("img:$x", Some("$p"), "from")
    );
    assert_eq!(
        (
            stage.span,
            stage.comments.len(),
            dockerfile.stages[1].name.as_deref()
        ),
        (Span::line(5), 2, None)
    );
}

#[test]
fn an_empty_comment_parts_descriptions_from_the_instruction() {
    let dockerfile = parse(b"FROM a\n# x one\n#\nARG x\n# y two\n\nARG y=\n").unwrap();
    let docs =
        dockerfile.stages[0]
            .instructions
            .iter()
            .map(|instruction| match &instruction.kind {
                InstructionKind::Arg(args) => args.variables[0].doc.as_deref(),
                _ => None,
            });
    assert_eq!(docs.collect::<Vec<_>>(), [None, Some("two")]);
}

#[test]
fn commands_have_shell_or_exec_form() {
    let exec = CommandLine::Exec(vec!["a b".into(), "c".into()]);
    assert_eq!(
        kind("CMD  [\"a b\",\n\"c\"]".replace('\n', "").as_str()),
        InstructionKind::Cmd(exec)
    );
    assert_eq!(
        kind("ENTRYPOINT [a]"),
        InstructionKind::Entrypoint(shell("[a]"))
    );
    assert_eq!(kind("CMD"), InstructionKind::Cmd(shell("")));
    assert_eq!(
        kind("CMD []"),
        InstructionKind::Cmd(CommandLine::Exec(vec![]))
    );
    assert_eq!(
        kind("SHELL [\"a\"]"),
        InstructionKind::Shell(vec!["a".into()])
    );
}

#[test]
fn run_takes_mounts_network_security_and_devices() {
    let InstructionKind::Run(run) = kind(
        "RUN --mount=type=cache,target=/x --mount=from=b --network=none --security=insecure \
        --device=v/c=a,required x  --y",
    ) else {
        panic!()
    };
    assert_eq!(run.command, shell("x  --y"));
    assert_eq!(
        (run.mounts[0].text.as_str(), run.mounts[1].from.as_deref()),
        ("type=cache,target=/x", Some("b"))
    );
    assert_eq!(
        (run.network, run.security),
        (RunNetwork::None, RunSecurity::Insecure)
    );
    assert_eq!(
        (run.devices[0].name.as_str(), run.devices[0].required),
        ("v/c=a", true)
    );
}

#[test]
fn heredocs_go_to_run_copy_and_add() {
    let source = "FROM a\nRUN <<A cat <<-'B'\nx\\\n# y\nA\n\tz\n\tB\nCOPY <<C <<'D' e \
        /f/\n1\nC\n2\nD\nRUN true\n";
    let dockerfile = parse(source.as_bytes()).unwrap();
    let [first, second, third] = &dockerfile.stages[0].instructions[..] else {
        panic!()
    };
    let InstructionKind::Run(run) = &first.kind else {
        panic!()
    };
    assert_eq!(run.command, shell("<<A cat <<-'B'"));
    let bodies: Vec<_> = run
        .heredocs
        .iter()
        .map(|h| (h.name.as_str(), h.content.as_str(), h.chomp, h.expand))
        .collect();
    assert_eq!(
        bodies,
        [
            ("A", "x\\\n# y\n", false, true),
            ("B", "\tz\n", true, false)
        ]
    );
    let InstructionKind::Copy(copy) = &second.kind else {
        panic!()
    };
    assert_eq!(
        (
            copy.sources.paths.as_slice(),
            copy.sources.destination.as_str()
        ),
        (["e".to_owned()].as_slice(), "/f/")
    );
    assert_eq!(
        (
            copy.sources.inline[1].content.as_str(),
            copy.sources.inline[1].expand
        ),
        ("2\n", false)
    );
    assert_eq!(
        (first.span, second.span, third.span),
        (Span::new(2, 7), Span::new(8, 12), Span::line(13))
    );
}

#[test]
fn heredocs_of_json_and_of_other_instructions_are_none() {
    assert_eq!(
        kinds("FROM a\nRUN [\"cat\", \"<<EOF\"]\nCMD <<EOF\nRUN '<<EOF'\n").len(),
        3
    );
    let InstructionKind::Copy(copy) = kind("COPY [\"<<EOF\", \"/x\"]") else {
        panic!()
    };
    assert_eq!(copy.sources.inline[0].content, "");
}

#[test]
fn copy_and_add_have_their_flags() {
    let InstructionKind::Copy(copy) = kind(
        "COPY --from=b --chown=1 --chmod=2 --link --parents=false --exclude=x --exclude=y a b c",
    ) else {
        panic!()
    };
    assert_eq!(
        (
            copy.from.as_deref(),
            copy.chown.as_deref(),
            copy.chmod.as_deref()
        ),
        (Some("b"), Some("1"), Some("2"))
    );
    assert_eq!(
        (
            copy.link,
            copy.parents,
            copy.exclude.len(),
            copy.sources.paths.len()
        ),
        (true, false, 2, 2)
    );
    let InstructionKind::Add(add) = kind("ADD --checksum=c --keep-git-dir --unpack=false a b")
    else {
        panic!()
    };
    assert_eq!(
        (
            add.checksum.as_deref(),
            add.keep_git_dir,
            add.unpack,
            add.link
        ),
        (Some("c"), Some(true), Some(false), false)
    );
}

#[test]
fn ports_are_sorted_and_volumes_trimmed() {
    let InstructionKind::Expose(expose) = kind("EXPOSE 90 \t80 1000") else {
        panic!()
    };
    assert_eq!(expose.ports, ["1000", "80", "90"]);
    assert_eq!(
        kind("VOLUME [\" /a \"]"),
        InstructionKind::Volume(vec!["/a".into()])
    );
    assert_eq!(kind("USER  a b "), InstructionKind::User("a b".into()));
}

#[test]
fn healthchecks_have_times() {
    let InstructionKind::Healthcheck(HealthcheckInstruction::Command(check)) =
        kind("HEALTHCHECK --interval=1m30s --retries=3 --timeout=0 cmd a  b")
    else {
        panic!()
    };
    assert_eq!(
        (
            check.interval.as_secs(),
            check.timeout.as_secs(),
            check.retries,
            check.command
        ),
        (90, 0, 3, shell("a  b"))
    );
    assert_eq!(
        kind("HEALTHCHECK --nonsense none"),
        InstructionKind::Healthcheck(HealthcheckInstruction::None)
    );
}

#[test]
fn triggers_keep_their_text_and_heredocs() {
    let InstructionKind::Onbuild(onbuild) = kind("onbuild  RUN --x <<EOF\n\ta\nEOF") else {
        panic!()
    };
    assert_eq!(onbuild.expression, "RUN --x <<EOF\n\ta\nEOF");
    let trigger = parse_trigger("RUN <<EOF\na\nEOF", Span::line(7)).unwrap();
    assert!(matches!(&trigger.kind, InstructionKind::Run(run) if run.heredocs[0].content == "a\n"));
    assert_eq!(
        (trigger.span, trigger.original.as_str()),
        (Span::line(7), "RUN <<EOF")
    );
    for text in ["", "FROM a", "RUN a\nRUN b", "FOO"] {
        assert_eq!(
            parse_trigger(text, Span::line(7)).unwrap_err().span,
            Some(Span::line(7)),
            "{text}"
        );
    }
}

#[test]
fn bytes_that_are_no_utf8_are_replaced_and_noted() {
    let dockerfile =
        parse(b"FROM a\n# \xff\nRUN \xff\xe2\nCOPY <<'E' /b\n\xfe\nE\nRUN c \\\n# \xff\n d\n")
            .unwrap();
    let [run, copy, joined] = &dockerfile.stages[0].instructions[..] else {
        panic!()
    };
    assert_eq!(
        (run.original.as_str(), run.invalid_utf8),
        ("RUN \u{fffd}\u{fffd}", true)
    );
    let InstructionKind::Copy(inner) = &copy.kind else {
        panic!()
    };
    assert_eq!(
        (
            inner.sources.inline[0].bytes(),
            inner.sources.inline[0].content.as_str()
        ),
        (&b"\xfe\n"[..], "\u{fffd}\n")
    );
    assert!(!copy.invalid_utf8 && !joined.invalid_utf8);
    let dockerfile = parse(b"FROM a\nRUN <<E\n\xfe\nE\n").unwrap();
    assert!(dockerfile.stages[0].instructions[0].invalid_utf8);
    let dockerfile =
        parse(b"FROM a\nARG x=\xff\nENV x=\xff\nCOPY \xff b\nRUN [\"\xff\"]\nLABEL x=\xff")
            .unwrap();
    assert!(
        !dockerfile.stages[0]
            .instructions
            .iter()
            .any(|instruction| instruction.invalid_utf8)
    );
}

#[test]
fn errors_name_lines_and_what_was_meant() {
    use ParseErrorKind::*;
    assert!(matches!(
        fails("FROM a\n\nRUNN b \\\n c"),
        (
            UnknownInstruction {
                nearest: Some("RUN"),
                ..
            },
            3,
            4
        )
    ));
    assert!(matches!(
        fails("FROM a\nCOPY --form=b c d"),
        (
            UnknownFlag {
                nearest: Some("from"),
                ..
            },
            2,
            2
        )
    ));
    assert!(matches!(
        fails("RUN a\nFROM b"),
        (NoStage { instruction: "RUN" }, 1, 1)
    ));
    assert!(matches!(
        fails("FROM a b"),
        (FromArguments { count: 2 }, 1, 1)
    ));
    assert!(matches!(fails("FROM a AS 1b"), (StageName { .. }, 1, 1)));
    assert!(matches!(
        fails("FROM a\nRUN <<EOF\nb"),
        (HeredocUnclosed { .. }, 2, 3)
    ));
    assert!(matches!(
        fails("FROM a\nCOPY a <<EOF\nEOF"),
        (HeredocDestination { .. }, 2, 3)
    ));
    assert!(matches!(fails("# a\n\n"), (NoInstructions, 2, 2)));
    assert!(matches!(fails(""), (Empty, 0, 0)));
    assert!(matches!(
        fails("FROM a\nHEALTHCHECK --interval=1us CMD x"),
        (FlagValue { .. }, 2, 2)
    ));
    assert!(matches!(
        fails("FROM a\nRUN --mount=from=$b c"),
        (Mount(_), 2, 2)
    ));
    assert!(matches!(
        fails("FROM a\nONBUILD ONBUILD RUN b"),
        (Trigger { .. }, 2, 2)
    ));
    assert!(matches!(
        fails("FROM a\nONBUILD RUN [1]"),
        (JsonNotStrings, 2, 2)
    ));
    assert!(matches!(fails("FROM a\nARG =b"), (EmptyName { .. }, 2, 2)));
    assert!(matches!(
        fails("# escape=`\n# escape=`\nFROM a"),
        (DirectiveRepeated { line: 2, .. }, 1, 1)
    ));
    assert!(matches!(
        fails(&format!("FROM a\nRUN {}", "x".repeat(70_000))),
        (LineTooLong { .. }, 1, 1)
    ));
}

#[test]
fn errors_that_are_noticed_while_reading_come_first() {
    assert!(matches!(
        fails("FOO\nFROM a\nENV b"),
        (ParseErrorKind::NoValue { .. }, 3, 3)
    ));
    assert!(matches!(
        fails("FOO\nBAR"),
        (ParseErrorKind::UnknownInstruction { keyword, .. }, 1, 1) if keyword == "FOO"
    ));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(lines in proptest::collection::vec(
        r#"(FROM|RUN|COPY|ADD|ENV|ARG|ONBUILD|HEALTHCHECK|VOLUME|SHELL|LABEL|#|# escape=|EOF|x)?( |\t|--|--mount=|a=|<<|<<-|EOF|"|'|\[|\]|,|\$\{|\\|`|é|NONE|CMD|a){0,8}(\\|`|\r)?"#,
        0..8,
    )) {
        let source = lines.join("\n");
        let mut linter = Linter::default();
        if let Err(error) = parse_and_lint(source.as_bytes(), &mut linter) {
            let _ = crate::dockerfile::render_error("Dockerfile", source.as_bytes(), &error);
        }
        let _ = parse_trigger(&source, Span::line(1));
    }

    #[test]
    fn no_bytes_make_it_panic(source in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = parse(&source);
        let _ = detect_syntax(&source);
        let _ = crate::dockerfile::parse_ignore(&source);
    }
}

#[test]
fn a_byte_order_mark_alone_is_a_line() {
    let error = parse("\u{feff}".as_bytes()).unwrap_err();
    assert_eq!(error.span, Some(Span::line(1)));
}

#[test]
fn after_a_second_onbuild_there_is_no_heredoc() {
    let error = parse(b"FROM a\nONBUILD ONBUILD RUN <<EOF\nRUN x\nEOF\n").unwrap_err();
    assert!(
        matches!(*error.kind, ParseErrorKind::Trigger { .. }),
        "{error}"
    );
    assert_eq!(error.span, Some(Span::line(2)));
}

#[test]
fn a_line_that_is_too_long_is_named_itself_only_where_it_continues_another() {
    let long = "a".repeat(70_000);
    for (before, named, shown) in [("FROM a\n", 1, 2), ("FROM a\nRUN x \\\n", 3, 3)] {
        let error = parse(format!("{before}{long}\n").as_bytes()).unwrap_err();
        assert_eq!(error.span, Some(Span::line(named)), "{before}");
        assert_eq!(error.shown_span(), Some(Span::line(shown)), "{before}");
    }
}

#[test]
fn other_encodings_and_line_ends_are_named() {
    let utf16: Vec<u8> = "\u{feff}FROM alpine\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let kind = |source: &[u8]| *crate::dockerfile::parse(source).unwrap_err().kind;
    assert!(matches!(kind(&utf16), ParseErrorKind::Utf16));
    assert!(matches!(
        kind(b"FROM alpine\rRUN true\rRUN x\r"),
        ParseErrorKind::CarriageReturns
    ));
    assert!(!matches!(
        kind(b"FRO alpine\r\n"),
        ParseErrorKind::CarriageReturns
    ));
    let open = kind(b"FROM alpine\nRUN <<E\na\rE\rRUN true\n");
    let ParseErrorKind::HeredocCarriageReturns { name } = &open else {
        panic!("{open:?}");
    };
    assert_eq!(name, "E");
    assert!(crate::dockerfile::parse(b"FROM alpine\r\nRUN <<E\r\na\r\nE\r\n").is_ok());
    assert!(matches!(
        kind(b"FROM alpine\r\nRUN <<E\r\na\r\n"),
        ParseErrorKind::HeredocUnclosed { .. }
    ));
}
