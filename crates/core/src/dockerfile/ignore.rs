//! `.dockerignore`: one pattern per line.

/// Returns the patterns of a `.dockerignore` file, cleaned as in BuildKit: without comments and
/// blank lines, white space trimmed, paths shortened and without a leading `/`. A leading `!` is
/// kept.
///
/// ```
/// let text = b"# all but sources\n*\n! /src//main/../*.rs\n";
/// assert_eq!(solvekit_core::dockerfile::parse_ignore(text), ["*", "!src/*.rs"]);
/// ```
pub fn parse_ignore(source: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(source);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    text.split('\n')
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| pattern(line.trim()))
        .collect()
}

fn pattern(line: &str) -> Option<String> {
    match line.strip_prefix('!') {
        _ if line.is_empty() => None,
        Some(pattern) => Some(format!("!{}", clean(pattern.trim()))),
        None => Some(clean(line)),
    }
}

/// Applies Go's `filepath.Clean` and removes a leading slash. An empty pattern, after a lone `!`,
/// stays empty.
fn clean(path: &str) -> String {
    if path.is_empty() {
        return String::new();
    }
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    match (parts.is_empty(), absolute) {
        (true, true) => "/".to_owned(),
        (true, false) => ".".to_owned(),
        _ => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_cleaned() {
        let text = "\u{feff}a \r\n #not a comment\n#comment\n\n/b/\n./c/../d\n!\n! \
            e\n/\n.\n../f/..\n/../g\n";
        assert_eq!(
            parse_ignore(text.as_bytes()),
            [
                "a",
                "#not a comment",
                "b",
                "d",
                "!",
                "!e",
                "/",
                ".",
                "..",
                "g"
            ]
        );
    }
}
