//! The last lines on the terminal after a failed step: its place, its command, the end of its
//! output. A long instruction or log above them may have scrolled away.

use std::fmt;

use solvekit::client::SourceDetail;
use solvekit::frontend::SolveFailure;
use solvekit::oci::Platform;
use solvekit::progress::FailedStep;

/// The lines of output that are repeated for a single failed step, and for each of several.
const OUTPUT: usize = 3;
const OUTPUT_OF_SEVERAL: usize = 1;
/// The most steps that are shown in full: all must fit into the last ten lines.
const STEPS: usize = 2;
/// The most columns of a line.
const WIDTH: usize = 80;

/// A failed step, in a few lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastLines {
    target: Option<String>,
    stage: String,
    platform: Option<String>,
    place: Option<Place>,
    exit_code: Option<String>,
    command: String,
    /// The end of the output, for a single step and for each of several.
    output: [Vec<String>; 2],
}

/// A line of a file, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The last lines of a step; `None` if neither its place nor its exit code is known.
pub(crate) fn of_step(failure: &SolveFailure, step: Option<&FailedStep>) -> Option<LastLines> {
    let (stage, command) = step.map_or(("", ""), |step| parts(&step.name));
    let stage = failure
        .lines
        .as_ref()
        .and_then(named_stage)
        .unwrap_or_else(|| stage.to_owned());
    let first = failure.lines.as_ref().and_then(place);
    // Without a line it is not a step of a Dockerfile; then only a failed process is reported.
    if first.is_none() && failure.exit_code.is_none() {
        return None;
    }
    let output = |count| {
        let lines = step.map_or_else(Vec::new, |step| step.last_lines(count));
        lines.into_iter().map(cut).collect()
    };
    Some(LastLines {
        target: None,
        platform: failure.built_for.as_ref().map(ToString::to_string),
        stage,
        place: first,
        exit_code: failure.exit_code.map(|code| format!("exit code {code}")),
        command: cut(command),
        output: [OUTPUT, OUTPUT_OF_SEVERAL].map(output),
    })
}

/// The last lines of an instruction that was refused before it could run; `None` if its place is
/// unknown.
pub(crate) fn of_instruction(
    lines: &SourceDetail,
    platform: Option<&Platform>,
) -> Option<LastLines> {
    Some(LastLines {
        target: None,
        platform: platform.map(ToString::to_string),
        stage: stage(lines).unwrap_or_default(),
        place: Some(place(lines)?),
        exit_code: None,
        command: cut(&instruction(lines)),
        output: Default::default(),
    })
}

/// The first of the lines.
pub(crate) fn place(lines: &SourceDetail) -> Option<Place> {
    let first = u32::try_from(lines.ranges.first()?.start.line).ok()?;
    (first > 0).then(|| Place {
        file: lines.info.filename.to_string(),
        line: first,
    })
}

/// The text of the first lines that belong together, without the marks of continued lines.
fn instruction(lines: &SourceDetail) -> String {
    let number = |line: i32| usize::try_from(line).unwrap_or_default();
    let mut ranges = lines.ranges.iter();
    let Some(first) = ranges.next() else {
        return String::new();
    };
    let (begin, mut end) = (number(first.start.line), number(first.end.line));
    for range in ranges {
        if number(range.start.line) == end + 1 {
            end = number(range.end.line);
        }
    }
    let text = String::from_utf8_lossy(&lines.info.data);
    let own = text.lines().take(end).skip(begin.saturating_sub(1));
    let own = own.map(|line| line.trim_end().trim_end_matches('\\'));
    own.collect::<Vec<_>>().join(" ")
}

/// The text for all failed steps: the first in full, the others by their names.
pub(crate) fn render(steps: &[LastLines]) -> String {
    if let [only] = steps {
        let [output, _] = &only.output;
        return only.render(output);
    }
    let (shown, others) = steps.split_at(steps.len().min(STEPS));
    let mut text = String::new();
    for step in shown {
        let [_, output] = &step.output;
        text.push_str(&step.render(output));
    }
    if !others.is_empty() {
        let names: Vec<String> = others.iter().map(LastLines::name).collect();
        let line = format!("and {} more: {}", others.len(), names.join("; "));
        text.push_str(&format!("{}\n", cut(&line)));
    }
    text
}

impl LastLines {
    /// Adds the name of the target before its place.
    #[must_use]
    pub(crate) fn of_target(mut self, target: &str) -> Self {
        self.target = Some(target.to_owned());
        self
    }

    /// The line of the Dockerfile, if it is known.
    pub(crate) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// The step in one line, without its place.
    pub(crate) fn title(&self) -> String {
        let words = self.words();
        let title = [words.join(", "), self.command.clone()];
        let title: Vec<String> = title.into_iter().filter(|it| !it.is_empty()).collect();
        title.join(": ")
    }

    /// The target, the platform and the stage.
    fn words(&self) -> Vec<String> {
        let target = self.target.as_ref().map(|name| format!("target {name}"));
        // The only stage of a target has no name in its steps; the target's name is shown instead.
        let is_stage = !self.stage.is_empty() && self.target.as_ref() != Some(&self.stage);
        let stage = is_stage.then(|| format!("stage {}", self.stage));
        let words = [target, self.platform.clone(), stage];
        words.into_iter().flatten().collect()
    }

    /// The target and the platform, or else the place.
    fn name(&self) -> String {
        let words: Vec<&str> = self
            .target
            .iter()
            .chain(&self.platform)
            .map(|it| &**it)
            .collect();
        match (words.is_empty(), &self.place) {
            (true, Some(place)) => place.to_string(),
            _ => words.join(" "),
        }
    }

