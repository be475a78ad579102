//! Compares the functions to the reference's answers, and calls them with arbitrary arguments.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{CallError, CallReason, Function};
use crate::files::Host;
use crate::value::{Number, SizeError, Type, Value, json};

/// Calls as `name`, the arguments in JSON, and the answer of the reference's Go code: the result in
/// JSON, or `!` for an error.
const REFERENCE: &str = include_str!("tests/reference.tsv");

struct FixedHost;

impl Host for FixedHost {
    fn now(&self) -> (i64, u32) {
        (1_700_000_000, 5)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(0xab);
    }

    fn home_directory(&self) -> Option<String> {
        Some("/home/baker".to_owned())
    }
}

/// The reason a call in a test failed.
#[derive(Debug)]
enum Refusal {
    Arity,
    Call(CallError),
}

fn call(name: &str, values: Vec<Value>) -> Result<Value, Refusal> {
    let function = Function::find(name).expect("the function exists");
    let (least, most) = function.arity();
    if values.len() < least || most.is_some_and(|most| values.len() > most) {
        return Err(Refusal::Arity);
    }
    let values = values.into_iter().enumerate();
    let converted = values.map(|(index, value)| function.convert_argument(index, value));
    let converted: Vec<Value> = converted.collect::<Result<_, _>>().map_err(Refusal::Call)?;
    function.call(&converted, &FixedHost).map_err(Refusal::Call)
}

fn arguments(text: &str) -> Vec<Value> {
    let decoded = json::decode(text).expect("arguments are JSON");
    decoded.items().expect("arguments are an array").to_vec()
}

/// Returns the JSON of a call's result.
fn result(name: &str, text: &str) -> String {
    let value = call(name, arguments(text)).expect("the call succeeds");
    json::encode(&value).expect("the result has JSON")
}

/// Returns the message of a failed call.
fn refusal(name: &str, text: &str) -> String {
    match call(name, arguments(text)) {
        Err(Refusal::Call(error)) => error.to_string(),
        other => panic!("{name}{text}: {other:?}"),
    }
}

