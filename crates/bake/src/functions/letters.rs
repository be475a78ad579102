//! Upper, lower and title case of single code points, with Go's mappings.
//!
//! Go uses Unicode's simple mappings, which never change the number of code points: `ß` is
//! unchanged.

/// Converts to upper case.
pub(super) fn upper(text: &str) -> String {
    text.chars().map(upper_letter).collect()
}

/// Converts to lower case.
pub(super) fn lower(text: &str) -> String {
    text.chars().map(lower_letter).collect()
}

/// Converts the first letter of each word to title case.
pub(super) fn title(text: &str) -> String {
    let mut previous = ' ';
    let mut letter = |c| {
        let starts = separates(previous);
        previous = c;
        if starts { title_letter(c) } else { c }
    };
    text.chars().map(&mut letter).collect()
}

/// True for a character that ends a word: in ASCII anything except letters, digits and `_`;
/// elsewhere only white space.
fn separates(c: char) -> bool {
    if c.is_ascii() {
        !c.is_ascii_alphanumeric() && c != '_'
    } else {
        c.is_whitespace()
    }
}

fn upper_letter(c: char) -> char {
    let mut mapped = c.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(upper), None) => upper,
        // Several code points: the simple mapping is the title case of these Greek letters.
        _ => match c {
            '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
                offset(c, 8)
            }
            '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => offset(c, 9),
            _ => c,
        },
    }
}

fn lower_letter(c: char) -> char {
    let mut mapped = c.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(lower), None) => lower,
        // The only such character is İ.
        _ => 'i',
    }
}

fn title_letter(c: char) -> char {
    match c {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        // Georgian has capital letters, but no title case.
        '\u{10d0}'..='\u{10ff}' => c,
        _ => upper_letter(c),
    }
}

fn offset(c: char, by: u32) -> char {
    char::from_u32(u32::from(c) + by).unwrap_or(c)
}
