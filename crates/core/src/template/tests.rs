//! Templates as people write them.

use super::*;

fn image() -> Value {
    let entry = |digest: &str, os: &str| {
        Struct::new()
            .field("Digest", "digest", digest)
            .optional("Annotations", "annotations", Value::Null)
            .field("Platform", "platform", Struct::new().field("OS", "os", os))
    };
    Struct::new()
        .field("Name", "name", "r.example/a:1")
        .field(
            "Manifest",
            "manifest",
            Struct::new().field("Size", "size", 7).field(
                "Manifests",
                "manifests",
                vec![entry("sha256:1", "linux"), entry("sha256:2", "<os>")],
            ),
        )
        .hidden(
            "Provenance",
            Value::from(serde_json::json!({"SLSA": {"b": [1, 2.5], "a": "x"}})),
        )
        .into()
}

fn rendered(template: &str) -> String {
    let template = Template::parse(template).unwrap();
    template.render(&image(), Json::Compact).unwrap()
}

fn wrong(template: &str) -> String {
    let rendered = Template::parse(template).and_then(|it| it.render(&image(), Json::Compact));
    rendered.unwrap_err().to_string()
}

#[test]
fn fields_loops_and_conditions() {
    for (template, text) in [
        ("{{.Name}}", "r.example/a:1"),
        ("{{ .Manifest.Size }} bytes", "7 bytes"),
        (
            "{{range .Manifest.Manifests}}{{.Digest}} {{.Platform.OS}};{{end}}",
            "sha256:1 linux;sha256:2 <os>;",
        ),
        (
            "{{range $i, $m := .Manifest.Manifests}}{{$i}}={{$m.Digest}} of {{$.Name}} {{end}}",
            "0=sha256:1 of r.example/a:1 1=sha256:2 of r.example/a:1 ",
        ),
        (
            "{{range .Manifest.Manifests}}{{if eq .Platform.OS \
            \"linux\"}}{{continue}}{{end}}{{.Digest}}{{end}}",
            "sha256:2",
        ),
        (
            "{{range .Manifest.Manifests}}{{.Digest}}{{break}}{{end}}",
            "sha256:1",
        ),
        ("{{if .Missing}}{{else}}x{{end}}", ""),
        ("{{with .Manifest}}{{.Size}}{{end}}", "7"),
        ("{{with .Provenance.nothing}}a{{else}}b{{end}}", "b"),
        (
            "{{if and .Name (gt .Manifest.Size 5)}}a{{else if .Name}}b{{else}}c{{end}}",
            "a",
        ),
        ("{{$x := .Name}}{{$x = \"y\"}}{{$x}}", "y"),
        ("a {{- /* nothing */ -}} b", "ab"),
        ("a \n {{- .Manifest.Size -}} \n b", "a7b"),
        ("{{(index .Manifest.Manifests 1).Digest}}", "sha256:2"),
        ("{{len .Manifest.Manifests}}", "2"),
        (
            "{{.Provenance.SLSA.a}}{{.Provenance.SLSA.z}}",
            "x<no value>",
        ),
        ("{{\"a}}b\"}}", "a}}b"),
    ] {
        if template.contains("Missing") {
            assert!(wrong(template).contains(".Missing"));
        } else {
            assert_eq!(rendered(template), text, "{template}");
        }
    }
}

