//! Conversion of values to a type, with the rules of go-cty.
//!
//! The types decide first if a conversion exists; only then are values converted.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use thiserror::Error;

use super::collection::common_type;
use super::unify::{Safety, dynamic_replace, unify_with};
use super::{Attribute, Number, NumberError, Type, Value};

/// A failed conversion of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvertError {
    /// The path from the converted value to the wrong part.
    pub path: Vec<Step>,
    /// The fault of that part.
    pub reason: ConvertReason,
}

/// One step of a path into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An element, from 0.
    Index(usize),
    /// An attribute or a key.
    Name(String),
}

/// The reason a value cannot be converted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConvertReason {
    /// No conversion exists between the two types.
    #[error("{}", super::unify::describe_mismatch(.have, .want))]
    Mismatch {
        /// The type of the value.
        have: Type,
        /// The requested type.
        want: Type,
    },
    /// The text is not a number.
    #[error("a number is required, found {text:?}")]
    NotANumber {
        /// The text.
        text: String,
    },
    /// The number is out of range.
    #[error(transparent)]
    Number(NumberError),
    /// The text is neither `true` nor `false`, nor `1` nor `0`.
    #[error("a bool is required: \"true\" or \"false\" in lowercase, found {text:?}")]
    NotABool {
        /// The text.
        text: String,
    },
    /// A map lacks an attribute of the object type.
    #[error("attribute {name:?} is missing")]
    MissingAttribute {
        /// The attribute.
        name: String,
    },
    /// The elements have no common type.
    #[error("all elements must have the same type")]
    MixedTypes,
}

impl Display for ConvertError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for step in &self.path {
            match step {
                Step::Index(index) => write!(f, "element {index}: ")?,
                Step::Name(name) => write!(f, "{name:?}: ")?,
            }
        }
        self.reason.fmt(f)
    }
}

impl std::error::Error for ConvertError {}

impl From<ConvertReason> for ConvertError {
    fn from(reason: ConvertReason) -> Self {
        Self {
            path: Vec::new(),
            reason,
        }
    }
}

/// Converts the value to `want`; a value of that type is returned unchanged.
///
/// # Errors
///
/// If no conversion exists for the types, or a part of the value does not allow it: text that is
/// not a number, a map without a required attribute of an object.
pub fn convert(value: &Value, want: &Type) -> Result<Value, ConvertError> {
    let have = Type::of(value);
    if have == *want || have == want.without_optional() {
        return Ok(value.clone());
    }
    if !convertible(&have, want, Safety::Unsafe) {
        let want = want.clone();
        return Err(ConvertReason::Mismatch { have, want }.into());
    }
    apply(value, &have, want)
}

/// True if a conversion exists between the types, which must differ.
pub(super) fn convertible(have: &Type, want: &Type, safety: Safety) -> bool {
    let same_or = |have: &Type, want: &Type| have == want || convertible(have, want, safety);
    let unsafe_allowed = safety == Safety::Unsafe;
    match (have, want) {
        (_, Type::Any) => true,
        (Type::Any, _) => unsafe_allowed,
        (Type::Number | Type::Bool, Type::String) => true,
        (Type::String, Type::Number | Type::Bool) => unsafe_allowed,
        (Type::Object(have), Type::Object(want)) => {
            want.iter().all(|(name, wanted)| match have.get(name) {
                Some(attribute) => same_or(&attribute.ty, &wanted.ty),
                None => wanted.optional,
            })
        }
        (Type::Tuple(have), Type::Tuple(want)) => {
            have.len() == want.len() && have.iter().zip(want.iter()).all(|(h, w)| same_or(h, w))
        }
        (Type::List(_), Type::Set(_)) if !unsafe_allowed => false,
        (Type::List(have) | Type::Set(have), Type::List(want) | Type::Set(want))
        | (Type::Map(have), Type::Map(want)) => same_or(have, want),
        (Type::Tuple(have), Type::List(want) | Type::Set(want)) => {
            element_type(have.iter(), want, safety, true)
                .is_some_and(|want| have.iter().all(|have| same_or(have, &want)))
        }
        (Type::Object(have), Type::Map(want)) => {
            let types = || have.values().map(|attribute| &attribute.ty);
            element_type(types(), want, safety, false)
                .is_some_and(|want| types().all(|have| same_or(have, &want)))
        }
        (Type::Map(have), Type::Object(want)) => {
            let fits = |wanted: &Attribute| wanted.optional || same_or(have, &wanted.ty);
            unsafe_allowed && want.values().all(fits)
        }
        _ => false,
    }
}

