//! Finds the common type of several types, like go-cty's `UnifyUnsafe`.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::Type;
use super::convert::convertible;
use super::types::Attribute;

/// The most distinct types; more have no common type.
const MAX_DISTINCT: usize = 1000;

/// The allowed conversions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Safety {
    /// Conversions that succeed for every value.
    Safe,
    /// Also conversions that can fail, such as text to number.
    Unsafe,
}

/// Returns the most general type that all types convert to; `None` if there is none, or no type.
#[must_use]
pub fn unify(types: &[Type]) -> Option<Type> {
    unify_with(types, Safety::Unsafe)
}

pub(super) fn unify_with(types: &[Type], safety: Safety) -> Option<Type> {
    let types = distinct(types)?;
    let [first, rest @ ..] = &types[..] else {
        return None;
    };
    if rest.is_empty() {
        return Some(first.clone());
    }
    let kinds = Kinds::count(&types);
    let all = types.len();
    let dynamic = kinds.any > 0;
    if kinds.map > 0 && kinds.map + kinds.any == all
        || kinds.list > 0 && kinds.list + kinds.any == all
        || kinds.set > 0 && kinds.set + kinds.any == all
    {
        return if dynamic {
            Some(Type::Any)
        } else {
            unify_collections(&types, safety)
        };
    }
    if kinds.object > 0 && kinds.object + kinds.any == all {
        return if dynamic {
            Some(Type::Any)
        } else {
            unify_objects(&types, safety)
        };
    }
    if kinds.tuple > 0 && kinds.tuple + kinds.any == all {
        return if dynamic {
            Some(Type::Any)
        } else {
            unify_tuples(&types, safety)
        };
    }
    let mixed = if kinds.map > 0 && kinds.map + kinds.object + kinds.any == all {
        unify_as_collections(&types, safety, |ty| match ty {
            Type::Object(_) => objects_to_map(std::slice::from_ref(ty), safety),
            other => Some(other.clone()),
        })
    } else if kinds.list > 0 && kinds.list + kinds.tuple + kinds.any == all {
        unify_as_collections(&types, safety, |ty| match ty {
            Type::Tuple(_) => tuples_to_list(std::slice::from_ref(ty), safety),
            other => Some(other.clone()),
        })
    } else if kinds.object > 0 && kinds.tuple > 0 {
        return None;
    } else {
        None
    };
    mixed.or_else(|| preferred(&types, safety))
}

/// Returns the types without duplicates, in order.
fn distinct(types: &[Type]) -> Option<Vec<Type>> {
    let mut seen = HashSet::new();
    let distinct: Vec<Type> = types
        .iter()
        .filter(|ty| seen.insert(*ty))
        .cloned()
        .collect();
    (distinct.len() <= MAX_DISTINCT).then_some(distinct)
}

/// The number of types of each kind.
#[derive(Default)]
struct Kinds {
    map: usize,
    list: usize,
    set: usize,
    object: usize,
    tuple: usize,
    any: usize,
}

impl Kinds {
    fn count(types: &[Type]) -> Self {
        let mut kinds = Self::default();
        for ty in types {
            match ty {
                Type::Map(_) => kinds.map += 1,
                Type::List(_) => kinds.list += 1,
                Type::Set(_) => kinds.set += 1,
                Type::Object(_) => kinds.object += 1,
                Type::Tuple(_) => kinds.tuple += 1,
                Type::Any => kinds.any += 1,
                _ => {}
            }
        }
        kinds
    }
}

/// Unifies collections of one kind: the collection of the common element type.
fn unify_collections(types: &[Type], safety: Safety) -> Option<Type> {
    let elements: Vec<Type> = types.iter().filter_map(Type::element).cloned().collect();
    let element = Arc::new(unify_with(&elements, safety)?);
    let unified = match types.first()? {
        Type::List(_) => Type::List(element),
        Type::Set(_) => Type::Set(element),
        _ => Type::Map(element),
    };
    all_convert(types, &unified, safety).then_some(unified)
}

/// Unifies collections mixed with tuples or objects, which are often literals of collections.
fn unify_as_collections(
    types: &[Type],
    safety: Safety,
    disguised: impl Fn(&Type) -> Option<Type>,
) -> Option<Type> {
    let collections: Option<Vec<Type>> = types.iter().map(disguised).collect();
    let unified = unify_with(&collections?, safety)?;
    matches!(unified, Type::List(_) | Type::Map(_)).then_some(unified)
}

