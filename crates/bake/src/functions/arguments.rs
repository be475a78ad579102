//! The converted arguments of a call, and what a function reports about them.

use crate::value::{MAX_SIZE, Number, SizeError, Value};

use super::error::CallReason;

/// The arguments of a call. They have the types of the parameters.
pub(super) struct Arguments<'a>(pub(super) &'a [Value]);

/// Why a function has no result.
pub(super) struct Fault {
    /// The argument at fault, from 0; none if it is the call as a whole.
    pub(super) argument: Option<usize>,
    pub(super) reason: CallReason,
}

impl Fault {
    pub(super) fn at(argument: usize, reason: impl Into<CallReason>) -> Self {
        Self {
            argument: Some(argument),
            reason: reason.into(),
        }
    }
}

impl<R: Into<CallReason>> From<R> for Fault {
    fn from(reason: R) -> Self {
        Self {
            argument: None,
            reason: reason.into(),
        }
    }
}

impl<'a> Arguments<'a> {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All arguments from `index` on.
    pub(super) fn from(&self, index: usize) -> &'a [Value] {
        self.0.get(index..).unwrap_or_default()
    }

    pub(super) fn value(&self, index: usize) -> Result<&'a Value, Fault> {
        self.0
            .get(index)
            .ok_or_else(|| Fault::at(index, CallReason::Missing))
    }

    pub(super) fn text(&self, index: usize) -> Result<&'a str, Fault> {
        let text = self.value(index)?.as_str();
        text.ok_or_else(|| Fault::at(index, CallReason::TextRequired))
    }

    pub(super) fn bool(&self, index: usize) -> Result<bool, Fault> {
        let value = self.value(index)?.as_bool();
        value.ok_or_else(|| Fault::at(index, CallReason::BoolRequired))
    }

    pub(super) fn number(&self, index: usize) -> Result<&'a Number, Fault> {
        let number = self.value(index)?.as_number();
        number.ok_or_else(|| Fault::at(index, CallReason::NumberRequired))
    }

    /// A whole number. The fault names no argument, as most of the reference's do not.
    pub(super) fn int(&self, index: usize) -> Result<i64, Fault> {
        Ok(self
            .number(index)?
            .to_i64()
            .ok_or(CallReason::WholeNumberRequired)?)
    }

    /// A 64-bit float.
    pub(super) fn float(&self, index: usize) -> Result<f64, Fault> {
        let number = self.number(index)?;
        let float = number.to_f64();
        if float.is_infinite() && !number.is_infinite() {
            return Err(CallReason::NotAFloat.into());
        }
        Ok(float)
    }

    /// The elements of a list, a set or a tuple.
    pub(super) fn items(&self, index: usize) -> Result<&'a [Value], Fault> {
        let items = self.value(index)?.items();
        items.ok_or_else(|| Fault::at(index, CallReason::SequenceRequired))
    }
}

/// Refuses a result of `size` bytes before it is made.
pub(super) fn reserve(size: usize) -> Result<(), Fault> {
    if size as u64 > MAX_SIZE {
        return Err(SizeError::TooLarge.into());
    }
    Ok(())
}
