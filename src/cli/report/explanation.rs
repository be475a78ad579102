//! The reasons why steps ran, as text.

use std::fmt::Display;

use solvekit::explain::{Explained, FileChange, How, Reason, Report, TargetReport};

/// The number of characters that are shown around a change.
const AROUND: usize = 12;
const MAX_SHOWN: usize = 36;
/// The longest name of a step that is shown.
const MAX_NAME: usize = 56;

/// The report as text: two lines for each step.
pub(crate) fn text(report: &Report) -> String {
    let several = report.targets.len() > 1;
    let targets = report
        .targets
        .iter()
        .map(|target| of_target(target, several));
    match report.targets.is_empty() {
        true => {
            "no steps are known of this build: another frontend made them, or it failed before \
                 its first step\n"
                .to_owned()
        }
        false => targets.collect(),
    }
}

fn of_target(target: &TargetReport, several: bool) -> String {
    let place = match several {
        true => format!("{}: ", target.target),
        false => String::new(),
    };
    let steps = counted(target.steps, "step", "steps");
    if !target.compared {
        return format!(
            "{place}there is no record of an earlier build to compare with; {} of {steps} ran\n",
            target.ran.len()
        );
    }
    if target.ran.is_empty() {
        return format!("{place}no step ran: the cache had all {steps}\n");
    }
    let mut text = format!("{place}{} of {steps} ran:\n", target.ran.len());
    for step in &target.ran {
        let at = match step.line {
            0 => String::new(),
            line => format!("{}:{line} ", step.file),
        };
        text.push_str(&format!(
            "  {at}{}\n    {}\n",
            name(&step.step),
            reason_of(step)
        ));
    }
    text
}

/// The first reason. The JSON has all of them.
fn reason_of(step: &Explained) -> String {
    step.reasons.first().map_or_else(String::new, in_words)
}

fn in_words(reason: &Reason) -> String {
    match reason {
        Reason::NoCache => "the cache was not to be used".to_owned(),
        Reason::New => "it was not in the last build".to_owned(),
        Reason::Text { old, new } => {
            let (old, new) = difference(old, new);
            format!("its text changed: {old} → {new}")
        }
        Reason::BaseImage { old, new } => base_image(old, new),
        Reason::Files { files, total, more } => {
            let named: Vec<String> = files.iter().map(file).collect();
            let rest = match (total.saturating_sub(files.len()), more) {
                (0, _) => String::new(),
                (rest, false) => format!(" and {rest} more"),
                (rest, true) => format!(" and more than {rest} others"),
            };
            format!("changed: {}{rest}", named.join(", "))
        }
        Reason::Variables { names } => match names.as_slice() {
            [name] => format!("the value of {name} changed"),
            names => format!("the values of {} changed", names.join(", ")),
        },
        Reason::Parts { names } => format!("it changed: {}", names.join(", ")),
        Reason::Parent { step } => format!("it uses the result of {}, which ran", name(step)),
        Reason::Source { source } => format!("{source} may have changed"),
        Reason::NotDone => "the last build did not finish it".to_owned(),
        Reason::Daemon { old, .. } => format!("the last build was on another daemon: {old}"),
        Reason::Pruned => "nothing changed: the daemon no longer has its result".to_owned(),
        _ => "the reason is unknown".to_owned(),
    }
}

fn file(file: &FileChange) -> String {
    let how = match file.how {
        How::Added => "added",
        How::Removed => "removed",
        How::Content => "content",
        How::Mode => "mode",
        How::Type => "type",
        How::Link => "link",
        How::Attributes => "attributes",
        How::Time => "time",
        _ => "changed",
    };
    format!("{} ({how})", one_line(&file.path))
}

/// Shows the name once for `a@sha256:1` and `a@sha256:2`.
fn base_image(old: &str, new: &str) -> String {
    match (old.split_once('@'), new.split_once('@')) {
        (Some((name, old)), Some((other, new))) if name == other => {
            let (old, new) = (short_digest(old), short_digest(new));
            format!("the base image {name} moved: {old} → {new}")
        }
        _ => format!("the base image changed: {old} → {new}"),
    }
}

