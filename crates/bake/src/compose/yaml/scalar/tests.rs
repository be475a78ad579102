use super::*;

fn plain(text: &str) -> Value {
    resolve(ScalarTag::None, text, true).unwrap()
}

#[test]
fn plain_scalars_have_the_types_of_go_yaml() {
    assert_eq!(plain("0755"), Value::Int(493));
    assert_eq!(plain("0o17"), Value::Int(15));
    assert_eq!(plain("0x1F"), Value::Int(31));
    assert_eq!(plain("1_000"), Value::Int(1000));
    assert_eq!(plain("+5"), Value::Int(5));
    assert_eq!(plain("-9223372036854775808"), Value::Int(i64::MIN));
    assert_eq!(plain("18446744073709551615"), Value::Uint(u64::MAX));
    assert_eq!(plain("1e3"), Value::Float(1000.0));
    assert_eq!(plain("0778"), Value::Float(778.0));
    assert_eq!(plain(".5"), Value::Float(0.5));
    assert_eq!(plain("3.10"), Value::Float(3.1));
    for text in [
        "yes", "on", "1.2.3", "1:30", "12ab", "-", ".", "0x", "+.5.5",
    ] {
        assert_eq!(plain(text), Value::Text(text.to_owned()), "{text}");
    }
    assert_eq!(
        resolve(ScalarTag::None, "5", false),
        Ok(Value::Text("5".into()))
    );
}

#[test]
fn dates_print_as_go_prints_them() {
    let shown = |text| match plain(text) {
        Value::Time(shown) => shown,
        other => panic!("{text} is {other:?}"),
    };
    assert_eq!(shown("2020-01-02"), "2020-01-02 00:00:00 +0000 UTC");
    assert_eq!(
        shown("2020-1-2T3:4:5.500Z"),
        "2020-01-02 03:04:05.5 +0000 UTC"
    );
    assert_eq!(
        shown("2020-1-2T3:4:5+02:00"),
        "2020-01-02 03:04:05 +0200 +0200"
    );
    assert_eq!(plain("2020-02-30"), Value::Text("2020-02-30".into()));
}

#[test]
fn a_tag_must_fit_its_text() {
    assert_eq!(resolve(ScalarTag::Int, "5", false), Ok(Value::Int(5)));
    assert_eq!(resolve(ScalarTag::Float, "5", true), Ok(Value::Float(5.0)));
    assert_eq!(resolve(ScalarTag::Int, "x", true), Err(TagMismatch));
    assert_eq!(
        resolve(ScalarTag::Text, "5", true),
        Ok(Value::Text("5".into()))
    );
    assert_eq!(
        resolve(ScalarTag::Binary, "aGk=", true),
        Ok(Value::Text("hi".into()))
    );
    assert_eq!(resolve(ScalarTag::Binary, "aGk", true), Err(TagMismatch));
}
