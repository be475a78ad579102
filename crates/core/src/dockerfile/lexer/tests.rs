//! Tests of the lexer, operator by operator.

use std::collections::BTreeMap;

use super::*;

fn environment() -> BTreeMap<String, String> {
    let set = [
        ("v", "v1.2.3"),
        ("path", "/usr/local/bin"),
        ("empty", ""),
        ("stars", "a**b*c"),
        ("lines", "one\ntwo"),
        ("two", "x  y"),
    ];
    set.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

#[track_caller]
fn expands(word: &str, expected: &str) {
    let expansion = Lexer::new('\\').expand(word, &environment()).unwrap();
    assert_eq!(expansion.text, expected, "{word}");
}

#[track_caller]
fn fails(word: &str) -> ExpandErrorReason {
    Lexer::new('\\')
        .expand(word, &environment())
        .expect_err(word)
        .reason
}

#[track_caller]
fn words(text: &str, expected: &[&str]) {
    assert_eq!(
        Lexer::new('\\').expand_words(text, &environment()).unwrap(),
        expected,
        "{text}"
    );
}

#[test]
fn quotes_and_escapes_are_taken_away() {
    expands(r#"a "b  c" 'd $v'"#, "a b  c d $v");
    expands(r#""\$v \" \\ \n""#, r#"$v " \ \n"#);
    expands(r"\$v \a \\", r"$v a \");
    expands("trailing\\", "trailing");
    expands("\u{feff}bom", "bom");
}

#[test]
fn the_escape_character_can_be_a_backtick() {
    let expansion = Lexer::new('`').expand("C:\\x `$v", &environment()).unwrap();
    assert_eq!(expansion.text, "C:\\x $v");
}

#[test]
fn names_end_where_letters_digits_and_underscores_do() {
    expands("$v/$v_/${v}_", "v1.2.3//v1.2.3_");
    expands("$. $ $1x $12 $@a", "$. $ x  a");
    expands("$é.", ".");
}

#[test]
fn defaults_depend_on_unset_and_with_a_colon_on_empty() {
    expands("${v-d} ${none-d} ${empty-d}", "v1.2.3 d ");
    expands("${v:-d} ${none:-d} ${empty:-d}", "v1.2.3 d d");
    expands("${v+d} ${none+d} ${empty+d}", "d  d");
    expands("${v:+d} ${none:+d} ${empty:+d}", "d  ");
    expands("${none:-${other:-$v}}", "v1.2.3");
    expands("${v?} ${empty?}", "v1.2.3 ");
}

#[test]
fn prefixes_and_suffixes_are_trimmed_shortest_or_longest() {
    expands(
        "${path#*/} ${path##*/} ${path%/*} ${path%%/*}",
        "usr/local/bin bin /usr/local ",
    );
    expands(
        r"${stars#*\*} ${stars##*\*} ${stars%\**} ${stars%%\**}",
        "*b*c c a**b a",
    );
    expands(
        "${v#?} ${v%.?} ${v#x} ${none#x} ${v#}",
        "1.2.3 v1.2 v1.2.3  v1.2.3",
    );
    expands("${lines#*two} ${lines%?}", "one\ntwo one\ntw");
}

#[test]
fn replacements_are_literal_once_and_templates_for_all() {
    expands("${v/./-} ${v//./-} ${none/a/b}", "v1-2.3 v1-2-3 ");
    expands(
        r"${path/\//:} ${path//\//:} ${path//\//\/}",
        r":usr/local/bin :usr:local:bin \/usr\/local\/bin",
    );
    expands(
        "${v//./'$0$0'} ${v//./'$1$x$'} ${v/./'$0'}",
        "v1..2..3 v1$2$3 v1$02.3",
    );
    expands("${v///-}", "-v-1-.-2-.-3-");
}

#[test]
fn wrong_words_say_what_is_wrong() {
    use ExpandErrorReason::*;
    assert_eq!(fails("'a"), Unclosed { missing: '\'' });
    assert_eq!(fails("\"a"), Unclosed { missing: '"' });
    assert_eq!(fails("${v:-x"), Unclosed { missing: '}' });
    assert_eq!(fails("${v/x"), Unclosed { missing: '/' });
    assert_eq!(fails("${"), Unclosed { missing: '}' });
    assert_eq!(fails("${:x}"), NoName);
    assert_eq!(
        fails("${v"),
        UnknownModifier {
            modifier: "\u{fffd}".into()
        }
    );
    assert_eq!(
        fails("${v:=x}"),
        UnknownModifier {
            modifier: ":=".into()
        }
    );
    assert_eq!(
        fails("${v:#x}"),
        UnknownModifier {
            modifier: ":#".into()
        }
    );
    assert_eq!(
        fails("${none?say $v}"),
        Unset {
            name: "none".into(),
            message: "say v1.2.3".into()
        }
    );
    assert!(matches!(fails("${empty:?}"), Empty { name, .. } if name == "empty"));
    assert_eq!(
        fails(r"${v#\x}"),
        Pattern {
            pattern: r"\x".into(),
            escaped: 'x'
        }
    );
    assert_eq!(fails(&"${v:-".repeat(1000)), TooDeep);
}

#[test]
fn the_variables_of_a_failing_word_are_known() {
    let error = Lexer::new('\\')
        .expand("$none ${v", &environment())
        .unwrap_err();
    assert_eq!(error.unmatched, BTreeSet::from(["none".to_owned()]));
    let expansion = Lexer::new('\\')
        .expand("$v ${none:-$empty}", &environment())
        .unwrap();
    assert_eq!(
        expansion.matched,
        BTreeSet::from(["empty".to_owned(), "v".to_owned()])
    );
}

#[test]
fn raw_lexers_keep_what_their_options_name() {
    let keep = |lexer: Lexer, word: &str| {
        lexer
            .expand(word, &environment())
            .unwrap()
            .text
            .into_owned()
    };
    let raw = Lexer {
        raw_quotes: true,
        keep_unset: true,
        ..Lexer::new('\\')
    };
    assert_eq!(
        keep(raw, r#"'a' "$v" $none ${none} ${none:-x} ${none/a/b}"#),
        r#"'a' "v1.2.3" $none ${none} ${none:-x} ${none/a/b}"#
    );
    let body = Lexer {
        ignore_quotes: true,
        ..Lexer::new('\\')
    };
    assert_eq!(keep(body, "it's \"$v\" \\$v"), "it's \"v1.2.3\" $v");
}

#[test]
fn words_split_at_unquoted_white_space_even_of_values() {
    words(
        "  a\tb $two \"$two\" c\\ d",
        &["a", "b", "x", "y", "x  y", "c d"],
    );
    words("pre$two", &["prex", "y"]);
    words("cat << EOF <x", &["cat", "<< EOF", "<x"]);
    words("80${none:-90} 1", &["90", "1"]);
    words("", &[]);
}

#[test]
fn growth_is_bounded() {
    let big = BTreeMap::from([("big".to_owned(), "x".repeat(MAX_EXPANSION / 2))]);
    assert!(Lexer::new('\\').expand("$big$big", &big).is_ok());
    let reason = |word: &str| Lexer::new('\\').expand(word, &big).unwrap_err().reason;
    assert_eq!(reason("$big$big$big"), ExpandErrorReason::TooLong);
    assert_eq!(reason("\"$big$big$big"), ExpandErrorReason::TooLong);
    assert_eq!(reason("${big//?/'$0$0$0$0'}"), ExpandErrorReason::TooLong);
}

proptest::proptest! {
    #[test]
    fn no_word_makes_it_panic(word in r#"([${}:/#%?+\-'"\\<` a-c*é\u{feff}]|\$\{|\$\{a|PDR){0,40}"#, escape in "[\\\\`]") {
        let environment = BTreeMap::from([("a".to_owned(), "äb/c*".to_owned())]);
        let lexer = Lexer::new(escape.chars().next().unwrap());
        let raw = Lexer { raw_quotes: true, raw_escapes: true, keep_unset: true, ..lexer };
        for lexer in [lexer, raw] {
            let _ = lexer.expand(&word, &environment);
            let _ = lexer.expand_words(&word, &environment);
        }
    }
}
