//! Operations on sets, after conversion to a common element type.

use std::collections::HashSet;

use crate::files::Host;
use crate::value::{Type, Value, convert, unify};

use super::arguments::{Arguments, Fault};
use super::error::CallReason;
use super::{Definition, Parameter, ParameterType, any, function, parameter};

const fn set(name: &'static str) -> Parameter {
    parameter(name, ParameterType::Set)
}

const OTHERS: Parameter = set("other_sets");

pub(super) const FUNCTIONS: &[Definition] = &[
    function("sethaselement", &[set("set"), any("elem")], has_element),
    function("setintersection", &[set("first_set")], |args, _| {
        fold(args, |set, other| keep(set, |id| other.contains(id)))
    })
    .and_more(OTHERS),
    function("setsubtract", &[set("a"), set("b")], |args, _| {
        fold(args, |set, other| keep(set, |id| !other.contains(id)))
    }),
    function("setsymmetricdifference", &[set("first_set")], |args, _| {
        combine(args, |known, found| known != found)
    })
    .and_more(OTHERS),
    function("setunion", &[set("first_set")], |args, _| {
        combine(args, |known, found| known || found)
    })
    .and_more(OTHERS),
];

fn has_element(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let wanted = args.value(1)?;
    let Value::Set(element, items) = args.value(0)? else {
        return Err(Fault::at(0, CallReason::SequenceRequired));
    };
    let found = Type::of(wanted) == *element && items.iter().any(|item| item.equals(wanted));
    Ok(Value::Bool(found))
}

/// Returns the sets, converted to one element type.
fn unified(args: &Arguments<'_>) -> Result<(Type, Vec<Value>), Fault> {
    let mut types = Vec::new();
    for value in args.from(0) {
        if let Value::Set(element, items) = value
            && !(items.is_empty() && *element == Type::Any)
        {
            types.push(element.clone());
        }
    }
    let element = match types.is_empty() {
        true => Type::Any,
        false => unify(&types).ok_or(CallReason::MixedElements)?,
    };
    let wanted = Type::set(element.clone());
    let sets = args.from(0).iter().enumerate();
    let sets = sets.map(|(index, set)| convert(set, &wanted).map_err(|e| Fault::at(index, e)));
    let sets: Vec<Value> = sets.collect::<Result<_, _>>()?;
    // Untyped nulls can turn the type into `any`, which converts nothing.
    let first = sets.first().map(Type::of);
    if sets.iter().any(|set| Some(Type::of(set)) != first) {
        return Err(CallReason::MixedElements.into());
    }
    Ok((element, sets))
}

fn identities(set: &Value) -> HashSet<String> {
    set.items()
        .unwrap_or_default()
        .iter()
        .map(Value::set_identity)
        .collect()
}

/// Combines the elements of the first set with each of the others.
fn fold(
    args: &Arguments<'_>,
    reduce: fn(&mut Vec<Value>, &HashSet<String>),
) -> Result<Value, Fault> {
    let (element, sets) = unified(args)?;
    let Some((first, others)) = sets.split_first() else {
        return Err(CallReason::NoArguments.into());
    };
    let mut kept = first.items().unwrap_or_default().to_vec();
    for other in others {
        reduce(&mut kept, &identities(other));
    }
    Ok(Value::set(element, kept))
}

fn keep(set: &mut Vec<Value>, wanted: impl Fn(&String) -> bool) {
    set.retain(|item| wanted(&item.set_identity()));
}

/// Combines with the other sets one by one; `stays` decides if an element is in the result, from
/// its presence in the result so far and in the other set.
fn combine(args: &Arguments<'_>, stays: fn(bool, bool) -> bool) -> Result<Value, Fault> {
    let (element, sets) = unified(args)?;
    let mut result: Vec<Value> = Vec::new();
    for (index, set) in sets.iter().enumerate() {
        let items = set.items().unwrap_or_default();
        if index == 0 {
            result = items.to_vec();
            continue;
        }
        let known: HashSet<String> = result.iter().map(Value::set_identity).collect();
        let found = identities(set);
        result.retain(|item| stays(true, found.contains(&item.set_identity())));
        let new = |item: &&Value| !known.contains(&item.set_identity()) && stays(false, true);
        result.extend(items.iter().filter(new).cloned());
    }
    Ok(Value::set(element, result))
}