fn unify_objects(types: &[Type], safety: Safety) -> Option<Type> {
    let shapes: Vec<&BTreeMap<String, Attribute>> = types.iter().filter_map(attributes).collect();
    let (first, rest) = shapes.split_first()?;
    if !rest.iter().all(|shape| shape.keys().eq(first.keys())) {
        return objects_to_map(types, safety);
    }
    let mut unified = BTreeMap::new();
    for name in first.keys() {
        let across = shapes.iter().filter_map(|shape| shape.get(name));
        let across: Vec<Type> = across.map(|attribute| attribute.ty.clone()).collect();
        unified.insert(name.clone(), unify_with(&across, safety)?);
    }
    let unified = Type::object(unified);
    if all_convert(types, &unified, safety) {
        Some(unified)
    } else {
        objects_to_map(types, safety)
    }
}

fn objects_to_map(types: &[Type], safety: Safety) -> Option<Type> {
    let attributes = types
        .iter()
        .filter_map(attributes)
        .flat_map(BTreeMap::values);
    let elements: Vec<Type> = attributes.map(|attribute| attribute.ty.clone()).collect();
    let unified = Type::map(unify_with(&elements, safety)?);
    all_convert(types, &unified, safety).then_some(unified)
}

fn unify_tuples(types: &[Type], safety: Safety) -> Option<Type> {
    let shapes: Vec<&Vec<Type>> = types.iter().filter_map(elements).collect();
    let (first, rest) = shapes.split_first()?;
    if !rest.iter().all(|shape| shape.len() == first.len()) {
        return tuples_to_list(types, safety);
    }
    let mut unified = Vec::with_capacity(first.len());
    for index in 0..first.len() {
        let across = shapes.iter().filter_map(|shape| shape.get(index)).cloned();
        unified.push(unify_with(&across.collect::<Vec<_>>(), safety)?);
    }
    let unified = Type::tuple(unified);
    if all_convert(types, &unified, safety) {
        Some(unified)
    } else {
        tuples_to_list(types, safety)
    }
}

fn tuples_to_list(types: &[Type], safety: Safety) -> Option<Type> {
    let elements = types.iter().filter_map(elements).flatten();
    let elements: Vec<Type> = elements.cloned().collect();
    let unified = Type::list(unify_with(&elements, safety)?);
    all_convert(types, &unified, safety).then_some(unified)
}

/// Returns the first of the types, in the order of preference, that all others convert to.
fn preferred(types: &[Type], safety: Safety) -> Option<Type> {
    let order = by_preference(types);
    let wanted = order.into_iter().filter_map(|index| types.get(index));
    wanted
        .into_iter()
        .find(|want| all_convert(types, want, safety))
        .cloned()
}

fn all_convert(types: &[Type], want: &Type, safety: Safety) -> bool {
    types
        .iter()
        .all(|ty| ty == want || convertible(ty, want, safety))
}

/// Returns the positions of the types, more general ones first, otherwise in the given order.
fn by_preference(types: &[Type]) -> Vec<usize> {
    let count = types.len();
    let mut edges = vec![Vec::new(); count];
    let mut incoming = vec![0usize; count];
    for (i, a) in types.iter().enumerate() {
        for (j, b) in types.iter().enumerate().skip(i + 1) {
            let (from, to) = match compare(a, b) {
                Ordering::Less => (i, j),
                Ordering::Greater => (j, i),
                Ordering::Equal => continue,
            };
            edges[from].push(to);
            incoming[to] += 1;
        }
    }
    let mut order: Vec<usize> = (0..count).filter(|&i| incoming[i] == 0).collect();
    let mut next = 0;
    while let Some(&current) = order.get(next) {
        next += 1;
        for &to in &edges[current] {
            incoming[to] -= 1;
            if incoming[to] == 0 {
                order.push(to);
            }
        }
    }
    order
}

/// Returns `Less` if `a` is the more general type.
fn compare(a: &Type, b: &Type) -> Ordering {
    match (a, b) {
        (Type::Any, Type::Any) => Ordering::Equal,
        (Type::Any, _) => Ordering::Greater,
        (_, Type::Any) => Ordering::Less,
        (Type::String, Type::Bool | Type::Number) => Ordering::Less,
        (Type::Bool | Type::Number, Type::String) => Ordering::Greater,
        (Type::List(a), Type::List(b))
        | (Type::Set(a), Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => compare(a, b),
        (Type::List(_) | Type::Tuple(_), Type::Set(_))
        | (Type::List(_), Type::Tuple(_))
        | (Type::Map(_), Type::Object(_)) => Ordering::Less,
        (Type::Set(_), Type::List(_) | Type::Tuple(_))
        | (Type::Tuple(_), Type::List(_))
        | (Type::Object(_), Type::Map(_)) => Ordering::Greater,
        (Type::Object(a), Type::Object(b)) if a.keys().eq(b.keys()) => {
            let pairs = a.values().zip(b.values());
            agreed(pairs.map(|(a, b)| compare(&a.ty, &b.ty)))
        }
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            agreed(a.iter().zip(b.iter()).map(|(a, b)| compare(a, b)))
        }
        _ => Ordering::Equal,
    }
}

