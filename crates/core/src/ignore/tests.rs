//! Properties of the matcher; most of them are surprising after gitignore.

use super::*;

fn matches(pattern: &str, path: &str) -> bool {
    PatternMatcher::new([pattern]).unwrap().matches(path)
}

#[test]
fn one_pattern_against_one_path() {
    for (pattern, path, want) in [
        // Plain names match themselves and everything below, at the root only.
        ("a", "a", true),
        ("a", "a/b/c", true),
        ("a", "b/a", false),
        ("a/b", "a/b/c", true),
        ("abc.def", "abcZdef", false),
        // Stars and question marks stay within one name.
        ("a/*.txt", "a/f.txt", true),
        ("a/*.txt", "a/d/f.txt", false),
        ("*", "d/f", true),
        ("*.md", "d/f.md", false),
        ("abc?def", "abcZdef", true),
        ("abc?def", "abcdef", false),
        (".*", ".foo", true),
        (".*", "foo", false),
        // Two stars cross slashes.
        ("**", "d/f", true),
        ("**/", "f", true),
        ("**/**", "d/f", true),
        ("**/d", "d/f", true),
        ("**/d2/*", "d/d2/f", true),
        ("**/d2/**", "d/d2/d3/f", true),
        ("**f", "d/xf", true),
        ("**/f", "d/xf", false),
        ("**/f*txt", "d/e/f.txt", true),
        ("**/**/*.txt", "f.txt", true),
        ("**/**/*.txt", "d/f.txt2", false),
        ("a**/*.txt", "a/d/d/f.txt", true),
        ("a**/*.txt", "ab/f.txt", true),
        ("a/**/b", "a/b", true),
        ("a/**/b", "a/x/y/b", true),
        ("a/*.txt**", "a/f.txt", true),
        ("**/.foo", "bar.foo", false),
        // `dir/**` does not match the directory itself, `dir**` does.
        ("abc/**", "abc", false),
        ("abc/**", "abc/def/ghi", true),
        ("abc**", "abcd/e", true),
        // Classes.
        ("a[b-d]e", "ace", true),
        ("a[b-d]e", "aae", false),
        ("a[^b-d]e", "aze", true),
        ("[[:upper:]]x", "Qx", true),
        // Characters with another meaning in regular expressions.
        ("a(b)c/def", "a(b)c/def", true),
        ("a.|)$(}+{bc", "a.|)$(}+{bc", true),
        ("a.)$(+*", "a.)$(+bc", true),
        ("x.dev36+g08/*", "x.dev36+g08/y", true),
        ("a&&b*", "a&&bc", true),
        ("[a&&b]*", "&x", true),
        // Escapes.
        ("a\\\\", "a\\", true),
        ("\\*", "*", true),
        ("\\*", "a", false),
        ("\\!x", "!x", true),
        // A negated class crosses a slash, as in the reference.
        ("a[^x]b", "a/b", true),
        // A caret is an anchor if the pattern needs an expression, else it is itself.
        ("a^b", "a^b", true),
        ("a^*", "a^b", false),
        // The same holds for `|` and counted braces; the reference does not escape them.
        ("a|b", "a|b", true),
        ("a|b*", "a/x", true),
        ("a{2}?", "aab", true),
        ("a{2}", "a{2}", true),
        ("a{x}?", "a{x}y", true),
        // Patterns are cleaned, paths are not.
        (" a/./b/../c/ ", "a/c", true),
        ("/a", "a", false),
        ("../a", "a", false),
        // Not only ASCII.
        ("é?", "éà", true),
        ("**/[à-ü]x", "d/éx", true),
    ] {
        assert_eq!(matches(pattern, path), want, "{pattern:?} {path:?}");
    }
}

#[test]
fn the_last_pattern_that_says_something_decides() {
    let check =
        |patterns: &[&str], path: &str| PatternMatcher::new(patterns).unwrap().matches(path);
    assert!(!check(&["*.md", "!README.md"], "README.md"));
    assert!(check(&["!README.md", "*.md"], "README.md"));
    assert!(check(
        &["*.md", "!README*.md", "README-secret.md"],
        "README-secret.md"
    ));
    assert!(!check(&["a", "!a/b"], "a/b/c"));
    assert!(check(&["a", "!a/b", "a/b/c"], "a/b/c"));
    assert!(!check(&["!a"], "a"));
    assert!(!check(
        &["**", "!d/util/docker/web"],
        "d/util/docker/web/foo"
    ));
    assert!(check(
        &["**", "!d/util/docker/web", "d/util/docker/web/foo"],
        "d/util/docker/web/foo"
    ));
}

