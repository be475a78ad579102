//! Words are expanded, or rejected, in bounded time and memory.
//!
//! Input: a byte of settings, then lines `NAME=value`, an empty line, and the word.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use solvekit::dockerfile::{Environment, Lexer, MAX_EXPANSION, parse_heredoc};

fuzz_target!(|input: &[u8]| {
    let Some((&bits, rest)) = input.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(rest);
    let (variables, word) = text
        .split_once("\n\n")
        .unwrap_or(("A=1\nB=b c\nEMPTY=", &text));
    let environment: BTreeMap<String, String> = variables
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let is_set = |bit: u8| bits & (1 << bit) != 0;
    let lexer = Lexer {
        escape: if is_set(0) { '`' } else { '\\' },
        raw_quotes: is_set(1),
        raw_escapes: is_set(2),
        ignore_quotes: is_set(3),
        keep_unset: is_set(4),
    };
    let expanded = lexer.expand(word, &environment);
    let words = lexer.expand_words(word, &environment);
    assert_eq!(expanded.is_ok(), words.is_ok());
    if let Ok(expansion) = expanded {
        assert!(expansion.text.len() <= word.len() + 2 * MAX_EXPANSION);
        let mut names = expansion.matched.iter();
        assert!(names.all(|name| Environment::get(&environment, name).is_some()));
        let mut names = expansion.unmatched.iter();
        assert!(names.all(|name| Environment::get(&environment, name).is_none()));
    }
    let _ = parse_heredoc(word);
});