/// Returns the order on which all parts agree.
fn agreed(parts: impl Iterator<Item = Ordering>) -> Ordering {
    let mut result = Ordering::Equal;
    for part in parts {
        if result != Ordering::Equal && part != Ordering::Equal && part != result {
            return Ordering::Equal;
        }
        if result == Ordering::Equal {
            result = part;
        }
    }
    result
}

fn attributes(ty: &Type) -> Option<&BTreeMap<String, Attribute>> {
    match ty {
        Type::Object(attributes) => Some(attributes),
        _ => None,
    }
}

fn elements(ty: &Type) -> Option<&Vec<Type>> {
    match ty {
        Type::Tuple(elements) => Some(elements),
        _ => None,
    }
}

/// Returns `out` with the parts of type `any` taken from `have`; the types must be convertible.
pub(super) fn dynamic_replace(have: &Type, out: &Type) -> Type {
    let unified = |types: Vec<Type>| unify(&types).unwrap_or(Type::Any);
    match (have, out) {
        (Type::Any, _) => out.clone(),
        (_, Type::Any) => have.clone(),
        (Type::Map(have), Type::Map(out)) => Type::map(dynamic_replace(have, out)),
        (Type::Object(have), Type::Map(out)) => {
            let types = have
                .values()
                .map(|attribute| attribute.ty.clone())
                .collect();
            Type::map(dynamic_replace(&unified(types), out))
        }
        (Type::List(have) | Type::Set(have), Type::List(out)) => {
            Type::list(dynamic_replace(have, out))
        }
        (Type::List(have) | Type::Set(have), Type::Set(out)) => {
            Type::set(dynamic_replace(have, out))
        }
        (Type::Tuple(have), Type::List(out)) => {
            Type::list(dynamic_replace(&unified(have.to_vec()), out))
        }
        (Type::Tuple(have), Type::Set(out)) => {
            Type::set(dynamic_replace(&unified(have.to_vec()), out))
        }
        (Type::Tuple(have), Type::Tuple(out)) => {
            let pairs = have.iter().zip(out.iter());
            Type::tuple(
                pairs
                    .map(|(have, out)| dynamic_replace(have, out))
                    .collect(),
            )
        }
        (Type::Map(have), Type::Object(out)) => {
            let part = |(name, wanted): (&String, &Attribute)| {
                (name.clone(), dynamic_replace(have, &wanted.ty))
            };
            Type::object(out.iter().map(part))
        }
        (Type::Object(have), Type::Object(out)) => {
            let part = |(name, wanted): (&String, &Attribute)| {
                let ty = match have.get(name) {
                    Some(attribute) => dynamic_replace(&attribute.ty, &wanted.ty),
                    None => wanted.ty.clone(),
                };
                (name.clone(), ty)
            };
            Type::object(out.iter().map(part))
        }
        _ => out.clone(),
    }
}

/// Describes the reason no conversion exists between two types.
pub(super) fn describe_mismatch(have: &Type, want: &Type) -> String {
    let differs =
        |have: &Type, want: &Type| have != want && !convertible(have, want, Safety::Unsafe);
    match (have, want) {
        (Type::Object(have), Type::Object(want)) => {
            let missing = want
                .iter()
                .find(|(name, a)| !a.optional && !have.contains_key(*name));
            if let Some((name, _)) = missing {
                return format!("attribute {name:?} is missing");
            }
            for (name, wanted) in want.iter() {
                if let Some(has) = have.get(name).filter(|has| differs(&has.ty, &wanted.ty)) {
                    let why = describe_mismatch(&has.ty, &wanted.ty);
                    return format!("attribute {name:?}: {why}");
                }
            }
        }
        (Type::Tuple(_), Type::List(want) | Type::Set(want)) if **want == Type::Any => {
            return "all elements must have the same type".to_owned();
        }
        (Type::Object(_), Type::Map(want)) if **want == Type::Any => {
            return "all elements must have the same type".to_owned();
        }
        (Type::Tuple(have), Type::List(want) | Type::Set(want)) => {
            if let Some((i, has)) = have.iter().enumerate().find(|(_, has)| differs(has, want)) {
                return format!("element {i}: {}", describe_mismatch(has, want));
            }
        }
        (Type::Object(have), Type::Map(want)) => {
            if let Some((name, has)) = have.iter().find(|(_, has)| differs(&has.ty, want)) {
                return format!("element {name:?}: {}", describe_mismatch(&has.ty, want));
            }
        }
        _ => {}
    }
    format!("{} is required, found {}", want.friendly(), have.friendly())
}
