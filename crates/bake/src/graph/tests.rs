//! Tests of graphs.

use super::{Graph, graph};
use crate::plan::plan;
use crate::target::{Definition, Group, Target};
use crate::{Environment, Plan};

fn group(name: &str, targets: &[&str]) -> Group {
    Group {
        name: name.into(),
        targets: targets.iter().map(|name| (*name).to_owned()).collect(),
        ..Group::default()
    }
}

fn target(name: &str, context: &str) -> Target {
    Target {
        name: name.into(),
        context: Some(context.into()),
        ..Target::default()
    }
}

fn planned(definition: &Definition, names: &[&str]) -> Plan {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    plan(definition, &names, &[], &Environment::default()).unwrap()
}

fn example() -> Definition {
    let base = target("base", "base");
    let mut app = target("app", "svc");
    app.contexts.insert("os \"x\"".into(), "target:base".into());
    app.inherits = vec!["_common".into()];
    let mut test = target("test", "./svc/");
    test.target = Some("unit".into());
    Definition {
        groups: vec![
            group("default", &["all", "app"]),
            group("all", &["app", "test"]),
        ],
        targets: vec![base, app, test, target("_common", "x")],
    }
}

#[test]
fn mermaid_has_groups_links_bases_and_shared_dockerfiles() {
    let definition = example();
    let shown = graph(&definition, &planned(&definition, &["default"])).mermaid();
    let expected = "flowchart LR
    n0([\"all\"])
    n1([\"default\"])
    n2[\"app\"]
    n3[\"base\"]
    n4[\"test\"]
    n5[/\"_common\"/]
    n6[(\"svc/Dockerfile\")]
    n0 --> n2
    n0 --> n4
    n1 --> n0
    n1 --> n2
    n2 == \"os #34;x#34;\" ==> n3
    n2 -. inherits .-> n5
    n2 -.- n6
    n4 -. \"unit\" .- n6
";
    assert_eq!(shown, expected);
}

#[test]
fn dot_escapes_quotes() {
    let definition = example();
    let shown = graph(&definition, &planned(&definition, &["app"])).dot();
    let expected = r#"digraph bake {
    rankdir=LR;
    n0 [label="app", shape=box];
    n1 [label="base", shape=box];
    n2 [label="_common", shape=box, style=dashed];
    n0 -> n1 [label="os \"x\"", style=bold];
    n0 -> n2 [label="inherits", style=dashed, arrowhead=empty];
}
"#;
    assert_eq!(shown, expected);
}

#[test]
fn a_group_of_itself_and_circles_of_inheritance_end() {
    let mut a = target("a", "a");
    a.inherits = vec!["b".into()];
    let mut b = target("b", "b");
    b.inherits = vec!["a".into()];
    let definition = Definition {
        groups: vec![group("a", &["a"])],
        targets: vec![a, b],
    };
    let Graph { nodes, edges, .. } = graph(&definition, &planned(&definition, &["a"]));
    assert_eq!((nodes.len(), edges.len()), (3, 3));
}

#[test]
fn text_cannot_leave_its_quotes() {
    let mut evil = target("a", "a");
    evil.contexts
        .insert("x\"]\n; click <b>".into(), "target:b".into());
    let definition = Definition {
        groups: Vec::new(),
        targets: vec![evil, target("b", "b")],
    };
    let graph = graph(&definition, &planned(&definition, &["a"]));
    let mermaid = graph.mermaid();
    assert!(
        mermaid.contains("== \"x#34;#93; #59; click #60;b#62;\" ==> n1"),
        "{mermaid}"
    );
    assert!(
        graph
            .dot()
            .contains(r#"[label="x\"] ; click <b>", style=bold]"#)
    );
}
