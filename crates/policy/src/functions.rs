//! The functions that policies have besides Rego's own. They record their missing information and
//! messages in the evaluation's state; a function whose result is unknown is undefined.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use regorus::Value;

use crate::state::State;
use crate::{attestation, format, rewrite};

/// The functions of buildx's policies.
pub(crate) const NAMES: &[&str] = &[
    "load_json",
    "verify_git_signature",
    "verify_http_pgp_signature",
    "pin_image",
    "artifact_attestation",
    "github_attestation",
];

/// The largest file for `load_json` in bytes.
const MAX_JSON: usize = 4 << 20;
/// The most elements of a range, and the longest shift in bits.
const MAX_RANGE: i64 = 1 << 20;
const MAX_SHIFT: i64 = 4096;

type Shared = Arc<Mutex<State>>;
type Function = fn(&mut State, &[Value]) -> Value;

/// Adds the functions to an engine.
pub(crate) fn add(engine: &mut regorus::Engine, state: &Shared) -> Result<(), String> {
    let functions: [(&str, u8, Function); 14] = [
        (rewrite::READ, 2, State::read),
        (rewrite::MESSAGE, 3, State::message),
        ("load_json", 1, load_json),
        ("verify_git_signature", 2, attestation::git_signature),
        ("verify_http_pgp_signature", 3, attestation::http_signature),
        ("pin_image", 2, pin_image),
        ("artifact_attestation", 2, attestation::artifact),
        ("github_attestation", 2, attestation::github),
        ("__solvekit_range", 2, range),
        ("__solvekit_range_step", 3, range),
        ("__solvekit_lsh", 2, shift_left),
        ("__solvekit_sprintf", 2, sprintf),
        ("__solvekit_count", 2, count),
        ("__solvekit_subset", 2, subset),
    ];
    for (name, arguments, function) in functions {
        let state = Arc::clone(state);
        let call = move |values: Vec<Value>| {
            if values.contains(&Value::Undefined) {
                return Ok(Value::Undefined);
            }
            Ok(function(&mut lock(&state), &values))
        };
        let added = engine.add_extension(name.to_owned(), arguments, Box::new(call));
        added.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Locks the state. A panic in another thread cannot corrupt it, because every change is a single
/// step.
pub(crate) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn load_json(state: &mut State, values: &[Value]) -> Value {
    let Some(path) = string(values.first()) else {
        return Value::Undefined;
    };
    let Some(bytes) = state.file(&path, MAX_JSON) else {
        return Value::Undefined;
    };
    let text = std::str::from_utf8(&bytes).ok();
    match text.and_then(|text| Value::from_json_str(text).ok()) {
        Some(value) => value,
        None => {
            state.note(format!("load_json: invalid JSON in {path:?}"));
            Value::Undefined
        }
    }
}

fn pin_image(state: &mut State, values: &[Value]) -> Value {
    let Some(image) = &state.input.image else {
        return Value::from(false);
    };
    if values.first() != Some(&state.image_value) {
        state.note("pin_image: first argument is not the same as input image".to_owned());
        return Value::Undefined;
    }
    let digest = string(values.get(1)).map(|text| solvekit_core::oci::Digest::parse(&text));
    match digest {
        Some(Ok(digest)) => {
            if image.checksum != digest.as_str() {
                state.pins.insert(digest.to_string());
            }
            Value::from(true)
        }
        _ => {
            state.note("pin_image: invalid digest".to_owned());
            Value::Undefined
        }
    }
}

/// `numbers.range` and `numbers.range_step`; both ends are included.
fn range(state: &mut State, values: &[Value]) -> Value {
    let [Some(from), Some(to)] = [0, 1].map(|at| integer(values.get(at))) else {
        return Value::Undefined;
    };
    let step = match values.get(2) {
        Some(step) => integer(Some(step)).filter(|step| *step > 0),
        None => Some(1),
    };
    let Some(step) = step else {
        return Value::Undefined;
    };
    let Some(distance) = to.checked_sub(from).and_then(i64::checked_abs) else {
        return Value::Undefined;
    };
    let count = distance / step;
    if count >= MAX_RANGE {
        state.note(format!("numbers.range: more than {MAX_RANGE} elements"));
        state.failed = Some("a range has too many elements");
        return Value::Undefined;
    }
    let step = if to < from { -step } else { step };
    let numbers = (0..=count).map(|index| Value::from(from + index * step));
    Value::from(numbers.collect::<Vec<_>>())
}

fn shift_left(state: &mut State, values: &[Value]) -> Value {
    let [Some(number), Some(shift)] = [0, 1].map(|at| integer(values.get(at))) else {
        return Value::Undefined;
    };
    if !(0..=MAX_SHIFT).contains(&shift) {
        state.failed = Some("a number is shifted too far");
        return Value::Undefined;
    }
    let shifted = u32::try_from(shift).ok().and_then(|shift| {
        let wide = i128::from(number);
        let moved = wide.checked_shl(shift)?;
        (moved.checked_shr(shift) == Some(wide)).then_some(moved)
    });
    shifted.map_or(Value::Undefined, Value::from)
}

fn sprintf(_: &mut State, values: &[Value]) -> Value {
    let (Some(template), Some(Value::Array(arguments))) = (string(values.first()), values.get(1))
    else {
        return Value::Undefined;
    };
    let arguments: Vec<&Value> = arguments.iter().collect();
    Value::from(format::sprintf(&template, &arguments))
}

/// `strings.count`, which panics in regorus for an empty text.
fn count(_: &mut State, values: &[Value]) -> Value {
    let [Some(text), Some(part)] = [0, 1].map(|at| string(values.get(at))) else {
        return Value::Undefined;
    };
    let found = match part.is_empty() {
        true => text.chars().count() + 1,
        false => text.matches(&part).count(),
    };
    Value::from(found)
}

/// `object.subset`, which panics in regorus for an empty array.
fn subset(_: &mut State, values: &[Value]) -> Value {
    let [all, part] = values else {
        return Value::Undefined;
    };
    let is_collection =
        |value: &Value| matches!(value, Value::Object(_) | Value::Set(_) | Value::Array(_));
    let is_known = std::mem::discriminant(all) == std::mem::discriminant(part)
        || matches!((all, part), (Value::Array(_), Value::Set(_)));
    match is_collection(all) && is_known {
        true => Value::from(is_subset(all, part)),
        false => Value::Undefined,
    }
}

fn is_subset(all: &Value, part: &Value) -> bool {
    match (all, part) {
        (Value::Object(all), Value::Object(part)) => part
            .iter()
            .all(|(key, value)| all.get(key).is_some_and(|found| is_subset(found, value))),
        (Value::Set(all), Value::Set(part)) => part.is_subset(all),
        (Value::Array(all), Value::Array(part)) => {
            let (all, part) = (all.as_slice(), part.as_slice());
            part.is_empty() || all.windows(part.len()).any(|window| window == part)
        }
        (Value::Array(all), Value::Set(part)) => {
            part.iter().all(|item| all.as_slice().contains(item))
        }
        (all, part) => all == part,
    }
}

pub(crate) fn string(value: Option<&Value>) -> Option<String> {
    value?.as_string().ok().map(ToString::to_string)
}

fn integer(value: Option<&Value>) -> Option<i64> {
    value?.as_i64().ok()
}
