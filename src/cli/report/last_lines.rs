//! The last lines on the terminal after a failed step: its place, its command, the end of its
//! output. A long instruction or log above them may have scrolled away.

use solvekit::frontend::SolveFailure;
use solvekit::progress::FailedStep;

/// The lines of output that are repeated.
const OUTPUT: usize = 3;
/// The longest line, in columns.
const WIDTH: usize = 80;

/// The lines; empty unless a process failed.
pub(crate) fn of_step(failure: &SolveFailure, step: Option<&FailedStep>) -> String {
    let Some(code) = failure.exit_code else {
        return String::new();
    };
    let (stage, command) = step.map_or(("", ""), |step| parts(&step.name));
    let mut place = Vec::new();
    if let Some(platform) = &failure.built_for {
        place.push(platform.to_string());
    }
    if !stage.is_empty() {
        place.push(format!("stage {stage}"));
    }
    if let Some(lines) = &failure.lines
        && let Some(first) = lines.ranges.first()
    {
        place.push(format!("{}:{}", lines.info.filename, first.start.line));
    }
    place.push(format!("exit code {code}"));
    let mut text = format!("{}\n", place.join(", "));
    if !command.is_empty() {
        text.push_str(&format!("  {}\n", cut(command)));
    }
    let log = step.map_or(&[][..], |step| &step.log);
    for line in &log[log.len().saturating_sub(OUTPUT)..] {
        // Each line begins with the seconds since the start of the step.
        let line = line.split_once(' ').map_or(line.as_str(), |(_, line)| line);
        text.push_str(&format!("  | {}\n", cut(line)));
    }
    text
}

/// Splits `[linux/amd64 build 2/5] RUN make` into the stage and the instruction.
fn parts(name: &str) -> (&str, &str) {
    let Some((prefix, command)) = name
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "))
    else {
        return ("", name);
    };
    // Platforms and counts contain a slash. With several targets the prefix begins with the target.
    let mut words = prefix.split_whitespace().rev();
    (
        words.find(|word| !word.contains('/')).unwrap_or_default(),
        command,
    )
}

fn cut(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(WIDTH - 5) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_s_name_has_its_stage_and_command() {
        let parts = |name| parts(name);
        assert_eq!(
            parts("[linux/amd64 build 2/5] RUN make"),
            ("build", "RUN make")
        );
        assert_eq!(
            parts("[web linux/amd64->arm64 build  2/15] RUN x"),
            ("build", "RUN x")
        );
        assert_eq!(parts("[2/5] RUN [ -f x ]"), ("", "RUN [ -f x ]"));
        assert_eq!(parts("RUN x"), ("", "RUN x"));
    }

    #[test]
    fn long_lines_are_cut() {
        assert_eq!(cut("a \t b"), "a b");
        let long = cut(&"ä".repeat(500));
        assert_eq!(long.chars().count(), WIDTH - 4);
        assert!(long.ends_with('…'));
    }
}
