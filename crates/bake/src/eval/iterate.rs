//! `for` expressions and splats.

use std::collections::BTreeMap;

use super::access::article;
use super::expression::Evaluator;
use super::scope::Scope;
use crate::diagnostic::{Diagnostic, Kind};
use crate::syntax::ast::{For, Node, Splat, Step};
use crate::syntax::references;
use crate::value::{Type, Value};

/// The results of a `for` expression so far.
#[derive(Default)]
struct Iterated {
    items: Vec<Value>,
    /// The values by key, if there are keys.
    entries: BTreeMap<String, Vec<Value>>,
    bytes: usize,
}

// Nested loops use much stack, so each step is a separate function.
impl Evaluator<'_> {
    /// Returns the value of a `for` expression.
    pub(super) fn for_node(&self, each: &For) -> Result<Value, Diagnostic> {
        let entries = self.iterated(each)?;
        self.check_condition(each)?;
        let mut made = Iterated::default();
        for (key, value) in entries {
            self.iteration(each, key, value, &mut made)?;
        }
        self.for_value(each, made)
    }

    /// Returns the keys and values to iterate over.
    fn iterated(&self, each: &For) -> Result<Vec<(Value, Value)>, Diagnostic> {
        let collection = self.node(&each.collection)?;
        entries(&collection).ok_or_else(|| {
            let message = match &collection {
                Value::Null(_) => "null cannot be iterated".to_owned(),
                other => format!("{} cannot be iterated", article(&Type::of(other))),
            };
            self.error(Kind::Type, each.collection.range(), message)
        })
    }

    /// Evaluates a `for` expression for one element.
    fn iteration(
        &self,
        each: &For,
        key: Value,
        value: Value,
        made: &mut Iterated,
    ) -> Result<(), Diagnostic> {
        let mut locals = Vec::with_capacity(2);
        if let Some(name) = &each.key_name {
            locals.push((name.as_str(), key));
        }
        locals.push((each.value_name.as_str(), value));
        let inner = Evaluator {
            scope: Scope::within(&self.scope, &locals),
            ..*self
        };
        if let Some(condition) = &each.condition
            && !inner.condition(condition)?
        {
            return Ok(());
        }
        let key = match &each.key {
            Some(key) => Some(inner.for_key(key)?),
            None => None,
        };
        let value = inner.node(&each.value)?;
        self.keep(each, key, value, made)
    }

    /// Adds the result of an iteration.
    fn keep(
        &self,
        each: &For,
        key: Option<String>,
        value: Value,
        made: &mut Iterated,
    ) -> Result<(), Diagnostic> {
        made.bytes += size_of::<Value>();
        let (Some(name), Some(node)) = (key, &each.key) else {
            made.items.push(value);
            return Ok(());
        };
        made.bytes += name.len() + size_of::<Value>();
        let values = made.entries.entry(name).or_default();
        if !each.group && !values.is_empty() {
            let message = "two elements have the same key";
            return Err(self
                .error(Kind::Expression, node.range(), message)
                .hint("write ... after the value to collect the values of one key"));
        }
        values.push(value);
        Ok(())
    }

    /// Returns the value of all iterations together.
    fn for_value(&self, each: &For, made: Iterated) -> Result<Value, Diagnostic> {
        let entries = made.entries.into_iter();
        let result = match (&each.key, each.group) {
            (None, _) => Value::tuple(made.items),
            (Some(_), true) => Value::object(
                entries
                    .map(|(key, items)| (key, Value::tuple(items)))
                    .collect(),
            ),
            (Some(_), false) => {
                let single = entries.filter_map(|(key, mut items)| Some((key, items.pop()?)));
                Value::object(single.collect())
            }
        };
        self.made(result, made.bytes, each.brackets.open)
    }

    /// Checks a condition that does not depend on the element, so that it fails for an empty list
    /// too.
    fn check_condition(&self, each: &For) -> Result<(), Diagnostic> {
        let Some(condition) = &each.condition else {
            return Ok(());
        };
        let local = |name: &str| each.key_name.as_deref() == Some(name) || each.value_name == name;
        let variables = references(condition).variables;
        if variables.iter().any(|reference| local(&reference.root)) {
            return Ok(());
        }
        self.condition(condition).map(drop)
    }

    /// Returns the key of an entry.
    fn for_key(&self, node: &Node) -> Result<String, Diagnostic> {
        let key = self.node(node)?;
        if key.is_null() {
            return self.fail(Kind::Type, node.range(), "the key is null");
        }
        let key = self.convert(&key, &Type::String, node.range(), "the key cannot be text")?;
        Ok(key.as_str().unwrap_or_default().to_owned())
    }

    /// Returns the value of a splat. A value that is not a list counts as a list with one element,
    /// and null as an empty one.
    pub(super) fn splat(&self, splat: &Splat) -> Result<Value, Diagnostic> {
        let source = self.node(&splat.source)?;
        let single;
        let (items, element) = match &source {
            Value::List(ty, items) | Value::Set(ty, items) => (&**items, Some(ty)),
            Value::Tuple(items) => (&**items, None),
            Value::Null(Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                let message = "null cannot be iterated";
                return self.fail(Kind::Type, splat.source.range(), message);
            }
            Value::Null(_) => return Ok(Value::tuple(Vec::new())),
            other => {
                single = [other.clone()];
                (&single[..], None)
            }
        };
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let inner = Evaluator {
                element: Some(item),
                ..*self
            };
            values.push(inner.node(&splat.each)?);
        }
        let bytes = values.len() * size_of::<Value>();
        let value = match element {
            None => Value::tuple(values),
            Some(element) => {
                let ty = match values.first() {
                    Some(first) => Type::of(first),
                    None => type_of_each(element, &splat.each),
                };
                if values.iter().any(|value| Type::of(value) != ty) {
                    return Err(self
                        .error(
                            Kind::Type,
                            splat.each.range(),
                            "the splat makes values of different types",
                        )
                        .hint("use [for x in list: …] instead"));
                }
                Value::list(ty, values)
            }
        };
        self.made(value, bytes, splat.marker)
    }
}

/// Returns the keys and values of a collection; `None` if it cannot be iterated.
fn entries(value: &Value) -> Option<Vec<(Value, Value)>> {
    Some(match value {
        Value::List(_, items) | Value::Tuple(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| (Value::count(index), item.clone()))
            .collect(),
        Value::Set(_, items) => items
            .iter()
            .map(|item| (item.clone(), item.clone()))
            .collect(),
        Value::Map(_, entries) | Value::Object(entries) => entries
            .iter()
            .map(|(key, item)| (Value::string(key.as_str()), item.clone()))
            .collect(),
        _ => return None,
    })
}

/// Returns the type of a splat's results for elements of type `element`, if it is obvious.
fn type_of_each(element: &Type, each: &Node) -> Type {
    match each {
        Node::Element(_) => element.clone(),
        Node::Relative(source, steps, _) => {
            let start = type_of_each(element, source);
            steps.iter().fold(start, |ty, step| match (&ty, step) {
                (Type::Object(attributes), Step::Attribute(name, _)) => attributes
                    .get(name)
                    .map_or(Type::Any, |attribute| attribute.ty.clone()),
                (Type::Map(element) | Type::List(element), _) => (**element).clone(),
                _ => Type::Any,
            })
        }
        _ => Type::Any,
    }
}
