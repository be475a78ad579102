//! Parses text from the environment as values: numbers, booleans, and comma-separated lists.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Kind};
use crate::target::{csv_fields, csv_fields_by, parse_bool};
use crate::value::{Number, Type, Value};

/// Parses a text as a value of a primitive type.
pub(super) fn primitive(name: &str, text: &str, ty: &Type) -> Result<Value, Diagnostic> {
    let fail = |what: &str| {
        let message = format!("variable {name}: {text:?} is not a {what}");
        Diagnostic::new(Kind::Variable, message)
    };
    match ty {
        Type::String => Ok(Value::string(text)),
        Type::Bool => parse_bool(name, text)
            .map(Value::Bool)
            .map_err(|_| fail("bool: write true or false")),
        Type::Number => parse_float(text)
            .and_then(Number::from_f64)
            .map(Value::Number)
            .ok_or_else(|| fail("number")),
        other => Err(fail(&other.friendly())),
    }
}

/// Parses a comma-separated text as a list, set, tuple or map.
pub(super) fn separated(name: &str, text: &str, ty: &Type) -> Result<Value, Diagnostic> {
    let fail = |message: String| {
        Diagnostic::new(Kind::Variable, format!("variable {name}: {message}"))
            .hint(format!("or set {name}_JSON to a JSON value"))
    };
    if text.is_empty() {
        return Err(fail("the text is empty, but a list is needed".to_owned()));
    }
    let fields = csv_fields(text).map_err(|error| fail(format!("{text:?}: {error}")))?;
    let element = |ty: &Type| match ty.is_primitive() {
        true => Ok(()),
        false => Err(fail(format!(
            "elements that are {} need JSON",
            ty.friendly()
        ))),
    };
    let all = |ty: &Type| -> Result<Vec<Value>, Diagnostic> {
        element(ty)?;
        fields
            .iter()
            .map(|field| primitive(name, field, ty))
            .collect()
    };
    match ty {
        Type::List(ty) => Ok(Value::list((**ty).clone(), all(ty)?)),
        Type::Set(ty) => Ok(Value::set((**ty).clone(), all(ty)?)),
        Type::Tuple(types) => {
            if types.len() != fields.len() {
                let (want, have) = (types.len(), fields.len());
                return Err(fail(format!("needs {want} elements, found {have}")));
            }
            let pairs = types.iter().zip(&fields);
            let values = pairs.map(|(ty, field)| {
                element(ty)?;
                primitive(name, field, ty)
            });
            Ok(Value::tuple(values.collect::<Result<_, _>>()?))
        }
        Type::Map(ty) => {
            element(ty)?;
            let mut entries = BTreeMap::new();
            for field in &fields {
                let pair = csv_fields_by(field, ':').map_err(|error| fail(error.to_string()))?;
                let [key, value] = pair.as_slice() else {
                    return Err(fail(format!("{field:?} is not of the form key:value")));
                };
                entries.insert(key.clone(), primitive(name, value, ty)?);
            }
            Ok(Value::map((**ty).clone(), entries))
        }
        other => Err(fail(format!("{} needs JSON", other.friendly()))),
    }
}

/// Parses a finite number like Go's `strconv.ParseFloat`: `1_000` is 1000, `0x1p4` is 16.
fn parse_float(text: &str) -> Option<f64> {
    let text = &without_underscores(text)?;
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number = if let Some(hex) = unsigned.strip_prefix("0x").or(unsigned.strip_prefix("0X")) {
        let magnitude = parse_hex_float(hex)?;
        if text.starts_with('-') {
            -magnitude
        } else {
            magnitude
        }
    } else {
        if !unsigned.starts_with(|first: char| first == '.' || first.is_ascii_digit()) {
            return None;
        }
        text.parse().ok()?
    };
    number.is_finite().then_some(number)
}

/// Returns the text without underscores, each of which must be between digits.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |index: Option<usize>| {
        let byte = index.and_then(|index| bytes.get(index));
        byte.is_some_and(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'x' | b'X'))
    };
    let fine = |index: usize| digit(index.checked_sub(1)) && digit(Some(index + 1));
    let mut underscores = text.match_indices('_').map(|(index, _)| index);
    underscores.all(fine).then(|| text.replace('_', ""))
}

/// Parses a hexadecimal mantissa with its binary exponent, such as `1.8p3`.
fn parse_hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > 13 {
        return None;
    }
    let value = u64::from_str_radix(&digits, 16).ok()?;
    let scale = exponent.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    // At most 52 bits, so the result is exact.
    Some(value as f64 * 2f64.powi(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        assert_eq!(parse_float("0x1p4"), Some(16.0));
        assert_eq!(parse_float("0x1.8p1"), Some(3.0));
        assert_eq!(parse_float(".5"), Some(0.5));
        assert_eq!(parse_float("5."), Some(5.0));
        assert_eq!(parse_float("1_000"), Some(1000.0));
        for text in ["", "_1", "1_", "0x10", "inf", "NaN", "1e999", "a"] {
            assert_eq!(parse_float(text), None, "{text}");
        }
    }
}
