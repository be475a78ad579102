//! Errors of calling library functions.

mod problems;

use std::fmt::{self, Display, Formatter};

use thiserror::Error;

use crate::value::json::JsonError;
use crate::value::{ConvertError, NumberError, SizeError, Type};

use super::version::VersionError;

pub(super) use problems::{CsvProblem, FormatProblem};

/// A function rejected its arguments, or its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// The function's name.
    pub function: &'static str,
    /// The wrong argument, from 0; `None` if the call as a whole is wrong.
    pub argument: Option<usize>,
    /// The name of that argument's parameter.
    pub parameter: Option<&'static str>,
    /// The fault.
    pub reason: CallReason,
}

impl Display for CallError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(): ", self.function)?;
        match (self.argument, self.parameter) {
            (Some(index), Some(name)) => write!(f, "argument {} ({name}): ", index + 1)?,
            (Some(index), None) => write!(f, "argument {}: ", index + 1)?,
            (None, _) => {}
        }
        self.reason.fmt(f)
    }
}

impl std::error::Error for CallError {}

/// The fault of a call.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CallReason {
    /// The argument is null.
    #[error("null is not allowed here")]
    Null,
    /// The argument is absent.
    #[error("the argument is missing")]
    Missing,
    /// The function needs an argument, and got none.
    #[error("at least one argument is required")]
    NoArguments,
    /// The function needs more arguments.
    #[error("at least two arguments are required")]
    OneArgument,
    /// The function accepts fewer arguments.
    #[error("at most {most} arguments are taken, found {found}")]
    TooManyArguments {
        /// The most arguments.
        most: usize,
        /// The number of arguments.
        found: usize,
    },
    /// The argument is not text.
    #[error("a string is required")]
    TextRequired,
    /// The argument is not a bool.
    #[error("a bool is required")]
    BoolRequired,
    /// The argument is not a number.
    #[error("a number is required")]
    NumberRequired,
    /// The number has a fraction or does not fit 64 bits.
    #[error("a whole number of at most 64 bits is required")]
    WholeNumberRequired,
    /// The number does not fit a 64-bit float.
    #[error("the number is too large for a 64-bit float")]
    NotAFloat,
    /// The number is infinite.
    #[error("infinity is not a whole number")]
    Infinite,
    /// The result is not a number.
    #[error("the result is undefined")]
    Undefined,
    /// The base is not supported.
    #[error("the base must be a whole number from 2 to 62")]
    Base,
    /// The text is not an integer in that base.
    #[error("{text:?} is not a whole number in base {base}")]
    NotAnInteger {
        /// The text.
        text: String,
        /// The base.
        base: u32,
    },
    /// The argument is not one of the collections that the function accepts.
    #[error("a list or a tuple is required")]
    SequenceRequired,
    /// The argument is not a list, tuple or set.
    #[error("a list, a tuple or a set is required, found {}", found.friendly())]
    AnySequenceRequired {
        /// The type of the argument.
        found: Type,
    },
    /// The argument is neither map nor object.
    #[error("a map or an object is required, found {}", found.friendly())]
    MappingRequired {
        /// The type of the argument.
        found: Type,
    },
    /// The argument cannot be indexed.
    #[error("a list, a tuple or a map is required, found {}", found.friendly())]
    IndexableRequired {
        /// The type of the argument.
        found: Type,
    },
    /// The key of a list or tuple is not a number, or the key of a map is not a string.
    #[error("the key must be a {}", want.friendly())]
    KeyType {
        /// The required type.
        want: Type,
    },
    /// There is no element with that key.
    #[error("there is no element with this key")]
    NoSuchElement,
    /// The list is empty.
    #[error("the list is empty")]
    Empty,
    /// All arguments are null or empty.
    #[error("every argument is null")]
    AllNull,
    /// No argument has an element.
    #[error("every argument is null or empty")]
    AllEmpty,
    /// The value is not in the list.
    #[error("the value is not in the list")]
    NotFound,
    /// The values have no type in common.
    #[error("all arguments must have the same type")]
    MixedTypes,
    /// The elements have no type in common.
    #[error("all elements must have the same type")]
    MixedElements,
    /// The number must not be negative.
    #[error("the number must not be negative")]
    Negative,
    /// The index is beyond the end.
    #[error("the index {index} is beyond the end: the length is {length}")]
    BeyondEnd {
        /// The index.
        index: i64,
        /// The length.
        length: usize,
    },
    /// The start is after the end.
    #[error("the start index must not be greater than the end index")]
    StartAfterEnd,
    /// The numbers of keys and values differ.
    #[error("{keys} keys do not match {values} values")]
    KeysAndValues {
        /// The number of keys.
        keys: usize,
        /// The number of values.
        values: usize,
    },
    /// An element of a list of text is null.
    #[error("element {index} is null")]
    NullElement {
        /// The index of the element, from 0.
        index: usize,
    },
    /// The type of `lookup`'s default value does not match the map.
    #[error("the default must have the type of the map's elements: {}", want.friendly())]
    DefaultType {
        /// The type of the elements.
        want: Type,
    },
    /// `range` takes one to three arguments.
    #[error("one, two or three arguments are required")]
    RangeArguments,
    /// The step goes away from the end.
    #[error("the end must lie in the direction of the step")]
    RangeDirection,
    /// The range is too long.
    #[error("more than 1024 numbers would be generated; use a larger step or a nearer end")]
    RangeTooLong,
    /// The pattern is not a regular expression.
    #[error("the pattern is not a regular expression (RE2 syntax): {problem}")]
    Pattern {
        /// The parser's message.
        problem: String,
    },
    /// The text is too long for a pattern.
    #[error("patterns search at most {most} bytes")]
    TextTooLong {
        /// The most bytes.
        most: usize,
    },
    /// The pattern mixes named and unnamed groups.
    #[error("the pattern must not mix named and unnamed groups")]
    MixedGroups,
    /// Nothing matches.
    #[error("the pattern does not match any part of the string")]
    NoMatch,
    /// The format string is malformed.
    #[error("the format is wrong at offset {offset}: {problem}")]
    Format {
        /// The offset of the fault, from 0.
        offset: usize,
        /// The fault.
        problem: FormatProblem,
    },
    /// There are more arguments than verbs.
    #[error("the format uses only {used} of the arguments")]
    UnusedArguments {
        /// The number of used arguments.
        used: usize,
    },
    /// The lists have different lengths.
    #[error("the list has {found} elements, but argument {other} has {want}")]
    ListLength {
        /// The length of this list.
        found: usize,
        /// The length of the other list.
        want: usize,
        /// The number of the other argument, from 1.
        other: usize,
    },
    /// The text is not base64.
    #[error("the string is not valid base64")]
    Base64,
    /// The decoded bytes are not UTF-8.
    #[error("the decoded bytes are not valid UTF-8")]
    NotUtf8,
    /// The CSV has no header line.
    #[error("the header line is missing")]
    NoHeader,
    /// Two columns have the same name.
    #[error("the column {name:?} occurs twice")]
    DuplicateColumn {
        /// The name.
        name: String,
    },
    /// The CSV is malformed.
    #[error("line {line}: {problem}")]
    Csv {
        /// The line, from 1.
        line: usize,
        /// The fault of the line.
        problem: CsvProblem,
    },
    /// The password is longer than bcrypt allows.
    #[error("bcrypt takes at most 72 bytes")]
    PasswordLength,
    /// The cost is too high.
    #[error("the cost must be at most {most}: each step doubles the time")]
    Cost {
        /// The highest cost.
        most: u32,
    },
    /// The private key is malformed or not supported.
    #[error("the key must be an RSA private key in PEM (PKCS #1) without a password")]
    PrivateKey,
    /// The text cannot be decrypted with the key.
    #[error("the text cannot be decrypted with this key")]
    Decrypt,
    /// The namespace of a UUID is unknown.
    #[error("the namespace must be dns, url, oid, x500 or a UUID")]
    Namespace,
    /// The text is not a network in CIDR notation.
    #[error("{text:?} is not a network in CIDR notation, such as 10.0.0.0/8")]
    Cidr {
        /// The text.
        text: String,
    },
    /// The network is too small.
    #[error("a prefix of {prefix} bits has no room for number {number}")]
    NoRoom {
        /// The prefix.
        prefix: u32,
        /// The number of the host or network.
        number: i64,
    },
    /// The prefix would be too long.
    #[error("the prefix cannot be extended by {bits} bits")]
    PrefixLength {
        /// The number of additional bits.
        bits: i64,
    },
    /// No address space is left.
    #[error("not enough address space is left for a prefix of {prefix} bits")]
    NoSpace {
        /// The prefix.
        prefix: i64,
    },
    /// The text is not a timestamp.
    #[error("{text:?} is not a timestamp of RFC 3339, such as 2024-03-09T05:06:07Z")]
    Timestamp {
        /// The text.
        text: String,
    },
    /// The value is neither timestamp nor number.
    #[error("a timestamp or a number of seconds is required")]
    TimeRequired,
    /// The number of seconds has a fraction or is out of range.
    #[error("a whole number of seconds is required")]
    Seconds,
    /// The text is not a duration.
    #[error("{text:?} is not a duration such as 1h30m")]
    Duration {
        /// The text.
        text: String,
    },
    /// A verb of a date format is unknown.
    #[error("{verb:?} is not part of a date format")]
    DateVerb {
        /// The verb.
        verb: String,
    },
    /// A quote in a date format is not closed.
    #[error("the quote is not closed")]
    DateQuote,
    /// The version or constraint is malformed.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// A number is out of range or undefined.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// A value has the wrong type.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// The result is too large.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// A value cannot be converted to JSON, or the JSON is malformed.
    #[error(transparent)]
    Json(#[from] JsonError),
}
