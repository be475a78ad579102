//! The converted arguments of a call, and the errors about them.

use crate::value::{MAX_SIZE, Number, SizeError, Value};

use super::error::CallReason;

/// The arguments of a call, converted to the types of the parameters.
pub(super) struct Arguments<'a>(pub(super) &'a [Value]);

/// The reason a call failed.
pub(super) struct Fault {
    /// The wrong argument, from 0; `None` if the call as a whole is wrong.
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

    /// Returns all arguments from `index` on.
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

    /// Returns a whole number. The fault names no argument, like most of the reference's.
    pub(super) fn int(&self, index: usize) -> Result<i64, Fault> {
        Ok(self
            .number(index)?
            .to_i64()
            .ok_or(CallReason::WholeNumberRequired)?)
    }

    /// Returns a 64-bit float.
    pub(super) fn float(&self, index: usize) -> Result<f64, Fault> {
        let number = self.number(index)?;
        let float = number.to_f64();
        if float.is_infinite() && !number.is_infinite() {
            return Err(CallReason::NotAFloat.into());
        }
        Ok(float)
    }

    /// Returns the elements of a list, a set or a tuple.
    pub(super) fn items(&self, index: usize) -> Result<&'a [Value], Fault> {
        let items = self.value(index)?.items();
        items.ok_or_else(|| Fault::at(index, CallReason::SequenceRequired))
    }
}

/// Fails if a result of `size` bytes would be too large, before it is created.
pub(super) fn reserve(size: usize) -> Result<(), Fault> {
    if size as u64 > MAX_SIZE {
        return Err(SizeError::TooLarge.into());
    }
    Ok(())
}
