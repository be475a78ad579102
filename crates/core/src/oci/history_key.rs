//! Compares instructions of a Dockerfile with what an image's history says of them.

/// What BuildKit puts behind the instructions in a history.
const SUFFIX: &str = "# buildkit";

/// Returns the words of an instruction without flags, arguments and shell: `RUN make` for the
/// history's `RUN |1 A=b /bin/sh -c make # buildkit` and for the file's `RUN --mount=… make`. Two
/// texts with the same words are about the same instruction.
///
/// ```
/// use solvekit_core::oci::history_key;
///
/// let history = "RUN |1 A=b /bin/sh -c make # buildkit";
/// assert_eq!(history_key(history), history_key("RUN --mount=type=cache,target=/x make"));
/// ```
pub fn history_key(instruction: &str) -> String {
    let text = instruction.trim_end();
    let text = text.strip_suffix(SUFFIX).unwrap_or(text);
    let mut words = text.split_whitespace();
    let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
    let mut words: Vec<&str> = words.skip_while(|word| word.starts_with("--")).collect();
    if let ("RUN", Some(at)) = (&*keyword, text.find(" -c ")) {
        let before = text[..at].split_whitespace().count();
        // Only what stands before a shell is left out.
        let is_shell = before <= 2 || text.contains(" |");
        let shell_first = words
            .first()
            .is_some_and(|word| word.starts_with(['/', '|']));
        if is_shell && shell_first {
            words = text[at + " -c ".len()..].split_whitespace().collect();
        }
    }
    format!("{keyword} {}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::history_key;

    #[test]
    fn instructions_are_matched_with_their_history() {
        for (file, history) in [
            ("RUN make", "RUN /bin/sh -c make # buildkit"),
            (
                "run --mount=type=cache,target=/x  make  all",
                "RUN |1 A=b /bin/sh -c make all # buildkit",
            ),
            ("COPY --chown=1:1 a b /c/", "COPY a b /c/ # buildkit"),
            ("RUN sh -c make", "RUN /bin/sh -c sh -c make # buildkit"),
        ] {
            assert_eq!(history_key(file), history_key(history), "{file}");
        }
    }
}
