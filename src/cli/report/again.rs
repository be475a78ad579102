//! The command of the user with more flags, to be copied.

/// The same command with these flags after its verb.
pub(crate) fn again(verbs: &[&str], flags: &str) -> String {
    let arguments: Vec<String> = std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let original = std::env::var("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND").ok();
    with_flags(&arguments, original.as_deref(), verbs, flags)
}

fn with_flags(arguments: &[String], original: Option<&str>, verbs: &[&str], flags: &str) -> String {
    let mut given = arguments.iter();
    let at = given.position(|argument| verbs.contains(&argument.as_str()));
    let at = at.map_or(arguments.len().min(1), |at| at + 1);
    let (before, after) = arguments.split_at(at);
    let before = before.iter().enumerate();
    let before = before.map(|(index, argument)| match original {
        Some(program) if index == 0 && !program.is_empty() => quoted(program),
        _ => quoted(argument),
    });
    let mut words: Vec<String> = before.collect();
    words.push(flags.to_owned());
    words.extend(after.iter().map(|argument| quoted(argument)));
    words.join(" ")
}

/// Quotes a word for a POSIX shell.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |symbol: char| symbol.is_ascii_alphanumeric() || "-_=./:,@+%".contains(symbol);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_follow_the_verb_and_words_are_safe_in_a_shell() {
        let arguments = ["/bin/x", "--builder=b", "build", "-t", "it's", "."];
        let arguments = arguments.map(str::to_owned);
        let again = |original, verbs: &[&str]| with_flags(&arguments, original, verbs, "--debug");
        assert_eq!(
            again(None, &["b", "build"]),
            r"/bin/x --builder=b build --debug -t 'it'\''s' ."
        );
        assert_eq!(
            again(Some("docker"), &["bake"]),
            r"docker --debug --builder=b build -t 'it'\''s' ."
        );
    }
}
