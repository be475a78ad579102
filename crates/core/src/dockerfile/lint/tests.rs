//! The findings of the rules about the text, with their lines.

use super::super::parse::parse_and_lint;
use super::*;

fn lint(source: &str) -> Vec<(&'static str, u32)> {
    let mut linter = Linter::new(LintConfig::of_dockerfile(source.as_bytes()).unwrap());
    let _ = parse_and_lint(source.as_bytes(), &mut linter);
    linter
        .findings()
        .iter()
        .map(|finding| (finding.rule.name(), finding.span.first))
        .collect()
}

#[test]
fn stage_names_are_lower_case_unique_and_not_reserved() {
    assert_eq!(lint("FROM a AS Base"), [("StageNameCasing", 1)]);
    assert_eq!(
        lint("FROM a AS b\nFROM a AS b"),
        [("DuplicateStageName", 2)]
    );
    assert_eq!(lint("FROM a AS scratch"), [("ReservedStageName", 1)]);
}

#[test]
fn as_has_the_case_of_from() {
    assert_eq!(lint("FROM a as b"), [("FromAsCasing", 1)]);
    assert_eq!(lint("from a AS b"), [("FromAsCasing", 1)]);
    assert_eq!(
        lint("From a aS b\nRUN x"),
        [("ConsistentInstructionCasing", 1)]
    );
}

#[test]
fn keywords_have_the_case_of_the_majority() {
    assert_eq!(
        lint("FROM a\nrun b\nRun c\nRUN d"),
        [
            ("ConsistentInstructionCasing", 2),
            ("ConsistentInstructionCasing", 3)
        ]
    );
    assert_eq!(
        lint("from a\nRUN b\nrun c"),
        [("ConsistentInstructionCasing", 2)]
    );
    assert_eq!(lint("FROM a\nrun b"), [("ConsistentInstructionCasing", 2)]);
}

#[test]
fn blank_continuations_and_maintainers_are_found() {
    assert_eq!(
        lint("FROM a\nRUN b \\\n\n  c\nMAINTAINER d"),
        [("NoEmptyContinuation", 4), ("MaintainerDeprecated", 5)]
    );
}

#[test]
fn descriptions_begin_with_the_name_where_it_is_asked_for() {
    let text = "# check=experimental=all\n# about b\nFROM a AS b\n# x is\nARG x\n# y is\nARG x \
        y\n# no\nARG x y\n\n# base\nFROM a";
    assert_eq!(
        lint(text),
        [
            ("InvalidDefinitionDescription", 3),
            ("InvalidDefinitionDescription", 9)
        ]
    );
    assert!(lint(&text[25..]).is_empty());
}

#[test]
fn comments_switch_rules_off_for_their_instruction() {
    assert_eq!(
        lint("# check=skip=StageNameCasing\nFROM a AS B\nFROM a as c"),
        [("FromAsCasing", 3)]
    );
    assert_eq!(
        lint("FROM a AS B\n# check=skip=all\nFROM a as C"),
        [("StageNameCasing", 1)]
    );
}

#[test]
fn findings_up_to_an_error_remain_unless_the_text_cannot_be_read() {
    assert_eq!(
        lint("FROM a as b\nMAINTAINER c\nFOO\nMAINTAINER d"),
        [("FromAsCasing", 1), ("MaintainerDeprecated", 2)]
    );
    assert!(lint("FROM a as b\nRUN c \\\n\n d\nENV x").is_empty());
}

#[test]
fn findings_fail_the_build_if_asked_to() {
    let source = b"# check=error=true\nFROM a as B\nFROM a as C";
    let mut linter = Linter::new(LintConfig::of_dockerfile(source).unwrap());
    parse_and_lint(source, &mut linter).unwrap();
    assert_eq!(
        linter.violated().into_iter().collect::<Vec<_>>(),
        [Rule::StageNameCasing, Rule::FromAsCasing]
    );
}

#[test]
fn names_of_secrets_are_recognized_by_their_words() {
    let secret = [
        "TOKEN",
        "github_token",
        "API_Key",
        "AUTH_x",
        "my_password_1",
    ];
    let harmless = [
        "TOKENS",
        "keyring",
        "PUBLIC_KEY",
        "TOKEN_FILE",
        "auth-token",
        "monkey",
    ];
    assert!(secret.into_iter().all(stage::sounds_secret));
    assert!(!harmless.into_iter().any(stage::sounds_secret));
}

#[test]
fn the_reference_s_wording_is_word_for_word_and_has_only_its_rules() {
    let source = b"FROM alpine as Base\nmaintainer x\nRUN a \\\n\n b\n";
    let mut linter = Linter::default().in_words(Wording::BuildKit);
    parse_and_lint(source, &mut linter).unwrap();
    linter.undefined_variable(Place::lines(Span::line(9)), "PAHT", ["PATH"]);
    linter.undefined_argument_in_from(Place::lines(Span::line(9)), "X", []);
    linter.unexpanded_arg_name(Place::lines(Span::line(9)), "$A", '\\');
    let found: Vec<_> = linter
        .findings()
        .iter()
        .map(|finding| (finding.message.as_str(), finding.detail()))
        .collect();
    assert_eq!(
        found,
        [
            (
                "Stage name 'Base' should be lowercase",
                "Stage names should be lowercase"
            ),
            (
                "'as' and 'FROM' keywords' casing do not match",
                "The 'as' keyword should match the case of the 'from' keyword"
            ),
            (
                "Maintainer instruction is deprecated in favor of using label",
                "The MAINTAINER instruction is deprecated, use a label instead to define an image \
                 author"
            ),
            (
                "Empty continuation line",
                "Empty continuation lines will become errors in a future release"
            ),
            (
                "Command 'maintainer' should match the case of the command majority (uppercase)",
                "All commands within the Dockerfile should use the same casing (either upper or \
                 lower)"
            ),
            (
                "Usage of undefined variable '$PAHT' (did you mean $PATH?)",
                "Variables should be defined before their use"
            ),
            (
                "FROM argument 'X' is not declared",
                "FROM command must use declared ARGs"
            ),
        ]
    );
}
