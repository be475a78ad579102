//! Of several errors in one expression, the same one is reported as in the reference: an operand of
//! the wrong type comes first, even if another operand, or the operand itself, fails.

#![allow(clippy::unwrap_used, reason = "a test")]

use solvekit_bake::{Environment, InputFile, Isolated, Options, evaluate};

/// Returns the columns of the error of an expression.
fn columns(expression: &str) -> Option<(u32, u32)> {
    let file = InputFile {
        name: "docker-bake.hcl".into(),
        bytes: format!("v = {expression}\n").into_bytes(),
    };
    let environment = Environment::default();
    let options = Options::default();
    let result = evaluate(&[file], &environment, &Isolated, &Isolated, options);
    let span = result.err()?.span.clone().unwrap();
    Some((span.start.column, span.end.column))
}

#[test]
fn an_operand_of_the_wrong_type_comes_before_one_that_fails() {
    for (expression, wanted) in [
        ("(x && y) && (1 + z)", (17, 24)),
        ("true || ({} / 1)", (13, 21)),
        ("[x] < [1]", (5, 8)),
        ("x < [1]", (9, 12)),
        ("(x || y) + 1", (5, 13)),
        ("\"${x}\" + 1", (8, 9)),
    ] {
        let found = columns(expression).unwrap();
        assert_eq!(found, wanted, "{expression}");
    }
}

#[test]
fn sides_of_different_kinds_come_before_what_fails_in_them() {
    for (expression, wanted) in [
        ("x ? [y, null] : \"a\"", (9, 24)),
        ("x ? { a = y } : (1 < z)", (9, 28)),
        ("x ? [y] : { a = z }", (9, 24)),
        ("x ? [y] : [1, 2]", (5, 6)),
        ("x ? { (y) = 1 } : \"a\"", (5, 6)),
    ] {
        let found = columns(expression).unwrap();
        assert_eq!(found, wanted, "{expression}");
    }
}