/// Returns the element type for a tuple or an object; for `any` the unified type.
fn element_type<'a>(
    have: impl ExactSizeIterator<Item = &'a Type> + Clone,
    want: &Type,
    safety: Safety,
    no_mixture: bool,
) -> Option<Type> {
    if *want != Type::Any || have.len() == 0 {
        return Some(want.clone());
    }
    let types: Vec<Type> = have.cloned().collect();
    let unified = unify_with(&types, safety)?;
    let mixture = unified == Type::Any && types.iter().any(|ty| *ty != Type::Any);
    (!(no_mixture && mixture)).then_some(unified)
}

/// Converts a value for which [`convertible`] is true.
fn apply(value: &Value, have: &Type, want: &Type) -> Result<Value, ConvertError> {
    if *want == Type::Any {
        return Ok(value.clone());
    }
    if value.is_null() {
        return Ok(Value::Null(dynamic_replace(have, &want.without_optional())));
    }
    match (want, value) {
        (Type::Object(want), Value::Object(entries)) => to_object(entries, want, false),
        (Type::Object(want), Value::Map(_, entries)) => to_object(entries, want, true),
        (Type::Tuple(want), Value::Tuple(items)) => {
            let pairs = items.iter().zip(want.iter()).enumerate();
            let items: Result<_, _> = pairs
                .map(|(i, (item, want))| index(item, want, i))
                .collect();
            Ok(Value::tuple(items?))
        }
        (Type::List(want), _) => to_sequence(value, have, want).and_then(list),
        (Type::Set(want), _) => to_sequence(value, have, want).and_then(set),
        (Type::Map(want), _) => to_map(value, have, want),
        _ => primitive(value, want),
    }
}

/// Converts a part, which may already have the requested type.
fn part(value: &Value, want: &Type) -> Result<Value, ConvertError> {
    let have = Type::of(value);
    if have == *want {
        return Ok(value.clone());
    }
    match have {
        // Only a value shows the content of an untyped part; it is always null.
        Type::Any => convert(value, want),
        have if convertible(&have, want, Safety::Unsafe) => apply(value, &have, want),
        have => {
            let want = want.clone();
            Err(ConvertReason::Mismatch { have, want }.into())
        }
    }
}

fn index(value: &Value, want: &Type, index: usize) -> Result<Value, ConvertError> {
    part(value, want).map_err(|error| error.within(Step::Index(index)))
}

fn named(value: &Value, want: &Type, name: &str) -> Result<Value, ConvertError> {
    part(value, want).map_err(|error| error.within(Step::Name(name.to_owned())))
}

fn is_primitive(ty: &Type) -> bool {
    matches!(ty, Type::String | Type::Number | Type::Bool)
}

fn primitive(value: &Value, want: &Type) -> Result<Value, ConvertError> {
    match (value, want) {
        (Value::Number(number), Type::String) => Ok(Value::string(number.to_string())),
        (Value::Bool(value), Type::String) => Ok(Value::string(value.to_string())),
        (Value::String(text), Type::Number) => match Number::parse(text) {
            Ok(number) => Ok(Value::Number(number)),
            Err(NumberError::NotANumber) => Err(ConvertReason::NotANumber { text: start(text) }),
            Err(error) => Err(ConvertReason::Number(error)),
        }
        .map_err(ConvertError::from),
        (Value::String(text), Type::Bool) => match &**text {
            "true" | "1" => Ok(Value::Bool(true)),
            "false" | "0" => Ok(Value::Bool(false)),
            _ => Err(ConvertReason::NotABool { text: start(text) }.into()),
        },
        _ => {
            let (have, want) = (Type::of(value), want.clone());
            Err(ConvertReason::Mismatch { have, want }.into())
        }
    }
}

/// Returns the start of a text, for a message.
fn start(text: &str) -> String {
    text.chars().take(100).collect()
}

fn to_object(
    entries: &BTreeMap<String, Value>,
    want: &BTreeMap<String, Attribute>,
    from_map: bool,
) -> Result<Value, ConvertError> {
    let mut converted = BTreeMap::new();
    for (name, attribute) in want {
        let value = match entries.get(name) {
            Some(value) => named(value, &attribute.ty, name)?,
            None if attribute.optional => Value::Null(attribute.ty.without_optional()),
            None if from_map => {
                let name = name.clone();
                return Err(ConvertReason::MissingAttribute { name }.into());
            }
            None => continue,
        };
        converted.insert(name.clone(), value);
    }
    Ok(Value::object(converted))
}

/// Converted elements; or the element type if there are none.
struct Elements {
    items: Vec<Value>,
    empty: Type,
}

