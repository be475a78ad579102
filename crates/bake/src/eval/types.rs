//! Types in files: `list(string)`, `object({ a = optional(number) })`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Kind, nearest};
use crate::syntax::Range;
use crate::syntax::ast::{Call, Expression, Node};
use crate::syntax::statics::{call, keyword, list, pairs};
use crate::value::{Attribute, Type};

/// The names of types and of type constructors.
const NAMES: [&str; 9] = [
    "any", "bool", "list", "map", "number", "object", "set", "string", "tuple",
];

/// Parses `expression` as a type.
pub(crate) fn type_constraint(expression: &Expression) -> Result<Type, Diagnostic> {
    type_of_node(&expression.node, &expression.file)
}

/// Parses a node of `file` as a type.
pub(super) fn type_of_node(node: &Node, file: &Arc<str>) -> Result<Type, Diagnostic> {
    let fail = |range: Range, message: String| {
        Err(Diagnostic::new(Kind::Type, message).at(range.within(file)))
    };
    match keyword(node) {
        Some("bool") => return Ok(Type::Bool),
        Some("string") => return Ok(Type::String),
        Some("number") => return Ok(Type::Number),
        Some("any") => return Ok(Type::Any),
        Some(name @ ("list" | "map" | "set")) => {
            let message = format!("{name} needs the type of its elements, such as {name}(string)");
            return fail(node.range(), message);
        }
        Some(name @ ("object" | "tuple")) => {
            let message = format!("{name} needs the types of its elements in parentheses");
            return fail(node.range(), message);
        }
        Some(name) => return Err(unknown_keyword(name, node.range(), file)),
        None => {}
    }
    let Some(call) = call(node) else {
        let message = "expected a type, such as string or list(string)";
        return fail(node.range(), message.to_owned());
    };
    let arguments = call.open.to(call.close);
    let argument = match (call.name.as_str(), call.arguments.as_slice()) {
        (name @ ("bool" | "string" | "number" | "any"), _) => {
            return fail(arguments, format!("{name} takes no arguments"));
        }
        ("optional", [_]) => {
            let message = "optional is for the attributes of an object only";
            return fail(call.name_range, message.to_owned());
        }
        (_, [argument]) => argument,
        (name @ ("list" | "set" | "map" | "object" | "tuple"), [_, extra @ ..]) => {
            let last = extra.last().map_or(arguments, Node::range);
            let range = extra
                .first()
                .map_or(arguments, |first| first.range().to(last));
            return fail(range, format!("{name} takes one argument"));
        }
        (name @ ("list" | "set" | "map" | "object" | "tuple"), []) => {
            return fail(arguments, format!("{name} takes one argument"));
        }
        ("optional", _) => {
            let message = "optional is for the attributes of an object only";
            return fail(call.name_range, message.to_owned());
        }
        (name, _) => return fail(node.range(), unknown(name)),
    };
    match call.name.as_str() {
        "list" => Ok(Type::list(type_of_node(argument, file)?)),
        "set" => Ok(Type::set(type_of_node(argument, file)?)),
        "map" => Ok(Type::map(type_of_node(argument, file)?)),
        "object" => object(argument, file),
        "tuple" => match list(argument) {
            Some(nodes) => {
                let types = nodes.iter().map(|node| type_of_node(node, file));
                Ok(Type::tuple(types.collect::<Result<_, _>>()?))
            }
            None => fail(argument.range(), "tuple needs a list of types".to_owned()),
        },
        name => fail(node.range(), unknown(name)),
    }
}

/// The error for a word that is no type.
fn unknown_keyword(name: &str, range: Range, file: &Arc<str>) -> Diagnostic {
    let failed = Diagnostic::new(Kind::Type, unknown(name)).at(range.within(file));
    failed.in_reference(format!(
        "Invalid type specification; The keyword {name:?} is not a valid type specification."
    ))
}

/// Returns the message for an unknown type.
fn unknown(name: &str) -> String {
    let hint =
        nearest(name, NAMES).map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
    format!("there is no type {name:?}{hint}")
}

/// Returns the type of an object with the attributes in `node`.
fn object(node: &Node, file: &Arc<str>) -> Result<Type, Diagnostic> {
    let fail = |range: Range, message: &str| {
        Err(Diagnostic::new(Kind::Type, message).at(range.within(file)))
    };
    let Some(pairs) = pairs(node) else {
        let message = "object needs its attributes and their types: object({ a = string })";
        return fail(node.range(), message);
    };
    let mut attributes = BTreeMap::new();
    for (name, range, value) in pairs {
        let Some(name) = name else {
            return fail(range, "expected the name of an attribute");
        };
        if attributes.contains_key(name) {
            return fail(range, "the attribute is given twice");
        }
        let (ty, optional) = match call(value).filter(|call| call.name == "optional") {
            Some(call) => (optional(call, file)?, true),
            None => (value, false),
        };
        let ty = type_of_node(ty, file)?;
        attributes.insert(name.to_owned(), Attribute { ty, optional });
    }
    Ok(Type::Object(Arc::new(attributes)))
}

/// Returns the type inside `optional(…)`.
fn optional<'a>(call: &'a Call, file: &Arc<str>) -> Result<&'a Node, Diagnostic> {
    match call.arguments.as_slice() {
        [ty] => Ok(ty),
        _ => {
            let range = call.open.to(call.close).within(file);
            let message = "optional takes one argument: the type of the attribute";
            Err(Diagnostic::new(Kind::Type, message).at(range))
        }
    }
}
