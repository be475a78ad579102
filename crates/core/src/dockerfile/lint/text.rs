//! The rules that need only the text.

use std::collections::BTreeSet;

use super::super::ast::Stage;
use super::super::keyword::Keyword;
use super::super::parse::{Parts, split_blanks};
use super::super::span::Span;
use super::{Linter, Place, Rule, Wording};

impl Linter {
    /// Reports blank lines inside a continued instruction; `line` is its last one.
    pub(in crate::dockerfile) fn blank_continuation(&mut self, line: u32) {
        self.report(
            Rule::NoEmptyContinuation,
            Place::lines(Span::line(line)),
            |words| {
                words.choose(
                    || "blank line in a continued instruction".to_owned(),
                    || "Empty continuation line".to_owned(),
                )
            },
        );
    }

    /// Checks the rules about one statement before it is parsed.
    pub(in crate::dockerfile) fn check_statement(&mut self, parts: &Parts<'_>) {
        match parts.keyword {
            Keyword::Maintainer => {
                self.report(Rule::MaintainerDeprecated, place(parts), |words| {
                    words.choose(
                        || "use LABEL instead of MAINTAINER".to_owned(),
                        || {
                            "Maintainer instruction is deprecated in favor of using label"
                                .to_owned()
                        },
                    )
                });
            }
            Keyword::From => self.check_from(parts),
            _ => {}
        }
    }

    fn check_from(&mut self, parts: &Parts<'_>) {
        let arguments: Vec<_> = split_blanks(parts.args).collect();
        let [_, keyword, name, more @ ..] = arguments.as_slice() else {
            return;
        };
        if more.is_empty() && *name != name.to_lowercase() {
            self.report(Rule::StageNameCasing, place(parts), |words| {
                words.choose(
                    || format!("the stage name {name:?} is not in lower case"),
                    || format!("Stage name '{name}' should be lowercase"),
                )
            });
        }
        if !same_case(parts.word, keyword) {
            let (from, place) = (parts.word, place(parts));
            self.report(Rule::FromAsCasing, place, |words| {
                words.choose(
                    || format!("{keyword:?} has another case than {from:?}"),
                    || format!("'{keyword}' and '{from}' keywords' casing do not match"),
                )
            });
        }
    }

    /// Checks that the comment above ARG or FROM begins with a name defined there.
    pub(in crate::dockerfile) fn check_description<'n>(
        &mut self,
        parts: &Parts<'_>,
        names: impl IntoIterator<Item = &'n str>,
    ) {
        let Some(comment) = parts.comments.last() else {
            return;
        };
        let first = comment.split(' ').next().unwrap_or_default();
        let names: Vec<_> = names.into_iter().collect();
        if names.is_empty() || names.contains(&first) {
            return;
        }
        let keyword = parts.keyword.as_str();
        self.report(
            Rule::InvalidDefinitionDescription,
            place(parts),
            |words| match (words, &names[..]) {
                (Wording::Own, names) => {
                    let name = if let [name] = names { name } else { "<name>" };
                    format!(
                        "the comment above {keyword} should read \"# {name} <description>\", or \
                         be set off by an empty line or comment"
                    )
                }
                (Wording::BuildKit, names) => {
                    let name = if let [name] = names {
                        name
                    } else {
                        "<arg_key>"
                    };
                    format!(
                        "Comment for {keyword} should follow the format: `# {name} <description>`"
                    )
                }
            },
        );
    }

    /// Checks the rules about all stages together.
    pub(in crate::dockerfile) fn check_stages(&mut self, stages: &[Stage]) {
        self.check_stage_names(stages);
        self.check_keyword_casing(stages);
    }

    fn check_stage_names(&mut self, stages: &[Stage]) {
        let mut names = BTreeSet::new();
        for stage in stages {
            let Some(name) = &stage.name else { continue };
            if matches!(name.as_str(), "context" | "scratch") {
                self.report(Rule::ReservedStageName, Place::lines(stage.span), |words| {
                    words.choose(
                        || format!("{name:?} has a meaning of its own"),
                        || {
                            format!(
                                "Stage name should not use the same name as reserved stage \
                                 {name:?}"
                            )
                        },
                    )
                });
            }
            if !names.insert(name) {
                self.report(
                    Rule::DuplicateStageName,
                    Place::lines(stage.span),
                    |words| {
                        words.choose(
                            || format!("another stage is called {name:?} too"),
                            || {
                                format!(
                                    "Duplicate stage name {name:?}, stage names should be unique"
                                )
                            },
                        )
                    },
                );
            }
        }
    }

    /// Checks that keywords have the case of the majority: upper case, unless more than half of
    /// those with a uniform case are in lower case.
    fn check_keyword_casing(&mut self, stages: &[Stage]) {
        let keywords = || {
            stages.iter().flat_map(|stage| {
                let instructions = stage
                    .instructions
                    .iter()
                    .map(|instruction| (instruction.keyword(), instruction.span));
                std::iter::once((stage.keyword(), stage.span)).chain(instructions)
            })
        };
        let lower = keywords().filter(|(keyword, _)| is_lower(keyword)).count();
        let upper = keywords().filter(|(keyword, _)| is_upper(keyword)).count();
        let (wanted, fits): (_, fn(&str) -> bool) = if lower > upper {
            ("lower", is_lower)
        } else {
            ("upper", is_upper)
        };
        for (keyword, span) in keywords().filter(|(keyword, _)| !fits(keyword)) {
            self.report(
                Rule::ConsistentInstructionCasing,
                Place::lines(span),
                |words| {
                    words.choose(
                        || {
                            format!(
                                "{keyword:?} should be in {wanted} case like most instructions \
                                 here"
                            )
                        },
                        || {
                            format!(
                                "Command '{keyword}' should match the case of the command \
                                 majority ({wanted}case)"
                            )
                        },
                    )
                },
            );
        }
    }
}

fn place<'s>(parts: &Parts<'s>) -> Place<'s> {
    Place {
        span: parts.span,
        comments: parts.comments,
    }
}

/// True if AS has the case of FROM. If FROM has mixed case, another rule reports it.
fn same_case(from: &str, keyword: &str) -> bool {
    if is_lower(from) {
        keyword == keyword.to_lowercase()
    } else {
        !is_upper(from) || keyword == keyword.to_uppercase()
    }
}

fn is_lower(word: &str) -> bool {
    !word.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_upper(word: &str) -> bool {
    !word.bytes().any(|byte| byte.is_ascii_lowercase())
}
