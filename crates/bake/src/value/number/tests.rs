//! Compares numbers to the results of Go's `big.Float`.

use proptest::prelude::*;

use super::*;

fn number(text: &str) -> Number {
    Number::parse(text).expect("a number")
}

fn text(number: Result<Number, NumberError>) -> String {
    number.expect("a result").to_string()
}

#[test]
fn text_is_read_as_go_reads_it() {
    for (given, shown) in [
        ("1", "1"),
        ("-0", "-0"),
        ("1.50", "1.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("1E-3", "0.001"),
        ("1p4", "16"),
        ("+2", "2"),
        ("-Inf", "-Inf"),
        ("inf", "+Inf"),
        ("100000000000000000000000", "100000000000000000000000"),
        ("3.14159265358979323846", "3.14159265358979323846"),
    ] {
        assert_eq!(number(given).to_string(), shown, "{given}");
    }
}

#[test]
fn other_text_is_no_number() {
    for given in [
        "", "-", "1_000", "0x10", "1e", "1e+", "1.2.3", "e5", " 1", "1 ", "infinity",
    ] {
        assert_eq!(
            Number::parse(given),
            Err(NumberError::NotANumber),
            "{given}"
        );
    }
}

#[test]
fn fractions_have_512_bits() {
    let sum = number("0.1").add(&number("0.2"));
    assert_eq!(text(sum), "0.3");
    let third = text(number("1").divide(&number("3")));
    assert_eq!(third.len(), 2 + 155);
    assert!(third.ends_with("333335"));
}

#[test]
fn results_take_the_larger_precision() {
    let third = Number::from_i64(1).divide(&Number::from_i64(3));
    assert_eq!(text(third), "0.33333333333333333334");
    let float = Number::from_f64(12_345_678_901_234_567_890.0).expect("a number");
    assert_eq!(float.to_string(), "12345678901234567000");
    assert_eq!(Number::from_f64(0.1).expect("a number").to_string(), "0.1");
}

#[test]
fn zeros_keep_their_sign() {
    assert_eq!(number("0").negate().to_string(), "-0");
    assert_eq!(text(number("0").subtract(&number("0"))), "0");
    assert_eq!(text(number("-1").multiply(&number("0"))), "-0");
    assert!(number("-0").equals(&number("0")));
}

#[test]
fn division_by_zero_is_infinite_and_zero_by_zero_undefined() {
    assert_eq!(text(number("1").divide(&number("0"))), "+Inf");
    assert_eq!(text(number("-1").divide(&number("0"))), "-Inf");
    assert_eq!(
        number("0").divide(&number("0")),
        Err(NumberError::Undefined)
    );
    let infinite = Number::infinity(false, 64);
    assert_eq!(
        infinite.subtract(&infinite),
        Err(NumberError::OpposingInfinities)
    );
    assert_eq!(
        infinite.multiply(&number("0")),
        Err(NumberError::ZeroTimesInfinity)
    );
}

#[test]
fn the_remainder_has_the_sign_of_the_dividend() {
    for (a, b, remainder) in [
        ("10", "3", "1"),
        ("-10", "3", "-1"),
        ("10", "-3", "1"),
        ("5.5", "2", "1.5"),
        ("1", "0", "1"),
    ] {
        assert_eq!(text(number(a).modulo(&number(b))), remainder, "{a} % {b}");
    }
}

#[test]
fn rounding_to_whole_numbers() {
    for (given, floor, ceil, truncated) in [
        ("1.5", "1", "2", 1),
        ("-1.5", "-2", "-1", -1),
        ("3", "3", "3", 3),
        ("-0.5", "-1", "0", 0),
    ] {
        assert_eq!(text(number(given).floor()), floor, "floor {given}");
        assert_eq!(text(number(given).ceil()), ceil, "ceil {given}");
        assert_eq!(number(given).truncate(), Some(truncated.into()), "{given}");
    }
}

#[test]
fn styles_are_those_of_printf() {
    let general = FloatStyle::General('e');
    assert_eq!(number("1000000").text(general, None), "1e+06");
    assert_eq!(number("100000").text(general, None), "100000");
    assert_eq!(number("0.00001").text(general, None), "1e-05");
    let exponent = FloatStyle::Exponent('e');
    assert_eq!(number("12345.678").text(exponent, Some(6)), "1.234568e+04");
    assert_eq!(number("3.14159").text(FloatStyle::Fixed, Some(2)), "3.14");
    assert_eq!(number("0.5").text(FloatStyle::Fixed, Some(0)), "0");
    let flags = FormatFlags {
        plus: true,
        zero: true,
        ..FormatFlags::default()
    };
    assert_eq!(
        number("2.5").format(FloatStyle::Fixed, Some(1), 7, flags),
        "+0002.5"
    );
}

#[test]
fn short_integers_print_as_long_arithmetic_prints_them() {
    for text in [
        "0",
        "-0",
        "7",
        "007",
        "-12",
        "999999999999999999",
        "18446744073709551615",
    ] {
        let number = number(text);
        assert_eq!(
            number.to_string(),
            number.text(FloatStyle::Fixed, None),
            "{text}"
        );
        let padded = Number::parse(&format!("{text}.0")).expect("a number");
        assert_eq!(number, padded, "{text}");
    }
    // 54 bits do not fit into the 53 of a float.
    let float = Number::from_f64(18_014_398_509_481_988.0).expect("a number");
    assert_eq!(float.to_string(), float.text(FloatStyle::Fixed, None));
}

#[test]
fn numbers_of_any_length_are_bounded() {
    assert_eq!(Number::parse("1e99999"), Err(NumberError::OutOfRange));
    assert_eq!(Number::parse("1e-99999"), Err(NumberError::OutOfRange));
    assert_eq!(
        Number::parse("1e99999999999999999999"),
        Err(NumberError::OutOfRange)
    );
    let mut big = number("1e10000");
    big = big.multiply(&number("1e9000")).expect("in range");
    assert_eq!(big.multiply(&big), Err(NumberError::OutOfRange));
    assert_eq!(number("1e400").to_f64(), f64::INFINITY);
    assert_eq!(number("5e-324").to_f64(), 5e-324);
}

proptest! {
    #[test]
    fn printed_numbers_read_back(a in any::<f64>(), b in any::<i64>()) {
        let from_float = Number::from_f64(a);
        prop_assume!(from_float.is_some());
        let from_float = from_float.expect("checked");
        prop_assert_eq!(from_float.to_f64().to_bits(), a.to_bits());
        let read = Number::parse(&from_float.to_string()).expect("reads back");
        prop_assert_eq!(read.to_f64().to_bits(), a.to_bits());
        let int = Number::from_i64(b);
        prop_assert_eq!(int.to_i64(), Some(b));
        let (long, read) = (read.divide(&int), "a quotient");
        if let Ok(long) = long {
            prop_assert!(Number::parse(&long.to_string()).expect(read).equals(&long));
        }
    }

    #[test]
    fn reading_never_panics(text in "[-+0-9.eEpPxX_Inf ]{0,12}|\\PC{0,6}") {
        if let Ok(number) = Number::parse(&text) {
            prop_assert!(Number::parse(&number.to_string()).expect("reads back").equals(&number));
        }
    }

    #[test]
    fn order_and_sum_agree_with_integers(a in -1_000_000i64..1_000_000, b in -1000i64..1000) {
        let (x, y) = (Number::from_i64(a), Number::from_i64(b));
        prop_assert_eq!(x.compare(&y), a.cmp(&b));
        prop_assert_eq!(x.add(&y).expect("finite").to_i64(), Some(a + b));
        prop_assert_eq!(x.multiply(&y).expect("finite").to_i64(), Some(a * b));
        if b != 0 {
            prop_assert_eq!(x.modulo(&y).expect("finite").to_i64(), Some(a % b));
        }
    }
}