#[test]
fn calls_answer_as_the_reference_does() {
    let mut wrong = Vec::new();
    for line in REFERENCE.lines() {
        let [name, given, want] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("a line has three fields: {line}");
        };
        let answer = match call(name, arguments(given)) {
            Ok(value) => json::encode(&value).unwrap_or_else(|_| "!".to_owned()),
            Err(_) => "!".to_owned(),
        };
        if answer != want {
            wrong.push(format!("{name}{given}: {answer}, want {want}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_function_is_found_by_its_name() {
    let names: Vec<&str> = Function::names().collect();
    assert_eq!(names.len(), 103);
    assert!(names.is_sorted());
    for name in names {
        assert_eq!(Function::find(name).expect("found").name(), name);
    }
}

#[test]
fn results_of_the_host_have_their_form() {
    assert_eq!(result("timestamp", "[]"), r#""2023-11-14T22:13:20Z""#);
    assert_eq!(result("homedir", "[]"), r#""/home/baker""#);
    assert_eq!(
        result("uuidv4", "[]"),
        r#""abababab-abab-4bab-abab-abababababab""#
    );
    let hash = result("bcrypt", r#"["pw", 4]"#);
    assert!(hash.starts_with("\"$2a$04$"), "{hash}");
    assert_eq!(hash.len(), 62);
}

#[test]
fn refusals_name_function_and_parameter() {
    assert_eq!(
        refusal("upper", "[null]"),
        "upper(): argument 1 (str): null is not allowed here"
    );
    assert_eq!(
        refusal("substr", r#"["a", "x", 1]"#),
        "substr(): argument 2 (offset): a number is required, found \"x\""
    );
    assert_eq!(
        refusal("range", "[0, 5000]"),
        "range(): more than 1024 numbers would be generated; use a larger step or a nearer end"
    );
    assert_eq!(
        refusal("format", r#"["%d", "x"]"#),
        "format(): the format is wrong at offset 0: a number is required, found \"x\""
    );
    assert_eq!(
        refusal("element", "[[], 0]"),
        "element(): the list is empty"
    );
}

#[test]
fn large_results_are_refused_before_they_are_made() {
    let long = Value::string("x".repeat(1 << 20));
    let refused = |name: &str, values: Vec<Value>| match call(name, values) {
        Err(Refusal::Call(error)) => assert_eq!(
            error.reason,
            CallReason::Size(SizeError::TooLarge),
            "{name}"
        ),
        other => panic!("{name}: {other:?}"),
    };
    refused(
        "replace",
        vec![long.clone(), Value::string(""), long.clone()],
    );
    let searched = Value::string("x".repeat(1000));
    refused(
        "regex_replace",
        vec![searched, Value::string("x"), long.clone()],
    );
    let many = Value::tuple(vec![Value::string(""); 1000]);
    refused("join", vec![long.clone(), many.clone()]);
    refused("format", vec![Value::string("%999999s".repeat(50)); 51]);
    refused(
        "formatlist",
        vec![Value::string("%s%s"), many.clone(), long],
    );
    refused("setproduct", vec![many.clone(), many.clone(), many]);
    let spaces = Value::int(i64::MAX);
    refused("indent", vec![spaces, Value::string("a\nb")]);
}

#[test]
fn patterns_read_as_in_re2() {
    for (pattern, text, want) in [
        (r"\d+", "٣3", "3"),
        (r"[\d]+", "٣3", "3"),
        (r"\w+", "éab", "ab"),
        (r"\bb\b", "éb b", "b"),
        (r"[a&&b]+", "a&b", "a&b"),
        (r"[[a]+", "x[a", "[a"),
        (r"[+--]+", "x,-", ",-"),
        (r"a{,2}", "a{,2}", "a{,2}"),
        (r"\Qa.b*\E+", "a.b**", "a.b**"),
        (r"\x41\x{42}\103", "ABC", "ABC"),
        (r"\<\/\_", "</_", "</_"),
        (r"[^\W\d]+", "1a_b", "a_b"),
        (r"\pL+", "1éa", "éa"),
        (r"(?i)É", "é", "é"),
        (r"[[:alpha:]]+", "1aé", "a"),
        (r"a.{2}?", "abcd", "abc"),
    ] {
        let args = vec![Value::string(pattern), Value::string(text)];
        let found = call("regex", args).expect(pattern);
        assert_eq!(found.as_str(), Some(want), "{pattern}");
    }
    for pattern in [
        "a**",
        "(?x)a",
        "a{1001}",
        r"\1",
        r"\Z",
        "[b-a]",
        "(?=a)",
        "(",
        "[a",
        "\\",
        r"\p{Nope}",
        "*",
    ] {
        let args = vec![Value::string(pattern), Value::string("a")];
        assert!(
            matches!(call("regex", args), Err(Refusal::Call(_))),
            "{pattern}"
        );
    }
}

#[test]
fn costly_calls_say_so_and_long_searches_are_refused() {
    let work = |name: &str, values: &[Value]| Function::find(name).expect("found").work(values);
    let cost = |cost: i64| [Value::string("x"), Value::int(cost)];
    assert_eq!(work("bcrypt", &cost(12)), 4 * work("bcrypt", &cost(10)));
    assert_eq!(
        work("bcrypt", &[Value::string("x")]),
        work("bcrypt", &cost(10))
    );
    assert_eq!(work("upper", &[Value::string("x")]), 0);
    let long = Value::string("a".repeat(300 << 10));
    match call("regex", vec![Value::string("a"), long]) {
        Err(Refusal::Call(error)) => {
            assert_eq!(error.reason, CallReason::TextTooLong { most: 256 << 10 });
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn letters_map_one_to_one() {
    assert_eq!(result("upper", r#"["ßŉ ᾳἱ"]"#), r#""ßŉ ᾼἹ""#);
    assert_eq!(result("lower", r#"["İΣΑΣ"]"#), r#""iσασ""#);
    assert_eq!(result("title", r#"["ǆa ა x"]"#), r#""ǅa ა X""#);
}

#[test]
fn rsa_decrypts_a_pkcs1_message() {
    let key = include_str!("tests/rsa.pem");
    let encrypted = include_str!("tests/rsa.base64");
    let decrypted = call(
        "rsadecrypt",
        vec![Value::string(encrypted), Value::string(key)],
    );
    assert_eq!(decrypted.expect("decrypts").as_str(), Some("hello bake"));
    let wrong = Value::string(encrypted.replacen(&encrypted[..1], "B", 1));
    let refused = call("rsadecrypt", vec![wrong, Value::string(key)]);
    assert!(matches!(refused, Err(Refusal::Call(_))));
}

/// Any value that an expression can have.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::null()),
        any::<bool>().prop_map(Value::Bool),
        (-5i64..70).prop_map(Value::int),
        any::<f64>().prop_filter_map("NaN", |f| Number::from_f64(f).map(Value::Number)),
        "[-a-z0-9.:/%$\\[\\](){}*+?^,'\" ~TZ\n\\\\]{0,12}".prop_map(Value::string),
        "\\PC{0,4}".prop_map(Value::string),
        Just(Value::string("10.0.0.0/8")),
        Just(Value::string("2024-03-09T05:06:07Z")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let entries = proptest::collection::btree_map("[a-c]", inner.clone(), 0..3);
        let strings = proptest::collection::vec("[a-c]{0,2}", 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::tuple),
            entries.prop_map(Value::object),
            strings.clone().prop_map(Value::strings),
            strings.prop_map(|texts| {
                Value::set(Type::String, texts.into_iter().map(Value::string).collect())
            }),
            Just(Value::map(
                Type::Number,
                BTreeMap::from([("a".to_owned(), Value::int(1))])
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_call_panics(values in proptest::collection::vec(value(), 0..5)) {
        for name in Function::names().filter(|name| *name != "bcrypt") {
            for count in 0..=values.len() {
                if let Ok(value) = call(name, values[..count].to_vec()) {
                    prop_assert!(value.check_size().is_ok(), "{name}");
                }
            }
        }
    }

    #[test]
    fn json_reads_back(value in value()) {
        if let Ok(text) = json::encode(&value) {
            let read = json::decode(&text).expect("reads back");
            prop_assert_eq!(json::encode(&read).expect("has JSON"), text);
        }
    }
}
