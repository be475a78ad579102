//! `.dockerignore` files are parsed, and matched against paths.
//!
//! Input: the file, a line `%%%`, and paths, one per line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use solvekit::dockerfile::parse_ignore;
use solvekit::session::{MatchState, PatternMatcher};

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let (file, paths) = text
        .split_once("\n%%%\n")
        .unwrap_or((&text, "a\na/b/c.txt\n.git/config"));
    let patterns = parse_ignore(file.as_bytes());
    // Clean patterns are unchanged.
    for pattern in &patterns {
        if !pattern.starts_with(['#', '!', '\u{feff}']) && pattern.trim() == pattern {
            assert_eq!(parse_ignore(pattern.as_bytes()), [pattern.as_str()]);
        }
    }
    let Ok(matcher) = PatternMatcher::new(&patterns) else {
        return;
    };
    for path in paths.lines().take(20) {
        assert_eq!(matcher.matches(path), matcher.rule(path).is_some());
        let mut state = MatchState::default();
        assert_eq!(
            matcher.step(path, &MatchState::default(), Some(&mut state)),
            matcher.matches(path)
        );
        matcher.step(&format!("{path}/x"), &state, None);
        matcher.may_except_inside(path);
        matcher.may_include_inside(path);
    }
});