fn to_sequence(value: &Value, have: &Type, want: &Type) -> Result<Elements, ConvertError> {
    let items = value.items().unwrap_or_default();
    let (want, empty) = match have {
        Type::Tuple(types) => {
            let unified = element_type(types.iter(), want, Safety::Unsafe, true);
            let want = unified.ok_or(ConvertReason::MixedTypes)?;
            (want.clone(), want.without_optional())
        }
        Type::List(element) | Type::Set(element) if *want == Type::Any => {
            (want.clone(), (**element).clone())
        }
        _ => (want.clone(), want.without_optional()),
    };
    let converted = items
        .iter()
        .enumerate()
        .map(|(i, item)| index(item, &want, i));
    let mut items: Vec<Value> = converted.collect::<Result<_, _>>()?;
    if matches!(have, Type::Tuple(_)) && common_type(items.iter()).is_none() {
        // The elements of `list(list(any))` may still have different types.
        let types: Vec<Type> = items.iter().map(Type::of).collect();
        let unified = unify_with(&types, Safety::Unsafe).ok_or(ConvertReason::MixedTypes)?;
        let again = items
            .iter()
            .enumerate()
            .map(|(i, item)| index(item, &unified, i));
        items = again.collect::<Result<_, _>>()?;
    }
    Ok(Elements { items, empty })
}

fn list(elements: Elements) -> Result<Value, ConvertError> {
    let ty = elements.common_type()?;
    Ok(Value::list(ty, elements.items))
}

fn set(elements: Elements) -> Result<Value, ConvertError> {
    let ty = elements.common_type()?;
    Ok(Value::set(ty, elements.items))
}

impl Elements {
    fn common_type(&self) -> Result<Type, ConvertError> {
        if self.items.is_empty() {
            return Ok(self.empty.clone());
        }
        common_type(self.items.iter()).ok_or_else(|| ConvertReason::MixedTypes.into())
    }
}

fn to_map(value: &Value, have: &Type, want: &Type) -> Result<Value, ConvertError> {
    let no_entries = BTreeMap::new();
    let entries = value.entries().unwrap_or(&no_entries);
    let (want, empty) = match have {
        Type::Object(attributes) => {
            let types = attributes.values().map(|attribute| &attribute.ty);
            let unified = element_type(types, want, Safety::Unsafe, false);
            let want = unified.ok_or(ConvertReason::MixedTypes)?;
            (want.clone(), want.without_optional())
        }
        Type::Map(element) if *want == Type::Any => (want.clone(), (**element).clone()),
        _ => (want.clone(), want.without_optional()),
    };
    if entries.is_empty() {
        return Ok(Value::map(empty, BTreeMap::new()));
    }
    let converted = entries
        .iter()
        .map(|(name, value)| Ok((name.clone(), named(value, &want, name)?)));
    let mut entries: BTreeMap<String, Value> = converted.collect::<Result<_, ConvertError>>()?;
    let mixed = common_type(entries.values()).is_none();
    if mixed && (want.is_collection() || matches!(want, Type::Object(_))) {
        let safety = if matches!(have, Type::Object(_)) {
            Safety::Unsafe
        } else {
            Safety::Safe
        };
        let types: Vec<Type> = entries.values().map(Type::of).collect();
        let unified = unify_with(&types, safety).ok_or(ConvertReason::MixedTypes)?;
        for (name, value) in &mut entries {
            *value = named(value, &unified, name)?;
        }
    }
    let ty = common_type(entries.values()).ok_or(ConvertReason::MixedTypes)?;
    Ok(Value::map(ty, entries))
}

impl ConvertError {
    /// The reason in the words of go-cty, if it is about the whole value.
    pub(crate) fn in_reference(&self) -> Option<String> {
        if !self.path.is_empty() {
            return None;
        }
        Some(match &self.reason {
            ConvertReason::NotABool { .. } => "a bool is required".to_owned(),
            ConvertReason::NotANumber { .. } => "a number is required".to_owned(),
            ConvertReason::Mismatch { have, want } => match (have, want) {
                (Type::Tuple(_), Type::Map(_))
                | (Type::Object(_), Type::List(_) | Type::Set(_)) => {
                    format!("{} required", want.friendly())
                }
                // go-cty describes the element that differs.
                (Type::Tuple(_) | Type::Object(_), want) if !is_primitive(want) => return None,
                _ => format!("{} required, but have {}", want.friendly(), have.friendly()),
            },
            _ => return None,
        })
    }

    fn within(mut self, step: Step) -> Self {
        self.path.insert(0, step);
        self
    }
}
