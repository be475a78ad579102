//! Variables, attributes and indices.

use super::expression::Evaluator;
use crate::diagnostic::{Diagnostic, Kind, variable_words};
use crate::syntax::Range;
use crate::syntax::ast::{Index, Reference, Step};
use crate::value::{Type, Value};

impl<'a> Evaluator<'a> {
    /// Returns the value of a variable, or of an attribute or index of it.
    pub(super) fn reference(&self, reference: &Reference) -> Result<Value, Diagnostic> {
        let root = reference.root.as_str();
        if let Some(value) = self.scope.find(root) {
            return self.steps(value.clone(), &reference.steps);
        }
        let Some(blocks) = self.globals().blocks.get(root) else {
            return Err(self.unknown_variable(root, reference.root_range));
        };
        match reference.steps.as_slice() {
            [Step::Attribute(name, range), rest @ ..] => match blocks.get(name) {
                Some(block) => self.steps(block.clone(), rest),
                None => {
                    let message = format!("there is no {root} {name:?}");
                    Err(self.undefined(*range, message, (name, blocks.keys())))
                }
            },
            steps => self.steps(Value::object(blocks.clone()), steps),
        }
    }

    /// Returns the error for an unknown variable.
    fn unknown_variable(&self, name: &str, range: Range) -> Diagnostic {
        let message = format!("there is no variable {name:?}");
        let known: Vec<&str> = self.scope.names().collect();
        let failed = self.undefined(range, message, (name, known));
        failed.in_reference(variable_words(name))
    }

    /// Returns the error for an unknown `name`, with the nearest of `known`.
    pub(super) fn undefined<K: AsRef<str> + 'a>(
        &self,
        range: Range,
        message: String,
        (name, known): (
            &str,
            impl IntoIterator<Item = K, IntoIter: ExactSizeIterator>,
        ),
    ) -> Diagnostic {
        // Errors and suggestions cost more than values, and `try` hides them.
        let known = known.into_iter();
        if let Err(error) = self.globals().spend(known.len() as u64 + 30) {
            return error.at(range.within(self.file));
        }
        let known: Vec<K> = known.collect();
        self.error(Kind::Undefined, range, message)
            .suggest(name, known.iter().map(K::as_ref))
    }

    /// Applies attribute and index `steps` to `value`.
    pub(super) fn steps(&self, value: Value, steps: &[Step]) -> Result<Value, Diagnostic> {
        steps.iter().try_fold(value, |value, step| match step {
            Step::Attribute(name, range) => self.attribute(&value, name, *range),
            Step::Index(key, range) => self.index(&value, key, *range),
        })
    }

    /// Returns `value[key]` with a computed key.
    pub(super) fn index_node(&self, index: &Index) -> Result<Value, Diagnostic> {
        let collection = self.node(&index.collection)?;
        let key = self.node(&index.key)?;
        self.index(&collection, &key, index.brackets)
    }

    /// Returns `value.name`.
    fn attribute(&self, value: &Value, name: &str, range: Range) -> Result<Value, Diagnostic> {
        let message = match value {
            Value::Null(_) => format!("null has no attribute {name:?}"),
            Value::Object(entries) | Value::Map(_, entries) => match entries.get(name) {
                Some(value) => return Ok(value.clone()),
                None => {
                    let message = format!("there is no attribute {name:?}");
                    return Err(self.undefined(range, message, (name, entries.keys())));
                }
            },
            Value::List(..) | Value::Tuple(_) => format!(
                "a list has no attribute {name:?}: pick an element with [0], or all with [*]"
            ),
            other => format!("{} has no attributes", article(&Type::of(other))),
        };
        self.fail(Kind::Type, range, message)
    }

    /// Returns `value[key]`.
    fn index(&self, value: &Value, key: &Value, range: Range) -> Result<Value, Diagnostic> {
        if value.is_null() {
            return self.fail(Kind::Type, range, "null has no elements");
        }
        if key.is_null() {
            return self.fail(Kind::Type, range, "the index is null");
        }
        match value {
            Value::List(_, items) | Value::Tuple(items) => self.element(items, key, range),
            Value::Map(_, entries) | Value::Object(entries) => {
                let key = self.convert(key, &Type::String, range, "the key cannot be text")?;
                let key = key.as_str().unwrap_or_default();
                entries.get(key).cloned().ok_or_else(|| {
                    let message = format!("there is no key {key:?}");
                    self.undefined(range, message, (key, entries.keys()))
                })
            }
            Value::Set(..) => self.fail(
                Kind::Type,
                range,
                "the elements of a set have no index: convert it to a list first",
            ),
            other => {
                let message = format!("{} has no elements", article(&Type::of(other)));
                self.fail(Kind::Type, range, message)
            }
        }
    }

    /// Returns the element of a list at `key`.
    fn element(&self, items: &[Value], key: &Value, range: Range) -> Result<Value, Diagnostic> {
        let key = self.convert(key, &Type::Number, range, "the index must be a number")?;
        let number = key.as_number();
        let index = number
            .filter(|number| number.is_integer())
            .and_then(crate::value::Number::to_i64)
            .and_then(|index| usize::try_from(index).ok());
        match index.and_then(|index| items.get(index)) {
            Some(item) => Ok(item.clone()),
            None => {
                let shown = crate::value::convert(&key, &Type::String).ok();
                let shown = shown.as_ref().and_then(Value::as_str).unwrap_or("this");
                let message = match items.len() {
                    0 => "the list is empty".to_owned(),
                    count => format!("there is no element {shown}: 0 to {} exist", count - 1),
                };
                self.fail(Kind::Undefined, range, message)
            }
        }
    }
}

/// Returns the type's name with its article.
pub(super) fn article(ty: &Type) -> String {
    let name = ty.friendly();
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {name}")
}
