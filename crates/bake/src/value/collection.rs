//! The shared content of values: elements in order, and elements by name.
//!
//! Both store their size, depth and type, so that values that share their content many times cost
//! no more than their memory.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use super::{Type, Value, normalize};

/// The elements of a list, a set or a tuple.
#[derive(Clone, Debug)]
pub struct Sequence(Arc<Shared<Vec<Value>>>);

/// The entries of a map or an object.
#[derive(Clone, Debug)]
pub struct Mapping(Arc<Shared<BTreeMap<String, Value>>>);

#[derive(Debug)]
struct Shared<T> {
    parts: T,
    size: u64,
    depth: u32,
    structural_type: OnceLock<Type>,
}

impl<T> Shared<T> {
    fn new(parts: T, (size, depth): (u64, u32)) -> Arc<Self> {
        Arc::new(Self {
            parts,
            size,
            depth,
            structural_type: OnceLock::new(),
        })
    }
}

impl Sequence {
    pub(super) fn new(items: Vec<Value>) -> Self {
        let weight = weigh(items.iter());
        Self(Shared::new(items, weight))
    }

    pub(super) fn size(&self) -> u64 {
        self.0.size
    }

    pub(super) fn depth(&self) -> u32 {
        self.0.depth
    }

    pub(super) fn type_of_tuple(&self) -> Type {
        let types = || Type::tuple(self.iter().map(Type::of).collect());
        self.0.structural_type.get_or_init(types).clone()
    }

    /// True if both share the same memory.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for Sequence {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.0.parts
    }
}

impl Mapping {
    pub(super) fn new(entries: BTreeMap<String, Value>) -> Self {
        let names: u64 = entries.keys().map(|name| name.len() as u64).sum();
        let (size, depth) = weigh(entries.values());
        let entries = normal_names(entries);
        Self(Shared::new(entries, (size.saturating_add(names), depth)))
    }

    pub(super) fn size(&self) -> u64 {
        self.0.size
    }

    pub(super) fn depth(&self) -> u32 {
        self.0.depth
    }

    pub(super) fn type_of_object(&self) -> Type {
        let types = || Type::object(self.iter().map(|(name, v)| (name.clone(), Type::of(v))));
        self.0.structural_type.get_or_init(types).clone()
    }

    /// True if both share the same memory.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for Mapping {
    type Target = BTreeMap<String, Value>;

    fn deref(&self) -> &BTreeMap<String, Value> {
        &self.0.parts
    }
}

fn weigh<'a>(values: impl Iterator<Item = &'a Value>) -> (u64, u32) {
    let add = |(size, depth): (u64, u32), value: &Value| {
        (size.saturating_add(value.size()), depth.max(value.depth()))
    };
    let (size, depth) = values.fold((0, 0), add);
    (size, depth.saturating_add(1))
}

fn normal_names(entries: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    if entries.keys().all(|name| name.is_ascii()) {
        return entries;
    }
    let normal = |(name, value): (String, Value)| (normalize(&name).into_owned(), value);
    entries.into_iter().map(normal).collect()
}

/// Gives untyped nulls among the elements the element type of the collection.
pub(super) fn typed(element: &Type, mut items: Vec<Value>) -> Vec<Value> {
    for item in &mut items {
        retype(element, item);
    }
    items
}

/// Gives untyped nulls among the entries the element type of the collection.
pub(super) fn typed_entries(
    element: &Type,
    mut entries: BTreeMap<String, Value>,
) -> BTreeMap<String, Value> {
    for value in entries.values_mut() {
        retype(element, value);
    }
    entries
}

fn retype(element: &Type, value: &mut Value) {
    if matches!(value, Value::Null(Type::Any)) {
        *value = Value::Null(element.clone());
    }
}

/// Returns the single type of all elements, if there is one; untyped nulls match any.
pub(super) fn common_type<'a>(values: impl Iterator<Item = &'a Value>) -> Option<Type> {
    let mut common = Type::Any;
    for value in values {
        let ty = Type::of(value);
        if common == Type::Any {
            common = ty;
        } else if ty != Type::Any && ty != common {
            return None;
        }
    }
    Some(common)
}
