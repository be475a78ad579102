use super::*;

fn split(text: &str) -> (Vec<Cow<'_, str>>, &str) {
    split_flags(text, '\\')
}

#[test]
fn flags_end_at_the_first_other_word() {
    assert_eq!(
        split("--a=b --c  x --d"),
        (vec!["--a=b".into(), "--c".into()], "x --d")
    );
    assert_eq!(split("x --a"), (vec![], "x --a"));
    assert_eq!(split("--a -- --b"), (vec!["--a".into()], " --b"));
    assert_eq!(split("--a"), (vec!["--a".into()], ""));
    assert_eq!(split(""), (vec![], ""));
}

#[test]
fn quotes_and_escapes_in_flags_are_resolved() {
    assert_eq!(
        split("--a=\"b 'c\" --d=e\\ f' g' x"),
        (vec!["--a=b 'c".into(), "--d=e f g".into()], "x")
    );
    assert_eq!(split("--a=b\\"), (vec!["--a=b".into()], ""));
    assert_eq!(split("--a='b"), (vec!["--a=b".into()], ""));
    assert_eq!(split("--a=é x"), (vec!["--a=Ã©".into()], "x"));
    assert_eq!(split("--a=à x").0, ["--a=Ã"]);
}

#[test]
fn flags_are_checked_against_those_known() {
    const KNOWN: &[Flag] = &[
        Flag::toggle("link"),
        Flag::text("from"),
        Flag::list("exclude"),
    ];
    let cows = |words: &[&'static str]| Vec::from_iter(words.iter().copied().map(Cow::Borrowed));
    let parse = |words: &[&'static str]| -> Result<Flags<'static>, ParseErrorKind> {
        Flags::parse(cows(words).leak(), KNOWN, "COPY")
    };
    let flags = parse(&["--link", "--from=a=b", "--exclude=x", "--exclude=y"]).unwrap();
    assert_eq!(
        (
            flags.toggle("link"),
            flags.text("from"),
            flags.list("exclude")
        ),
        (Some(true), Some("a=b".into()), vec!["x".into(), "y".into()])
    );
    assert_eq!(
        parse(&["--link=FALSE"]).unwrap().toggle("link"),
        Some(false)
    );
    assert!(matches!(
        parse(&["--form=a"]),
        Err(ParseErrorKind::UnknownFlag {
            nearest: Some("from"),
            ..
        })
    ));
    assert!(matches!(
        parse(&["--from=a", "--from=b"]),
        Err(ParseErrorKind::FlagRepeated { .. })
    ));
    assert!(matches!(
        parse(&["--from"]),
        Err(ParseErrorKind::FlagWithoutValue { .. })
    ));
    assert!(matches!(
        parse(&["--link="]),
        Err(ParseErrorKind::FlagWithoutValue { .. })
    ));
    assert!(matches!(
        parse(&["--link=yes"]),
        Err(ParseErrorKind::FlagValue { .. })
    ));
}
