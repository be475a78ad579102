//! Lists and tuples: elements, parts, order, duplicates, ranges.

use std::collections::HashSet;

use crate::files::Host;
use crate::value::{Number, Type, Value, convert, unify};

use super::arguments::{Arguments, Fault};
use super::error::CallReason;
use super::{Definition, Parameter, ParameterType, any, function, number, parameter};

/// The longest result of `range`.
const MAX_RANGE: usize = 1024;

const LIST: Parameter = parameter("list", ParameterType::List);

pub(super) const FUNCTIONS: &[Definition] = &[
    function("chunklist", &[LIST, number("size")], chunk_list),
    function("coalescelist", &[], coalesce_list).and_more(any("vals").or_null()),
    function(
        "compact",
        &[parameter("list", ParameterType::TextList)],
        compact,
    ),
    function("concat", &[], concat).and_more(any("seqs")),
    function("contains", &[any("list"), any("value")], contains),
    function("distinct", &[LIST], distinct),
    function("element", &[any("list"), number("index")], element),
    function("flatten", &[any("list")], flatten),
    function("hasindex", &[any("collection"), any("key")], |args, _| {
        Ok(Value::Bool(lookup(args)?.is_some()))
    }),
    function("index", &[any("collection"), any("key")], index),
    function("indexof", &[any("list"), any("value")], index_of),
    function("length", &[any("collection")], length),
    function("range", &[], range).and_more(number("params")),
    function("reverselist", &[any("list")], reverse_list),
    function(
        "slice",
        &[any("list"), number("start_index"), number("end_index")],
        slice,
    ),
];

/// Returns the elements of a list or a tuple.
fn list_or_tuple(value: &Value) -> Option<&[Value]> {
    match value {
        Value::List(_, items) | Value::Tuple(items) => Some(items),
        _ => None,
    }
}

fn sequence_required(value: &Value) -> CallReason {
    CallReason::AnySequenceRequired {
        found: Type::of(value),
    }
}

fn chunk_list(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let list = args.value(0)?;
    let items = args.items(0)?;
    let size = usize::try_from(args.int(1)?).map_err(|_| CallReason::Negative)?;
    let Value::List(element, _) = list else {
        return Err(Fault::at(0, CallReason::SequenceRequired));
    };
    let chunks: Vec<Value> = match size {
        _ if items.is_empty() => Vec::new(),
        0 => vec![list.clone()],
        size => {
            let chunks = items.chunks(size);
            chunks
                .map(|chunk| Value::list(element.clone(), chunk.to_vec()))
                .collect()
        }
    };
    Ok(Value::list(Type::of(list), chunks))
}

fn coalesce_list(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let values = args.from(0);
    if values.is_empty() {
        return Err(CallReason::NoArguments.into());
    }
    if !values
        .iter()
        .all(|value| matches!(Type::of(value), Type::List(_) | Type::Tuple(_)))
    {
        return Err(CallReason::SequenceRequired.into());
    }
    let filled = |value: &&Value| value.items().is_some_and(|items| !items.is_empty());
    let first = values.iter().find(filled);
    Ok(first.ok_or(CallReason::AllEmpty)?.clone())
}

fn compact(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let kept = args
        .items(0)?
        .iter()
        .filter_map(Value::as_str)
        .filter(|text| !text.is_empty());
    Ok(Value::strings(kept))
}

/// Lists with a common type result in a list, anything else in a tuple.
fn concat(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let values = args.from(0);
    if values.is_empty() {
        return Err(CallReason::NoArguments.into());
    }
    let types: Vec<Type> = values.iter().map(Type::of).collect();
    if types.iter().all(|ty| matches!(ty, Type::List(_)))
        && let Some(common @ Type::List(_)) = unify(&types)
    {
        let mut all = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let list = convert(value, &common).map_err(|error| Fault::at(index, error))?;
            all.extend_from_slice(list.items().unwrap_or_default());
        }
        let element = common.element().cloned().unwrap_or(Type::Any);
        return Ok(Value::list(element, all));
    }
    let mut all = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let items = list_or_tuple(value);
        all.extend_from_slice(items.ok_or_else(|| Fault::at(index, CallReason::SequenceRequired))?);
    }
    Ok(Value::tuple(all))
}

fn contains(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let (list, wanted) = (args.value(0)?, args.value(1)?);
    let items = list.items().ok_or_else(|| sequence_required(list))?;
    Ok(Value::Bool(items.iter().any(|item| wanted.equals(item))))
}

fn distinct(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let Value::List(element, items) = args.value(0)? else {
        return Err(Fault::at(0, CallReason::SequenceRequired));
    };
    let mut seen = HashSet::new();
    let kept = items.iter().filter(|item| seen.insert(item.identity()));
    Ok(Value::list(element.clone(), kept.cloned().collect()))
}

/// Returns an element. Indexes wrap around, negative ones too.
fn element(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let items = list_or_tuple(args.value(0)?).ok_or(CallReason::SequenceRequired)?;
    let index = args.int(1)?;
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if length == 0 {
        return Err(CallReason::Empty.into());
    }
    let index = usize::try_from(index.rem_euclid(length)).unwrap_or(0);
    Ok(items.get(index).cloned().ok_or(CallReason::NoSuchElement)?)
}

