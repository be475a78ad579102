//! Compares conversions to go-cty's; tests sizes, equality, unification, JSON.

use std::collections::BTreeMap;

use super::*;

/// The JSON of a type, the JSON of a value, and go-cty's result: the JSON of its type and of the
/// value, or `!` for an error.
const CONVERSIONS: &str = include_str!("tests/convert.tsv");

fn decoded(text: &str) -> Value {
    json::decode(text).expect("JSON")
}

fn type_from(text: &str) -> Type {
    let null = format!(r#"{{"type":{text},"value":null}}"#);
    Type::of(&json::decode_as(&null, &Type::Any).expect("a type"))
}

/// Returns the JSON of the type, then of the value.
fn shown(value: &Value) -> String {
    let mut text = String::new();
    Type::of(value).write_json(&mut text);
    text + &json::encode(value).expect("has JSON")
}

#[test]
fn values_convert_as_in_go_cty() {
    let mut wrong = Vec::new();
    for line in CONVERSIONS.lines() {
        let [ty, given, want] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("a line has three fields: {line}");
        };
        let answer = match convert(&decoded(given), &type_from(ty)) {
            Ok(value) => shown(&value),
            Err(_) => "!".to_owned(),
        };
        if answer != want {
            wrong.push(format!("{given} as {ty}: {answer}, want {want}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn conversion_errors_name_the_part_and_the_type() {
    let refused = |given: &str, ty: &str| {
        let error = convert(&decoded(given), &type_from(ty)).expect_err("refused");
        error.to_string()
    };
    assert_eq!(
        refused(r#"["1", "x"]"#, r#"["list","number"]"#),
        "element 1: a number is required, found \"x\""
    );
    assert_eq!(
        refused(r#"["1", []]"#, r#"["list","number"]"#),
        "element 1: number is required, found tuple"
    );
    assert_eq!(
        refused(r#"{"b": 1}"#, r#"["object",{"a":"number"}]"#),
        "attribute \"a\" is missing"
    );
    assert_eq!(
        refused("[]", r#""string""#),
        "string is required, found tuple"
    );
    assert_eq!(
        refused(r#""True""#, r#""bool""#),
        "a bool is required: \"true\" or \"false\" in lowercase, found \"True\""
    );
}

#[test]
fn equality_needs_one_type() {
    let equal = |a: &str, b: &str| decoded(a).equals(&decoded(b));
    assert!(equal("1", "1.0"));
    assert!(!equal("1", r#""1""#));
    assert!(equal("null", "null"));
    assert!(!equal("[1]", r#"["1"]"#));
    assert!(equal(r#"{"a": [1, null]}"#, r#"{"a": [1, null]}"#));
    assert!(!equal("[null]", "[1]"));
    assert!(Value::string("e\u{301}").equals(&Value::string("\u{e9}")));
    let list = Value::list(Type::Number, vec![Value::int(1)]);
    assert!(!list.equals(&Value::tuple(vec![Value::int(1)])));
}

#[test]
fn types_unify_to_the_most_general() {
    let unified = |types: &[&str]| {
        let types: Vec<Type> = types.iter().map(|text| type_from(text)).collect();
        unify(&types).map(|ty| ty.friendly())
    };
    let (text, number) = (r#""string""#, r#""number""#);
    assert_eq!(unified(&[number, text]).as_deref(), Some("string"));
    assert_eq!(unified(&[number, r#""bool""#]), None);
    assert_eq!(unified(&[]), None);
    assert_eq!(
        unified(&[r#""dynamic""#, number]).as_deref(),
        Some("number")
    );
    let tuples = [
        r#"["tuple",["string"]]"#,
        r#"["tuple",["number","string"]]"#,
    ];
    assert_eq!(unified(&tuples).as_deref(), Some("list of string"));
    let objects = [
        r#"["object",{"a":"string"}]"#,
        r#"["object",{"b":"number"}]"#,
    ];
    assert_eq!(unified(&objects).as_deref(), Some("map of string"));
    assert_eq!(unified(&[tuples[0], objects[0]]), None);
}

#[test]
fn sets_are_sorted_and_have_no_duplicates() {
    let set = |element: Type, items: Vec<Value>| {
        json::encode(&Value::set(element, items)).expect("has JSON")
    };
    let texts = ["b", "a", "B", "a"].map(Value::string).to_vec();
    assert_eq!(set(Type::String, texts), r#"["B","a","b"]"#);
    let numbers = [10, 9, 100, 9].map(Value::int).to_vec();
    assert_eq!(set(Type::Number, numbers), "[9,10,100]");
    let with_null = vec![Value::null(), Value::string("z"), Value::null()];
    assert_eq!(set(Type::String, with_null), r#"["z",null]"#);
}

#[test]
fn shared_parts_count_each_time_and_cost_nothing() {
    let mut value = Value::string("x".repeat(1000));
    for _ in 0..60 {
        value = Value::tuple(vec![value.clone(), value]);
    }
    assert_eq!(value.check_size(), Err(SizeError::TooLarge));
    let mut deep = Value::int(1);
    for _ in 0..=MAX_DEPTH {
        deep = Value::tuple(vec![deep]);
    }
    assert_eq!(deep.check_size(), Err(SizeError::TooDeep));
}

#[test]
fn json_for_a_constraint_describes_what_is_any() {
    let value = decoded(r#"[1, "a"]"#);
    let text = json::encode_as(&value, &Type::Any).expect("has JSON");
    assert_eq!(
        text,
        r#"{"value":[1,"a"],"type":["tuple",["number","string"]]}"#
    );
    assert!(
        json::decode_as(&text, &Type::Any)
            .expect("reads back")
            .equals(&value)
    );
    let map = Value::map(
        Type::Number,
        BTreeMap::from([("a".to_owned(), Value::int(1))]),
    );
    let constraint = Type::map(Type::Any);
    let text = json::encode_as(&map, &constraint).expect("has JSON");
    assert_eq!(text, r#"{"a":{"value":1,"type":"number"}}"#);
}

#[test]
fn typed_json_takes_text_for_numbers_and_refuses_other_shapes() {
    let read = |text: &str, ty: Type| json::decode_as(text, &ty);
    let number = read(r#""1e3""#, Type::Number).expect("a number");
    assert!(number.equals(&Value::int(1000)));
    assert_eq!(
        read("12.50", Type::String).expect("text").as_str(),
        Some("12.50")
    );
    let mismatch = json::JsonError::Mismatch { want: Type::Bool };
    assert_eq!(read("1", Type::Bool).err(), Some(mismatch));
    let object = Type::object([("a".to_owned(), Type::String)]);
    let absent = read("{}", object.clone()).expect("an object");
    assert_eq!(json::encode(&absent).expect("has JSON"), r#"{"a":null}"#);
    let name = "b".to_owned();
    assert_eq!(
        read(r#"{"b": 1}"#, object).err(),
        Some(json::JsonError::UnknownAttribute { name })
    );
    let pair = Type::tuple(vec![Type::Number, Type::Number]);
    let length = json::JsonError::TupleLength { want: 2, found: 1 };
    assert_eq!(read("[1]", pair).err(), Some(length));
}

#[test]
fn broken_json_is_refused_at_its_place() {
    for (text, offset) in [
        ("", 0),
        ("[1 2]", 3),
        ("[1,]", 3),
        ("{\"a\" 1}", 5),
        ("01", 1),
        ("\"a", 2),
        ("nul", 0),
        ("1 2", 2),
        ("-", 1),
        ("\"\\x\"", 2),
    ] {
        match json::decode(text) {
            Err(json::JsonError::Syntax { offset: at, .. }) => assert_eq!(at, offset, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    let deep = "[".repeat(100_000);
    assert!(matches!(
        json::decode(&deep),
        Err(json::JsonError::Syntax {
            problem: json::SyntaxProblem::Depth,
            ..
        })
    ));
}