fn short_digest(digest: &str) -> &str {
    digest.get(..19).unwrap_or(digest)
}

/// The differing parts of two texts, with a few characters around them.
fn difference(old: &str, new: &str) -> (String, String) {
    let (old, new) = (one_line(old), one_line(new));
    let (old, new): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
    let same = |(a, b): &(&char, &char)| a == b;
    let head = old.iter().zip(&new).take_while(same).count();
    let ends = old[head..].iter().rev().zip(new[head..].iter().rev());
    let tail = ends.take_while(same).count();
    let cut = |text: &[char]| {
        let from = head.saturating_sub(AROUND);
        let to = (text.len() - tail + AROUND).min(text.len());
        let to = to.min(from + MAX_SHOWN);
        let shown: String = text[from..to].iter().collect();
        let before = if from > 0 { "…" } else { "" };
        let after = if to < text.len() { "…" } else { "" };
        format!("{before}{}{after}", shown.trim())
    };
    (cut(&old), cut(&new))
}

fn name(step: &str) -> String {
    let step = one_line(step);
    match step.char_indices().nth(MAX_NAME) {
        None => step,
        Some((end, _)) => format!("{}…", step[..end].trim_end()),
    }
}

fn one_line(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| *word != "\\");
    words.collect::<Vec<_>>().join(" ")
}

/// `1 file`, `2 files`
pub(crate) fn counted<N: Display + From<u8> + PartialEq>(
    count: N,
    one: &str,
    several: &str,
) -> String {
    match count == N::from(1) {
        true => format!("1 {one}"),
        false => format!("{count} {several}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(reasons: Vec<Reason>) -> Report {
        let ran = reasons.into_iter().map(|reason| Explained {
            step: "[2/2] COPY src /".into(),
            file: "Dockerfile".into(),
            line: 3,
            reasons: vec![reason],
            ..Explained::default()
        });
        let target = TargetReport {
            compared: true,
            steps: 2,
            ran: ran.collect(),
            ..TargetReport::default()
        };
        Report {
            targets: vec![target],
            ..Report::default()
        }
    }

    #[test]
    fn a_step_and_its_reason_are_two_lines() {
        let files = vec![FileChange {
            path: "src/a".into(),
            how: How::Content,
        }];
        let files = Reason::Files {
            files,
            total: 3,
            more: false,
        };
        assert_eq!(
            text(&report(vec![files])),
            "1 of 2 steps ran:\n  Dockerfile:3 [2/2] COPY src /\n    \
             changed: src/a (content) and 2 more\n"
        );
        assert_eq!(
            text(&report(Vec::new())),
            "no step ran: the cache had all 2 steps\n"
        );
    }

    #[test]
    fn only_the_difference_of_a_long_text_is_shown() {
        let (old, new) = difference(
            "RUN apt-get update && \\\n  apt-get install -y curl wget && rm -rf /var/lib/apt/lists",
            "RUN apt-get update && \\\n  apt-get install -y git wget && rm -rf /var/lib/apt/lists",
        );
        assert_eq!(old, "…install -y curl wget && rm…");
        assert_eq!(new, "…install -y git wget && rm…");
        let short = ("RUN a".to_owned(), "RUN b".to_owned());
        assert_eq!(difference("RUN a", "RUN b"), short);
    }

    #[test]
    fn a_moved_image_has_both_digests() {
        let digest = |letter: &str| format!("sha256:{}", letter.repeat(64));
        let line = in_words(&Reason::BaseImage {
            old: format!("docker.io/library/alpine:3@{}", digest("a")),
            new: format!("docker.io/library/alpine:3@{}", digest("b")),
        });
        assert_eq!(
            line,
            "the base image docker.io/library/alpine:3 moved: sha256:aaaaaaaaaaaa → \
             sha256:bbbbbbbbbbbb"
        );
    }
}
