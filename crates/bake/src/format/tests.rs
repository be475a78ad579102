//! Tests of formatting.

use super::format;

fn formatted(text: &str) -> String {
    let once = format(text.as_bytes(), "docker-bake.hcl").unwrap();
    assert_eq!(format(once.as_bytes(), "docker-bake.hcl").unwrap(), once);
    once
}

#[test]
fn indentation_spaces_and_alignment() {
    let text = "group   \"default\"{\ntargets=[\"app\"]   # all\n}\ntarget \"app\" {\n      \
                context=\".\"\n  tags = [ \"a:${ VERSION }\",\"b\" ] // two\n  args = {\n  A=1\n\
                LONGER = -1\n}\n\n    platforms =[for p in [ \"x\" ]:p if p!=\"y\"]\n  dockerfile \
                = \"D\"\n}\n";
    assert_eq!(
        formatted(text),
        r#"group "default" {
  targets = ["app"] # all
}
target "app" {
  context = "."
  tags    = ["a:${VERSION}", "b"] // two
  args = {
    A      = 1
    LONGER = -1
  }

  platforms  = [for p in ["x"] : p if p != "y"]
  dockerfile = "D"
}
"#
    );
}

#[test]
fn comments_heredocs_and_blank_lines_stay() {
    let text = "/* a\n   b */\n\n\n# c\ntarget \"t\" {\n    # d\n \
                dockerfile-inline=<<-EOT\n   FROM  a\n    \
                RUN ${ x }\n  EOT\n  pull=true # e\n  no-cache = false // f\n}";
    assert_eq!(
        formatted(text),
        "/* a\n   b */\n\n\n# c\ntarget \"t\" {\n  # d\n  dockerfile-inline = \
         <<-EOT\n   FROM  a\n    \
         RUN ${ x }\n  EOT\n  pull              = true  # e\n  no-cache          = false // f\n}"
    );
}

#[test]
fn operators_calls_and_indices() {
    let text = "a=f( x ,y... )[ 0 ].b . c\nb = !c&&d==-1?a -1:- 2\nc = {}\nd = { a=1 , b : 2 }\n\
                e = \"%{ if a }x%{endif}\"\nf = x[ * ].y\n";
    assert_eq!(
        formatted(text),
        "a = f(x, y...)[0].b.c\nb = !c && d == -1 ? a - 1 : -2\nc = {}\nd = { a = 1, b : 2 }\n\
         e = \"%{if a}x%{endif}\"\nf = x[*].y\n"
    );
}

#[test]
fn windows_newlines_and_marks_stay() {
    assert_eq!(
        formatted("\u{feff}a=1\r\nbb=2\r\n"),
        "\u{feff}a  = 1\r\nbb = 2\r\n"
    );
    assert_eq!(formatted(""), "");
    assert_eq!(formatted("a = 1"), "a = 1");
}

#[test]
fn what_is_not_hcl_is_refused_with_its_place() {
    let error = format(b"a = [\n", "x.hcl").unwrap_err();
    assert!(error.span.is_some(), "{error}");
}
