//! Values and types of expressions, with the semantics of go-cty.
//!
//! There are no unknown values: an expression that cannot be evaluated stops the evaluation.

mod number;

mod types;

mod collection;

mod equality;

mod set;

mod convert;

mod unify;

pub mod json;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

pub use collection::{Mapping, Sequence};
pub use convert::{ConvertError, ConvertReason, Step, convert};
pub use number::{FloatStyle, FormatFlags, LITERAL_PRECISION, Number, NumberError};
pub use types::{Attribute, Type};
pub use unify::unify;

/// The largest [`Value::size`] of one value.
pub const MAX_SIZE: u64 = 32 << 20;

/// The deepest nesting of one value.
pub const MAX_DEPTH: u32 = 500;

/// The value of an expression. Cloning is cheap.
///
/// Collections are created by [`Value::tuple`], [`Value::list`] and the like, which store the size
/// of a value, because walking shared parts again and again would be slow.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null` with a type; [`Type::Any`] if it is unknown.
    Null(Type),
    /// `true` or `false`
    Bool(bool),
    /// A number of up to 512 bits.
    Number(Number),
    /// Text in Unicode normalization form C (NFC).
    String(Arc<str>),
    /// Elements of one type, in order.
    List(Type, Sequence),
    /// Elements of one type, without duplicates, in the order of go-cty's sets.
    Set(Type, Sequence),
    /// Elements of one type by name.
    Map(Type, Mapping),
    /// Elements of any type, in order: `[1, "a"]`.
    Tuple(Sequence),
    /// Elements of any type by name: `{ a = 1 }`.
    Object(Mapping),
}

/// The value is too large or nested too deeply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SizeError {
    /// The value is larger than [`MAX_SIZE`].
    #[error("the value would be larger than {} MiB", MAX_SIZE >> 20)]
    TooLarge,
    /// The value is deeper than [`MAX_DEPTH`].
    #[error("the value would be nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
}

impl Value {
    /// Returns `null` without a particular type.
    #[must_use]
    pub fn null() -> Self {
        Self::Null(Type::Any)
    }

    /// Returns text, converted to NFC.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = text.into();
        match normalize(&text) {
            Cow::Borrowed(_) => Self::String(text),
            Cow::Owned(normal) => Self::String(normal.into()),
        }
    }

    /// Returns a whole number.
    #[must_use]
    pub fn int(value: i64) -> Self {
        Self::Number(Number::from_i64(value))
    }

    /// Returns a count as a number.
    #[must_use]
    pub fn count(value: usize) -> Self {
        Self::int(i64::try_from(value).unwrap_or(i64::MAX))
    }

    /// Returns a tuple: `[…]`.
    #[must_use]
    pub fn tuple(items: Vec<Self>) -> Self {
        Self::Tuple(Sequence::new(items))
    }

    /// Returns an object: `{…}`; names are converted to NFC.
    #[must_use]
    pub fn object(entries: BTreeMap<String, Self>) -> Self {
        Self::Object(Mapping::new(entries))
    }

    /// Returns a list of `items`, which must have the type `element` or be untyped nulls.
    #[must_use]
    pub fn list(element: Type, items: Vec<Self>) -> Self {
        let items = collection::typed(&element, items);
        Self::List(element, Sequence::new(items))
    }

    /// Returns a set of `items`, which must have the type `element` or be untyped nulls.
    #[must_use]
    pub fn set(element: Type, items: Vec<Self>) -> Self {
        let items = set::sorted(collection::typed(&element, items));
        Self::Set(element, Sequence::new(items))
    }

    /// Returns a map of `entries`, which must have the type `element` or be untyped nulls.
    #[must_use]
    pub fn map(element: Type, entries: BTreeMap<String, Self>) -> Self {
        let entries = collection::typed_entries(&element, entries);
        Self::Map(element, Mapping::new(entries))
    }

    /// Returns a list of texts.
    pub fn strings(items: impl IntoIterator<Item = impl Into<Arc<str>>>) -> Self {
        Self::list(Type::String, items.into_iter().map(Self::string).collect())
    }

    /// True for a null of any type.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null(_))
    }

    /// Returns the text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value of a bool.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the number.
    #[must_use]
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Returns the elements of a list, a set or a tuple.
    #[must_use]
    pub fn items(&self) -> Option<&[Self]> {
        match self {
            Self::List(_, items) | Self::Set(_, items) | Self::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the entries of a map or an object, by key.
    #[must_use]
    pub fn entries(&self) -> Option<&BTreeMap<String, Self>> {
        match self {
            Self::Map(_, entries) | Self::Object(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the approximate size in bytes of this value with all its parts, as if nothing is
    /// shared.
    #[must_use]
    pub fn size(&self) -> u64 {
        let content = match self {
            Self::Null(_) | Self::Bool(_) => 0,
            Self::Number(number) if number.is_small() => 64,
            Self::Number(number) => number.text_bound(),
            Self::String(text) => text.len() as u64,
            Self::List(_, items) | Self::Set(_, items) | Self::Tuple(items) => items.size(),
            Self::Map(_, entries) | Self::Object(entries) => entries.size(),
        };
        content.saturating_add(size_of::<Self>() as u64)
    }

    /// Returns the nesting depth: 0 for anything except collections.
    #[must_use]
    pub fn depth(&self) -> u32 {
        match self {
            Self::List(_, items) | Self::Set(_, items) | Self::Tuple(items) => items.depth(),
            Self::Map(_, entries) | Self::Object(entries) => entries.depth(),
            _ => 0,
        }
    }

    /// Rejects a value that is too large.
    ///
    /// # Errors
    ///
    /// If the value is larger than [`MAX_SIZE`] or deeper than [`MAX_DEPTH`].
    pub fn check_size(&self) -> Result<(), SizeError> {
        if self.size() > MAX_SIZE {
            Err(SizeError::TooLarge)
        } else if self.depth() > MAX_DEPTH {
            Err(SizeError::TooDeep)
        } else {
            Ok(())
        }
    }
}

/// Returns the text in NFC.
pub(crate) fn normalize(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}
