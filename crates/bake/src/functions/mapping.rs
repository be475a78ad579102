//! Maps and objects: keys, values, look-up, merging.

use std::collections::BTreeMap;

use crate::files::Host;
use crate::value::{Type, Value, convert};

use super::arguments::{Arguments, Fault};
use super::error::CallReason;
use super::{Definition, ParameterType, any, function, parameter, text};

pub(super) const FUNCTIONS: &[Definition] = &[
    function("keys", &[any("inputMap")], keys),
    function(
        "lookup",
        &[any("inputMap"), text("key"), any("default")],
        lookup,
    ),
    function("merge", &[], merge).and_more(any("maps").or_null()),
    function("values", &[any("mapping")], values),
    function(
        "zipmap",
        &[parameter("keys", ParameterType::TextList), any("values")],
        zip_map,
    ),
];

fn mapping_required(value: &Value) -> CallReason {
    CallReason::MappingRequired {
        found: Type::of(value),
    }
}

/// Returns the keys of a map as a list, those of an object as a tuple.
fn keys(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    match args.value(0)? {
        Value::Map(_, entries) => Ok(Value::strings(entries.keys().map(String::as_str))),
        Value::Object(entries) => {
            let names = entries.keys().map(|name| Value::string(name.as_str()));
            Ok(Value::tuple(names.collect()))
        }
        other => Err(Fault::at(0, mapping_required(other))),
    }
}

fn values(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    match args.value(0)? {
        Value::Map(element, entries) => Ok(Value::list(
            element.clone(),
            entries.values().cloned().collect(),
        )),
        Value::Object(entries) => Ok(Value::tuple(entries.values().cloned().collect())),
        other => Err(mapping_required(other).into()),
    }
}

fn lookup(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let (key, default) = (args.text(1)?, args.value(2)?);
    match args.value(0)? {
        Value::Map(element, entries) => {
            let default = convert(default, element).map_err(|_| {
                let want = element.clone();
                Fault::at(2, CallReason::DefaultType { want })
            })?;
            Ok(entries.get(key).cloned().unwrap_or(default))
        }
        Value::Object(entries) => Ok(entries.get(key).unwrap_or(default).clone()),
        other => Err(Fault::at(0, mapping_required(other))),
    }
}

/// Merges arguments; later ones win. Maps of one type result in a map, anything else in an object.
fn merge(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let mut merged: BTreeMap<String, Value> = BTreeMap::new();
    let mut types = Vec::new();
    for value in args.from(0) {
        let ty = Type::of(value);
        match (value.entries(), &ty) {
            (Some(entries), _) => {
                let entries = entries.iter();
                merged.extend(entries.map(|(name, value)| (name.clone(), value.clone())));
            }
            (None, Type::Any | Type::Map(_) | Type::Object(_)) => {}
            (None, _) => return Err(mapping_required(value).into()),
        }
        types.push(ty);
    }
    match types.split_first() {
        Some((Type::Map(element), rest)) if rest.iter().all(|ty| Some(ty) == types.first()) => {
            Ok(Value::map((**element).clone(), merged))
        }
        _ => Ok(Value::object(merged)),
    }
}

/// A list of values results in a map, a tuple in an object.
fn zip_map(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let (keys, values) = (args.items(0)?, args.value(1)?);
    let items = match values {
        Value::List(_, items) | Value::Tuple(items) => items,
        _ => return Err(CallReason::SequenceRequired.into()),
    };
    if keys.len() != items.len() {
        let (keys, values) = (keys.len(), items.len());
        return Err(CallReason::KeysAndValues { keys, values }.into());
    }
    let mut zipped = BTreeMap::new();
    for (index, (key, value)) in keys.iter().zip(items.iter()).enumerate() {
        let key = key.as_str().ok_or(CallReason::NullElement { index })?;
        zipped.insert(key.to_owned(), value.clone());
    }
    Ok(match values {
        Value::List(element, _) => Value::map(element.clone(), zipped),
        _ => Value::object(zipped),
    })
}