    fn render(&self, output: &[String]) -> String {
        let mut words = self.words();
        words.extend(self.place.as_ref().map(ToString::to_string));
        words.extend(self.exit_code.clone());
        let mut text = format!("{}\n", words.join(", "));
        if !self.command.is_empty() {
            text.push_str(&format!("  {}\n", self.command));
        }
        for line in output {
            text.push_str(&format!("  | {line}\n"));
        }
        text
    }
}

/// The name of the stage that contains lines of a Dockerfile. Steps of an only stage do not include
/// it.
fn named_stage(lines: &SourceDetail) -> Option<String> {
    let text = String::from_utf8_lossy(&lines.info.data);
    let froms = froms(&text).into_iter();
    let first = usize::try_from(lines.ranges.first()?.start.line).ok()?;
    let (_, words) = froms.take_while(|(line, _)| *line <= first).last()?;
    match words.as_slice() {
        [.., word, name] if word.eq_ignore_ascii_case("as") => Some((*name).to_owned()),
        _ => None,
    }
}

/// The stage of lines, as steps name it: a stage without a name has a number if it is not the only
/// one.
fn stage(lines: &SourceDetail) -> Option<String> {
    if let Some(name) = named_stage(lines) {
        return Some(name);
    }
    let text = String::from_utf8_lossy(&lines.info.data);
    let froms = froms(&text);
    let first = usize::try_from(lines.ranges.first()?.start.line).ok()?;
    let before = froms.iter().filter(|(line, _)| *line <= first).count();
    (froms.len() > 1).then(|| format!("stage-{}", before.saturating_sub(1)))
}

/// The lines that begin a stage: their numbers and words.
fn froms(text: &str) -> Vec<(usize, Vec<&str>)> {
    let lines = text.lines().enumerate().map(|(at, line)| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (at + 1, words)
    });
    let is_from = |words: &[&str]| {
        let keyword = words.first();
        keyword.is_some_and(|it| it.eq_ignore_ascii_case("from"))
    };
    lines.filter(|(_, words)| is_from(words)).collect()
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
    use solvekit::progress::SourceRange;

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
    fn the_stage_of_a_line_has_the_name_that_it_was_given() {
        let stage = |line| {
            let mut lines = SourceDetail::default();
            lines.info.data = "FROM a as one\nRUN x\nFROM --platform=b c\nRUN y\n".into();
            lines.ranges = vec![SourceRange::lines(line, line)];
            named_stage(&lines)
        };
        assert_eq!([2, 4].map(stage), [Some("one".to_owned()), None]);
    }

    #[test]
    fn an_instruction_that_did_not_run_has_its_place_too() {
        let mut lines = SourceDetail::default();
        lines.info.filename = "Dockerfile".into();
        lines.info.data = "FROM a AS one\nCOPY x \\\n  y /z\nRUN c\n".into();
        lines.ranges = vec![SourceRange::lines(2, 2), SourceRange::lines(3, 3)];
        let platform = Platform::parse("linux/arm64").unwrap();
        let last = of_instruction(&lines, Some(&platform)).unwrap();
        assert_eq!(
            render(&[last]),
            "linux/arm64, stage one, Dockerfile:2\n  COPY x y /z\n"
        );
        lines.ranges = vec![SourceRange::lines(4, 4)];
        let of_only_stage = of_instruction(&lines, None).unwrap();
        assert_eq!(
            render(&[of_only_stage]),
            "stage one, Dockerfile:4\n  RUN c\n"
        );
        lines.info.data = "FROM a\nRUN c\nFROM b\nRUN d\n".into();
        let of_last_stage = of_instruction(&lines, None).unwrap();
        assert_eq!(
            render(&[of_last_stage]),
            "stage stage-1, Dockerfile:4\n  RUN d\n"
        );
        lines.ranges.clear();
        assert!(of_instruction(&lines, None).is_none());
    }

    #[test]
    fn several_steps_have_less_output_each() {
        let step = LastLines {
            target: None,
            platform: Some("linux/amd64".into()),
            stage: "build".into(),
            place: Some(Place {
                file: "Dockerfile".into(),
                line: 3,
            }),
            exit_code: Some("exit code 1".into()),
            command: "RUN make".into(),
            output: [vec!["a".into(), "b".into()], vec!["b".into()]],
        };
        let one = render(std::slice::from_ref(&step));
        assert!(one.ends_with("  RUN make\n  | a\n  | b\n"), "{one}");
        let two = render(&[step.clone(), step.clone().of_target("web")]);
        assert_eq!(two.lines().count(), 6);
        assert!(
            two.contains("\ntarget web, linux/amd64, stage build, "),
            "{two}"
        );
    }

    #[test]
    fn more_than_two_steps_fit_into_ten_lines() {
        let step = |target: &str| {
            let step = LastLines {
                target: None,
                platform: Some("linux/arm64".into()),
                stage: String::new(),
                place: None,
                exit_code: Some("exit code 1".into()),
                command: "RUN make".into(),
                output: [vec!["a".into(), "b".into()], vec!["b".into()]],
            };
            step.of_target(target)
        };
        let steps = ["a", "b", "c", "d"].map(step);
        let text = render(&steps);
        assert_eq!(text.lines().count(), 7, "{text}");
        assert!(
            text.ends_with("\nand 2 more: c linux/arm64; d linux/arm64\n"),
            "{text}"
        );
        let many: Vec<LastLines> = (0..50).map(|at| step(&format!("target{at}"))).collect();
        assert_eq!(render(&many).lines().count(), 7);
    }

    #[test]
    fn long_lines_are_cut() {
        assert_eq!(cut("a \t b"), "a b");
        let long = cut(&"ä".repeat(500));
        assert_eq!(long.chars().count(), WIDTH - 4);
        assert!(long.ends_with('…'));
    }
}
