//! Converts a pattern to a regular expression: first to the reference's (in Go's syntax), then to
//! the syntax of the `regex` crate. With two steps, unusual patterns (a star inside a class) keep
//! the reference's meaning.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

use super::PatternReason;

/// The most characters to search for the end of a count in braces or of a class name; longer
/// searches would be slow for a pattern full of their beginnings.
const AHEAD: usize = 64;

/// Compiles the output of [`GoPattern::scan`](super::pattern::GoPattern).
pub(super) fn compile(go_syntax: &str) -> Result<Regex, PatternReason> {
    let translated = translate(go_syntax)?;
    Regex::new(&translated).map_err(|_| PatternReason::Expression)
}

/// Translates an expression of Go's `regexp` to an equivalent one of the `regex` crate.
fn translate(go_syntax: &str) -> Result<String, PatternReason> {
    let mut out = String::with_capacity(go_syntax.len() + 8);
    let mut rest = go_syntax.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.push_str(&escape(&mut rest)?),
            '[' => class(&mut rest, &mut out)?,
            ']' => out.push_str("\\]"),
            '{' => repetition(&mut rest, &mut out)?,
            '}' => out.push_str("\\}"),
            c => out.push(c),
        }
    }
    Ok(out)
}

/// Translates a counted repetition. Any other brace stands for itself, as in Go.
fn repetition(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), PatternReason> {
    // A pattern can be full of braces, so most are recognised by their next character.
    if !rest.peek().is_some_and(char::is_ascii_digit) {
        out.push_str("\\{");
        return Ok(());
    }
    let ahead: String = rest.clone().take(AHEAD).take_while(|&c| c != '}').collect();
    let closed = rest.clone().nth(ahead.chars().count()) == Some('}');
    let (low, high) = ahead.split_once(',').unwrap_or((&ahead, &ahead));
    let is_count = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !closed || !is_count(low) || !(is_count(high) || high.is_empty()) {
        out.push_str("\\{");
        return Ok(());
    }
    // Go rejects repeated repetitions; the only other repetitions here are stars and question
    // marks.
    if out.ends_with(['*', '?']) || out.ends_with("}") && !out.ends_with("\\}") {
        return Err(PatternReason::NestedRepetition);
    }
    let count = |text: &str| text.parse::<u32>().ok().filter(|&count| count <= 1000);
    let valid = match (count(low), count(high)) {
        (Some(low), Some(high)) => low <= high,
        (Some(_), None) => high.is_empty(),
        _ => false,
    };
    if !valid {
        return Err(PatternReason::CountOutOfRange);
    }
    out.push_str(&format!("{{{ahead}}}"));
    rest.nth(ahead.chars().count());
    Ok(())
}

/// Translates an escape outside a class. Go supports more of them (octal, hexadecimal, Unicode
/// classes); in a path pattern they can only be mistakes, so they are rejected.
fn escape(rest: &mut Peekable<Chars<'_>>) -> Result<String, PatternReason> {
    let c = rest.next().ok_or(PatternReason::TrailingBackslash)?;
    Ok(match c {
        'A' | 'z' => format!("\\{c}"),
        'b' | 'B' => format!("(?-u:\\{c})"),
        c => match perl_class(c) {
            Some(class) => class.to_owned(),
            None => literal(control(c)?),
        },
    })
}

/// Translates a class after its opening bracket.
fn class(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), PatternReason> {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut first = true;
    loop {
        match rest.next().ok_or(PatternReason::OpenClass)? {
            ']' if !first => break,
            '[' if rest.peek() == Some(&':') => posix_class(rest, out)?,
            '\\' if rest.peek().is_some_and(|&c| perl_class(c).is_some()) => {
                out.push_str(rest.next().and_then(perl_class).unwrap_or_default());
            }
            low => range(low, rest, out)?,
        }
        first = false;
    }
    out.push(']');
    Ok(())
}

/// Translates one character of a class, or a range.
fn range(low: char, rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), PatternReason> {
    let low = class_char(low, rest)?;
    out.push_str(&literal(low));
    let mut ahead = rest.clone();
    if ahead.next() == Some('-') && ahead.peek().is_some_and(|&c| c != ']') {
        rest.next();
        let high = rest.next().ok_or(PatternReason::OpenClass)?;
        let high = class_char(high, rest)?;
        if high < low {
            return Err(PatternReason::EmptyRange { low, high });
        }
        out.push('-');
        out.push_str(&literal(high));
    }
    Ok(())
}

fn class_char(c: char, rest: &mut Peekable<Chars<'_>>) -> Result<char, PatternReason> {
    match c {
        '\\' => control(rest.next().ok_or(PatternReason::TrailingBackslash)?),
        c => Ok(c),
    }
}

/// Translates `[:name:]` inside a class; without the closing `:]` the bracket stands for itself, as
/// in Go.
fn posix_class(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), PatternReason> {
    const NAMES: [&str; 14] = [
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
        "space", "upper", "word", "xdigit",
    ];
    let text: String = rest.clone().skip(1).take(AHEAD).collect();
    let Some((name, _)) = text.split_once(":]") else {
        return range('[', rest, out);
    };
    if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
        let name = name.to_owned();
        return Err(PatternReason::UnknownClass { name });
    }
    out.push_str(&format!("[:{name}:]"));
    rest.nth(name.chars().count() + 2);
    Ok(())
}

/// Returns Go's Perl classes, which are ASCII only.
fn perl_class(c: char) -> Option<&'static str> {
    Some(match c {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => "[\\t\\n\\x0c\\r ]",
        'S' => "[^\\t\\n\\x0c\\r ]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        _ => return None,
    })
}

/// Returns the character of the escape `\c`.
fn control(c: char) -> Result<char, PatternReason> {
    Ok(match c {
        'a' => '\x07',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
        c => return Err(PatternReason::UnknownEscape { escaped: c }),
    })
}

/// Returns `c` as a literal, inside and outside of classes; set operators (`&&`, `--`, `~~`) and
/// nested brackets are escaped.
fn literal(c: char) -> String {
    if c.is_ascii_punctuation() && c != '<' && c != '>' {
        format!("\\{c}")
    } else {
        c.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(go_syntax: &str, text: &str) -> bool {
        compile(go_syntax).unwrap().is_match(text)
    }

    #[test]
    fn set_operators_of_the_regex_crate_are_plain_characters() {
        assert!(matches("^[a&&b]$", "&"));
        assert!(matches("^[a~~b]$", "~"));
        assert!(matches("^[!--a]$", "#"));
        assert!(matches("^[[a]$", "["));
        assert!(matches("^[a[b]$", "b"));
    }

    #[test]
    fn unbalanced_closing_bracket_is_itself() {
        assert!(matches("^a]$", "a]"));
    }

    #[test]
    fn perl_classes_are_ascii() {
        assert!(matches("^\\d$", "7"));
        assert!(!matches("^\\d$", "٣"));
        assert!(matches("^[\\Dx]$", "x"));
        assert!(!matches("^[\\D]$", "1"));
    }

    #[test]
    fn posix_classes_pass() {
        assert!(matches("^[[:alpha:]_]$", "q"));
        assert!(matches("^[[:alpha:]_]$", "_"));
        assert!(matches("^[[:a]$", ":"));
        assert!(compile("^[[:nope:]]$").is_err());
    }

    #[test]
    fn unknown_escapes_and_empty_ranges_are_errors() {
        assert!(compile("^\\y$").is_err());
        assert!(compile("^\\é$").is_err());
        assert!(compile("^[z-a]$").is_err());
        assert!(compile("^[a$").is_err());
    }
}
