//! Boolean functions, equality, and the first value that is not null.

use crate::files::Host;
use crate::value::{Type, Value, convert, unify};

use super::arguments::{Arguments, Fault};
use super::error::CallReason;
use super::{Definition, Parameter, ParameterType, any, function, parameter};

const fn truth(name: &'static str) -> Parameter {
    parameter(name, ParameterType::Bool)
}

const TWO: &[Parameter] = &[any("a").or_null(), any("b").or_null()];

pub(super) const FUNCTIONS: &[Definition] = &[
    function("and", &[truth("a"), truth("b")], |args, _| {
        Ok(Value::Bool(args.bool(0)? && args.bool(1)?))
    }),
    function("coalesce", &[], coalesce).and_more(any("vals").or_null()),
    function("equal", TWO, |args, _| {
        Ok(Value::Bool(args.value(0)?.equals(args.value(1)?)))
    }),
    function("not", &[truth("val")], |args, _| {
        Ok(Value::Bool(!args.bool(0)?))
    }),
    function("notequal", TWO, |args, _| {
        Ok(Value::Bool(!args.value(0)?.equals(args.value(1)?)))
    }),
    function("or", &[truth("a"), truth("b")], |args, _| {
        Ok(Value::Bool(args.bool(0)? || args.bool(1)?))
    }),
];

fn coalesce(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let values = args.from(0);
    let types: Vec<Type> = values.iter().map(Type::of).collect();
    let common = unify(&types).ok_or(CallReason::MixedTypes)?;
    let first = values.iter().find(|value| !value.is_null());
    Ok(convert(first.ok_or(CallReason::AllNull)?, &common)?)
}