fn flatten(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let list = args.value(0)?;
    let mut flat = Vec::new();
    flatten_into(
        &mut flat,
        list.items().ok_or_else(|| sequence_required(list))?,
    );
    Ok(Value::tuple(flat))
}

fn flatten_into(flat: &mut Vec<Value>, items: &[Value]) {
    for item in items {
        match item.items() {
            Some(items) => flatten_into(flat, items),
            None => flat.push(item.clone()),
        }
    }
}

/// Returns the element at the key, if there is one; `None` for a key of the wrong type.
fn lookup<'a>(args: &Arguments<'a>) -> Result<Option<&'a Value>, Fault> {
    let (collection, key) = (args.value(0)?, args.value(1)?);
    match collection {
        Value::List(_, items) | Value::Tuple(items) => {
            let index = key.as_number().and_then(Number::to_i64);
            let index = index.and_then(|index| usize::try_from(index).ok());
            Ok(index.and_then(|index| items.get(index)))
        }
        Value::Map(_, entries) => Ok(key.as_str().and_then(|key| entries.get(key))),
        other => Err(CallReason::IndexableRequired {
            found: Type::of(other),
        }
        .into()),
    }
}

fn index(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let found = lookup(args)?;
    let want = match args.value(0)? {
        Value::Map(..) => Type::String,
        _ => Type::Number,
    };
    if Type::of(args.value(1)?) != want {
        return Err(CallReason::KeyType { want }.into());
    }
    Ok(found.cloned().ok_or(CallReason::NoSuchElement)?)
}

fn index_of(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let items = list_or_tuple(args.value(0)?).ok_or(CallReason::SequenceRequired)?;
    let wanted = args.value(1)?;
    if items.is_empty() {
        return Err(CallReason::Empty.into());
    }
    let position = items.iter().position(|item| item.equals(wanted));
    Ok(Value::count(position.ok_or(CallReason::NotFound)?))
}

fn length(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    match args.value(0)? {
        Value::List(_, items) | Value::Set(_, items) | Value::Tuple(items) => {
            Ok(Value::count(items.len()))
        }
        Value::Map(_, entries) => Ok(Value::count(entries.len())),
        other => Err(CallReason::IndexableRequired {
            found: Type::of(other),
        }
        .into()),
    }
}

/// Counts up or down from a start to an end, which is excluded.
fn range(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let zero = Number::zero();
    let unit = |down: bool| Number::from_i64(if down { -1 } else { 1 });
    let (start, end, step) = match args.len() {
        1 => {
            let end = args.number(0)?.clone();
            let step = unit(end.compare(&zero).is_lt());
            (zero.clone(), end, step)
        }
        2 => {
            let (start, end) = (args.number(0)?.clone(), args.number(1)?.clone());
            let step = unit(end.compare(&start).is_lt());
            (start, end, step)
        }
        3 => (
            args.number(0)?.clone(),
            args.number(1)?.clone(),
            args.number(2)?.clone(),
        ),
        _ => return Err(CallReason::RangeArguments.into()),
    };
    let down = step.compare(&zero).is_lt();
    let order = end.compare(&start);
    if (down && order.is_gt()) || (!down && order.is_lt()) {
        return Err(Fault::at(1, CallReason::RangeDirection));
    }
    let mut numbers = Vec::new();
    let mut current = start;
    loop {
        let order = current.compare(&end);
        let passed = if down { order.is_lt() } else { order.is_gt() };
        if passed || current.equals(&end) {
            return Ok(Value::list(Type::Number, numbers));
        }
        if numbers.len() >= MAX_RANGE {
            return Err(CallReason::RangeTooLong.into());
        }
        let next = current.add(&step)?;
        numbers.push(Value::Number(std::mem::replace(&mut current, next)));
    }
}

fn reverse_list(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let list = args.value(0)?;
    let items = list
        .items()
        .ok_or_else(|| Fault::at(0, sequence_required(list)))?;
    let reversed: Vec<Value> = items.iter().rev().cloned().collect();
    Ok(match list {
        Value::List(element, _) | Value::Set(element, _) => Value::list(element.clone(), reversed),
        _ => Value::tuple(reversed),
    })
}

fn slice(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let list = args.value(0)?;
    let items = list_or_tuple(list).ok_or_else(|| Fault::at(0, CallReason::SequenceRequired))?;
    let bound = |argument: usize| {
        let whole = args.number(argument)?.to_i64();
        let whole = whole.ok_or_else(|| Fault::at(argument, CallReason::WholeNumberRequired))?;
        let bound =
            usize::try_from(whole).map_err(|_| Fault::at(argument, CallReason::Negative))?;
        if bound > items.len() {
            let (index, length) = (whole, items.len());
            return Err(Fault::at(argument, CallReason::BeyondEnd { index, length }));
        }
        Ok(bound)
    };
    let (start, end) = (bound(1)?, bound(2)?);
    let part = items.get(start..end);
    let part = part
        .ok_or_else(|| Fault::at(1, CallReason::StartAfterEnd))?
        .to_vec();
    Ok(match list {
        Value::List(element, _) => Value::list(element.clone(), part),
        _ => Value::tuple(part),
    })
}
