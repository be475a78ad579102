//! Why a call of a library function failed.

use std::fmt::{self, Display, Formatter};

use thiserror::Error;

use crate::value::json::JsonError;
use crate::value::{ConvertError, NumberError, SizeError, Type};

use super::version::VersionError;

/// A function refused its arguments, or its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// The function's name.
    pub function: &'static str,
    /// The argument that is at fault, from 0; none if it is the call as a whole.
    pub argument: Option<usize>,
    /// The name of that argument's parameter.
    pub parameter: Option<&'static str>,
    /// What is wrong.
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

/// What is wrong with a call.
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
    /// The function takes fewer arguments.
    #[error("at most {most} arguments are taken, found {found}")]
    TooManyArguments {
        /// How many it takes.
        most: usize,
        /// How many there are.
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
    /// A base that is not supported.
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
    /// The argument is not one of the collections that the function takes.
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
    /// The key of a list or tuple is not a number, or the key of a map no string.
    #[error("the key must be a {}", want.friendly())]
    KeyType {
        /// The wanted type.
        want: Type,
    },
    /// Nothing has that key.
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
    /// A negative number where none is allowed.
    #[error("the number must not be negative")]
    Negative,
    /// An index beyond the end.
    #[error("the index {index} is beyond the end: the length is {length}")]
    BeyondEnd {
        /// The index.
        index: i64,
        /// The length.
        length: usize,
    },
    /// The start lies after the end.
    #[error("the start index must not be greater than the end index")]
    StartAfterEnd,
    /// Keys and values differ in number.
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
        /// Which one, from 0.
        index: usize,
    },
    /// The default value of `lookup` does not fit the map.
    #[error("the default must have the type of the map's elements: {}", want.friendly())]
    DefaultType {
        /// The type of the elements.
        want: Type,
    },
    /// `range` takes one to three arguments.
    #[error("one, two or three arguments are required")]
    RangeArguments,
    /// The range runs away from its end.
    #[error("the end must lie in the direction of the step")]
    RangeDirection,
    /// The range is too long.
    #[error("more than 1024 numbers would be generated; use a larger step or a nearer end")]
    RangeTooLong,
    /// The pattern is not a regular expression.
    #[error("the pattern is not a regular expression (RE2 syntax): {problem}")]
    Pattern {
        /// What the parser says.
        problem: String,
    },
    /// The text is too long for a pattern.
    #[error("patterns search at most {most} bytes")]
    TextTooLong {
        /// How many.
        most: usize,
    },
    /// The pattern mixes named and unnamed groups.
    #[error("the pattern must not mix named and unnamed groups")]
    MixedGroups,
    /// Nothing matches.
    #[error("the pattern does not match any part of the string")]
    NoMatch,
    /// A format string is wrong.
    #[error("the format is wrong at offset {offset}: {problem}")]
    Format {
        /// Where, from 0.
        offset: usize,
        /// What is wrong there.
        problem: FormatProblem,
    },
    /// There are more arguments than verbs.
    #[error("the format uses only {used} of the arguments")]
    UnusedArguments {
        /// How many are used.
        used: usize,
    },
    /// Lists of different lengths.
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
    /// The decoded bytes are no text.
    #[error("the decoded bytes are not valid UTF-8")]
    NotUtf8,
    /// The CSV has no header line.
    #[error("the header line is missing")]
    NoHeader,
    /// Two columns have one name.
    #[error("the column {name:?} occurs twice")]
    DuplicateColumn {
        /// The name.
        name: String,
    },
    /// The CSV is wrong.
    #[error("line {line}: {problem}")]
    Csv {
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
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
    /// The private key cannot be read.
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
        /// By how much.
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
    /// A version or a constraint is wrong.
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
    /// A value has no JSON, or the JSON is wrong.
    #[error(transparent)]
    Json(#[from] JsonError),
}

/// What is wrong with a `printf` format.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormatProblem {
    /// The format ends within a verb.
    #[error("the verb is not finished")]
    Unfinished,
    /// A character does not belong there.
    #[error("{found:?} is not expected")]
    Unexpected {
        /// The character.
        found: char,
    },
    /// No such verb.
    #[error("the verb {verb:?} is unknown")]
    UnknownVerb {
        /// The verb.
        verb: char,
    },
    /// The verb has no argument.
    #[error("{verb:?} needs argument {number}")]
    NoArgument {
        /// The verb.
        verb: String,
        /// The number of the argument, from 1.
        number: usize,
    },
    /// The argument is null.
    #[error("{verb:?} does not take null")]
    Null {
        /// The verb.
        verb: String,
    },
    /// The argument has a fraction.
    #[error("{verb:?} needs a whole number")]
    WholeNumber {
        /// The verb.
        verb: String,
    },
    /// A width or precision is too large.
    #[error("the width is too large")]
    Width,
    /// The argument has the wrong type.
    #[error(transparent)]
    Convert(ConvertError),
    /// The argument has no JSON.
    #[error(transparent)]
    Json(JsonError),
}

/// What is wrong with CSV text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CsvProblem {
    /// A quote within a field that does not begin with one.
    #[error("a quote in a field that is not quoted")]
    BareQuote,
    /// A quoted field goes on after its quote, or is not closed.
    #[error("a quoted field is not closed, or followed by text")]
    Quote,
    /// The line has another number of fields than the header.
    #[error("wrong number of fields")]
    FieldCount,
}
