//! The cartesian product.

use crate::files::Host;
use crate::value::{Type, Value, convert, unify};

use super::arguments::{Arguments, Fault, reserve};
use super::error::CallReason;
use super::{Definition, any, function};

pub(super) const FUNCTIONS: &[Definition] =
    &[function("setproduct", &[], set_product).and_more(any("sets"))];

/// Lists and tuples keep their order and result in a list; a single set makes the result a set.
fn set_product(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    if args.len() < 2 {
        return Err(CallReason::OneArgument.into());
    }
    let mut types = Vec::new();
    let mut factors = Vec::new();
    let mut ordered = true;
    for (index, value) in args.from(0).iter().enumerate() {
        let element = element_type(value).map_err(|reason| Fault::at(index, reason))?;
        ordered &= !matches!(value, Value::Set(..));
        let items = value.items().unwrap_or_default().iter();
        let items = items.map(|item| Ok(convert(item, &element)?));
        factors.push(items.collect::<Result<Vec<_>, Fault>>()?);
        types.push(element);
    }
    let total = factors.iter().map(Vec::len).fold(1, usize::saturating_mul);
    let width = size_of::<Value>().saturating_mul(factors.len() + 1);
    reserve(total.saturating_mul(width))?;
    let rows: Vec<Value> = (0..total)
        .map(|row| Value::tuple(combination(&factors, row)))
        .collect();
    let size = rows.iter().map(Value::size).fold(0, u64::saturating_add);
    reserve(usize::try_from(size).unwrap_or(usize::MAX))?;
    // With untyped nulls among the elements, the rows can have different types.
    let element = rows.first().map_or_else(|| Type::tuple(types), Type::of);
    if rows.iter().any(|row| Type::of(row) != element) {
        return Err(CallReason::MixedElements.into());
    }
    Ok(if ordered {
        Value::list(element, rows)
    } else {
        Value::set(element, rows)
    })
}

fn element_type(value: &Value) -> Result<Type, CallReason> {
    match (value, Type::of(value)) {
        (Value::List(element, _) | Value::Set(element, _), _) => Ok(element.clone()),
        (Value::Tuple(items), _) if items.is_empty() => Ok(Type::Any),
        (_, Type::Tuple(types)) => unify(&types).ok_or(CallReason::MixedElements),
        (_, found) => Err(CallReason::AnySequenceRequired { found }),
    }
}

/// Returns combination number `row`; the last factor changes fastest.
fn combination(factors: &[Vec<Value>], mut row: usize) -> Vec<Value> {
    let mut parts: Vec<Value> = Vec::with_capacity(factors.len());
    for factor in factors.iter().rev() {
        parts.extend(factor.get(row % factor.len()).cloned());
        row /= factor.len();
    }
    parts.reverse();
    parts
}