#[test]
fn functions_and_pipelines() {
    for (template, text) in [
        ("{{println .Name}}", "r.example/a:1\n"),
        ("{{.Name | upper | printf \"%s!\"}}", "R.EXAMPLE/A:1!"),
        (
            "{{printf \"%-4s|%4d|%q|%v\" \"ab\" .Manifest.Size \"c\" true}}",
            "ab  |   7|\"c\"|true",
        ),
        ("{{join (split \"a,b\" \",\") \"-\"}}", "a-b"),
        (
            "{{json .Manifest.Size}} {{title \"ab cd\"}} {{pad \"x\" 1 2}}|",
            "7 Ab Cd  x  |",
        ),
        ("{{json .Provenance}}", r#"{"SLSA":{"a":"x","b":[1,2.5]}}"#),
        ("{{index .Provenance \"SLSA\" \"b\" 1}}", "2.5"),
        ("{{slice .Name 0 2}}{{truncate .Name 3}}", "r.r.e"),
        (
            "{{not .Name}} {{or \"\" \"b\"}} {{ne 1 2}} {{le 1 2}}",
            "false b true true",
        ),
        (
            "{{.Provenance.SLSA.b}} {{.Provenance.SLSA}}",
            "[1 2.5] map[a:x b:[1 2.5]]",
        ),
    ] {
        assert_eq!(rendered(template), text, "{template}");
    }
}

#[test]
fn json_is_as_go_writes_it() {
    assert_eq!(
        rendered("{{json .}}"),
        r#"{"name":"r.example/a:1","manifest":{"size":7,"manifests":[{"digest":"sha256:1","platform":{"os":"linux"}},{"digest":"sha256:2","platform":{"os":"\u003cos\u003e"}}]}}"#
    );
    let value = Value::from(serde_json::json!({"b": [], "a": {}, "c": ["x"]}));
    assert_eq!(
        value.to_json(Json::Indented),
        "{\n  \"a\": {},\n  \"b\": [],\n  \"c\": [\n    \"x\"\n  ]\n}"
    );
}

#[test]
fn mistakes_say_what_there_is() {
    for (template, parts) in [
        (
            "{{.Nam}}",
            &[
                "the template uses .Nam",
                "did you mean Name?",
                "Name, Manifest, Provenance",
            ][..],
        ),
        (
            "{{.Manifest.Digests}}",
            &[".Manifest does not have", "Size, Manifests"],
        ),
        ("{{jsn .}}", &["jsn", "did you mean json?", "println"]),
        ("{{.Name", &["column 1", "has no }}"]),
        ("ab{{if .Name}}x", &["column 5", "no {{end}}"]),
        ("{{end}}", &["column 3", "nothing is open"]),
        ("{{}}", &["nothing in it"]),
        ("{{(.Name}}", &["parenthesis is not closed"]),
        ("{{.Name)}}", &["was not opened"]),
        ("{{\"a}}", &["has no }}"]),
        ("{{define \"x\"}}{{end}}", &["define is not supported"]),
        ("{{range .Name}}{{end}}", &["range", "text has no parts"]),
        ("{{.Name.Length}}", &[".Name is text"]),
        ("{{index .Manifest.Manifests 5}}", &["no place 5", "has 2"]),
        ("{{lower .Manifest}}", &["lower", "an object"]),
        ("{{$x}}", &["$x", "declared"]),
        ("{{break}}", &["outside of range"]),
        ("{{if .Name}}{{else}}{{else}}{{end}}", &["{{end}}"]),
    ] {
        let error = wrong(template);
        for part in parts {
            assert!(error.contains(part), "{template}: {error}");
        }
    }
}

#[test]
fn what_is_mentioned_is_known() {
    let template =
        Template::parse("{{with .Image}}{{json (index .Provenance \"x\").SLSA}}{{end}}").unwrap();
    assert!(template.mentions("Provenance"));
    assert!(template.mentions("Image"));
    assert!(!template.mentions("SBOM"));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[{}(.$|a-c \"`:=,)\\-/*0-9]{0,40}") {
        if let Ok(template) = Template::parse(&format!("{{{{{text}}}}}")) {
            let _ = template.render(&image(), Json::Compact);
        }
    }
}

#[test]
fn depth_and_size_are_bounded() {
    let render = |text: &str| Template::parse(text)?.render(&Value::Null, Json::Compact);
    let nested = |count: usize, open: &str, inner: &str, close: &str| {
        render(&format!(
            "{}{inner}{}",
            open.repeat(count),
            close.repeat(count)
        ))
    };
    assert_eq!(nested(100, "{{if true}}", "x", "{{end}}").unwrap(), "x");
    for count in [101, 200_000] {
        let deep = nested(count, "{{with 1}}", "x", "{{end}}");
        assert!(
            matches!(deep, Err(Error::TooDeep { most: 100, .. })),
            "{deep:?}"
        );
    }
    let parentheses = |count: usize| {
        render(&format!(
            "{{{{{}1{}}}}}",
            "(".repeat(count),
            ")".repeat(count)
        ))
    };
    assert_eq!(parentheses(100).unwrap(), "1");
    assert!(matches!(parentheses(200_000), Err(Error::TooDeep { .. })));
    let loops = "{{range 65536}}".repeat(3) + &"{{end}}".repeat(3);
    assert!(matches!(
        render(&loops),
        Err(Error::TooMuch {
            what: "actions",
            ..
        })
    ));
    let doubled = format!(
        "{{{{$x := \"0123456789abcdef\"}}}}{}",
        "{{$x = print $x $x}}".repeat(60)
    );
    assert!(matches!(
        render(&doubled),
        Err(Error::TooMuch { what: "bytes", .. })
    ));
}

#[test]
fn json_of_templates_escapes_what_terminals_act_on() {
    let value = Value::from("\u{9b}2J\u{202e}\x7f");
    assert_eq!(value.to_json(Json::Compact), r#""\u009b2J\u202e\u007f""#);
}

#[test]
fn nothing_within_a_value_is_printed_as_go_prints_it() {
    let platforms = Struct::new()
        .field("linux/amd64", "linux/amd64", Value::Null)
        .as_map();
    let fields = Struct::new()
        .field("A", "a", Value::Null)
        .field("B", "b", vec![Value::Null, Value::from("x")])
        .field("C", "c", platforms);
    let shown = Value::from(fields).to_string();
    assert_eq!(shown, "{<nil> [<nil> x] map[linux/amd64:<nil>]}");
}

#[test]
fn names_that_templates_cannot_write_are_not_suggested() {
    let value = Struct::new()
        .field("Name", "Name", "a")
        .field(".created_at", "created_at", "b");
    let error = Template::parse("{{.Nope}}").unwrap();
    let error = error.render(&value.into(), Json::Compact).unwrap_err();
    assert!(error.to_string().ends_with("it has Name"), "{error}");
}