#[test]
fn an_exception_is_only_looked_at_once_something_matched() {
    // `!a` is before any match, so it has no effect, and the next pattern counts.
    let matcher = PatternMatcher::new(["!a", "a/b"]).unwrap();
    assert!(matcher.matches("a/b"));
    assert!(!matcher.matches("a/c"));
}

#[test]
fn exceptions_are_cleaned_with_their_mark() {
    // `!x/..` resolves to nothing, as in the reference, and the exception is lost.
    let matcher = PatternMatcher::new(["a", "!x/../a/b"]).unwrap();
    assert!(matcher.matches("a/b"));
}

#[test]
fn the_rule_names_the_deciding_line() {
    let matcher = PatternMatcher::new(["", "*.log", "  target/ ", "!target/keep"]).unwrap();
    assert_eq!(
        matcher.rule("target/debug/x"),
        Some(Rule {
            number: 3,
            pattern: "  target/ "
        })
    );
    assert_eq!(
        matcher.rule("a.log"),
        Some(Rule {
            number: 2,
            pattern: "*.log"
        })
    );
    assert_eq!(matcher.rule("target/keep/x"), None);
    assert_eq!(matcher.rule("src"), None);
}

#[test]
fn malformed_patterns_are_named() {
    for pattern in ["!", "a[", "[]", "a\\", "[z-a]*", "\\y"] {
        let error = PatternMatcher::new(["fine", pattern]).unwrap_err();
        assert_eq!(error.pattern, pattern);
        assert!(error.to_string().contains(pattern), "{error}");
    }
}

#[test]
fn stepping_down_agrees_with_asking_from_the_root() {
    let lists: [&[&str]; 7] = [
        &["**/*.log", "a", "!a/b", "a/b/c/*.txt"],
        &["!a", "a/b", "!a/b/c"],
        &["**", "!a/b/c"],
        &["a/**", "!a/b/**", "**/x.txt"],
        &["*", "!a", "a/b", "!a/b/c"],
        &["a/*/c", "!**/d.txt"],
        &["b", "!a/b", "a"],
    ];
    let paths = [
        "a/b/c/d.txt",
        "a/b/x.log",
        "a/b/c/x.txt",
        "b/a",
        "a/x.txt",
        "a/b/d.txt",
    ];
    for patterns in lists {
        let matcher = PatternMatcher::new(patterns).unwrap();
        for path in paths {
            let mut parent = MatchState::default();
            for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
                let mut state = MatchState::default();
                let stepped = matcher.step(&path[..end], &parent, Some(&mut state));
                assert_eq!(
                    stepped,
                    matcher.matches(&path[..end]),
                    "{patterns:?} {}",
                    &path[..end]
                );
                parent = state;
            }
        }
    }
}

#[test]
fn many_patterns_keep_their_own_state() {
    let mut patterns: Vec<String> = (0..130).map(|n| format!("d{n}")).collect();
    patterns.push("!d129/keep".to_owned());
    let matcher = PatternMatcher::new(&patterns).unwrap();
    let mut state = MatchState::default();
    assert!(matcher.step("d129", &MatchState::default(), Some(&mut state)));
    assert!(matcher.step("d129/x", &state, None));
    assert!(!matcher.step("d129/keep", &state, None));
}

#[test]
fn thousands_of_patterns_need_no_expressions() {
    let patterns: Vec<String> = (0..5_000).map(|n| format!("**/dir{n}/*.[ch]")).collect();
    let matcher = PatternMatcher::new(&patterns).unwrap();
    assert_eq!(
        matcher.rule("x/dir4999/y.c").map(|rule| rule.number),
        Some(5_000)
    );
    assert!(!matcher.matches("x/dir5000/y.c"));
}

#[test]
fn expressions_are_limited() {
    let patterns: Vec<String> = (0..2_000).map(|n| format!("[[:alpha:]]{n}")).collect();
    let error = PatternMatcher::new(&patterns).unwrap_err();
    assert_eq!(error.pattern, "[[:alpha:]]1000");
}

#[test]
fn huge_patterns_cost_no_more_than_their_length() {
    // Seconds of this thread alone, independent of other load on the machine.
    let spent = || rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).tv_sec;
    let start = spent();
    for part in ["*", "**/", "?", "a*", "{", "[:", "[[:", "\\*", "^"] {
        // A malformed pattern is rejected; any other one is compiled and matched against a path.
        if let Ok(matcher) = PatternMatcher::new([part.repeat((1 << 20) / part.len())]) {
            matcher.matches(&"a/".repeat(2000));
        }
    }
    assert!(spent() - start < 60);
}
