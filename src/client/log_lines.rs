//! The log lines that kubectl's libraries add to its error output.

/// Returns the lines of an error output, without log lines (`E1121 15:04:05.678901 …`) if there are
/// other lines. If there are none, the last line.
pub(crate) fn without_log_lines(text: &str) -> Vec<&str> {
    let is_log = |line: &&str| {
        let mut letters = line.chars();
        letters.next().is_some_and(|c| "EWI".contains(c))
            && letters.by_ref().take(4).all(|c| c.is_ascii_digit())
            && letters.next() == Some(' ')
    };
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut shown: Vec<&str> = lines().filter(|line| !is_log(line)).collect();
    if shown.is_empty() {
        shown.extend(lines().next_back());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What kubectl 1.36 prints when the API server is killed during `exec`.
    const KILLED: &str = "E1130 04:22:16.515760   28264 v2.go:130] \"Waiting for server to close \
                          stdin failed\" err=\"next reader: websocket: close 1006 (abnormal \
                          closure): unexpected EOF\"\n\
                          E1130 04:22:16.516002   28264 v2.go:151] \"Copying stdout failed\" \
                          err=\"next reader: websocket: close 1006 (abnormal closure): unexpected \
                          EOF\"\n\
                          error: error reading from error stream: next reader: websocket: close \
                          1006 (abnormal closure): unexpected EOF\n";

    #[test]
    fn log_lines_give_way_to_the_message() {
        let shown = without_log_lines(KILLED);
        assert_eq!(shown.len(), 1);
        assert!(shown[0].starts_with("error: error reading from error stream"));
        assert_eq!(
            without_log_lines("E1121 15:04:05 only\n"),
            ["E1121 15:04:05 only"]
        );
        assert!(without_log_lines("\n").is_empty());
    }
}
