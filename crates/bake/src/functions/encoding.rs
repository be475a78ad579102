//! Other encodings: base64, URLs, JSON, CSV, and the unsupported bytes type.

use std::collections::BTreeMap;
use std::fmt::Write;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use crate::files::Host;
use crate::value::json;
use crate::value::{Type, Value};

use super::arguments::{Arguments, Fault, reserve};
use super::csv;
use super::error::CallReason;
use super::{Definition, Parameter, ParameterType, any, function, number, parameter, text};

/// Like Go, it ignores the unused bits of the last character.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

const STR: &[Parameter] = &[text("str")];

const BUFFER: Parameter = parameter("buf", ParameterType::Bytes);

pub(super) const FUNCTIONS: &[Definition] = &[
    function("base64decode", STR, base64_decode),
    function("base64encode", STR, |args, _| {
        Ok(Value::string(BASE64.encode(args.text(0)?)))
    }),
    function("byteslen", &[BUFFER], no_bytes),
    function(
        "bytesslice",
        &[BUFFER, number("offset"), number("length")],
        no_bytes,
    ),
    function("csvdecode", STR, csv_decode),
    function("jsondecode", STR, |args, _| {
        Ok(json::decode(args.text(0)?)?)
    }),
    function("jsonencode", &[any("val").or_null()], |args, _| {
        Ok(Value::string(json::encode(args.value(0)?)?))
    }),
    function("urlencode", STR, url_encode),
];

/// Decodes base64 text. Line breaks in it are ignored.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    BASE64.decode(text).ok()
}

fn base64_decode(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let bytes = decode_base64(args.text(0)?).ok_or(CallReason::Base64)?;
    let text = String::from_utf8(bytes).map_err(|_| CallReason::NotUtf8)?;
    Ok(Value::string(text))
}

/// Nothing converts to bytes, so no call reaches this function.
fn no_bytes(_: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    Err(Fault::at(0, CallReason::Missing))
}

fn csv_decode(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let mut rows = csv::Rows::new(args.text(0)?);
    let header = rows.next(None)?.ok_or(CallReason::NoHeader)?;
    let mut types = BTreeMap::new();
    for name in &header {
        if types.insert(name.clone(), Type::String).is_some() {
            let name = name.chars().take(100).collect();
            return Err(CallReason::DuplicateColumn { name }.into());
        }
    }
    let mut objects = Vec::new();
    let mut size = 0u64;
    while let Some(row) = rows.next(Some(header.len()))? {
        let fields = header
            .iter()
            .cloned()
            .zip(row.into_iter().map(Value::string));
        let object = Value::object(fields.collect());
        size = size.saturating_add(object.size());
        reserve(usize::try_from(size).unwrap_or(usize::MAX))?;
        objects.push(object);
    }
    Ok(Value::list(Type::object(types), objects))
}

/// Encodes like Go's `url.QueryEscape`: a space becomes `+`.
fn url_encode(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let mut out = String::new();
    for byte in args.text(0)?.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    Ok(Value::string(out))
}
