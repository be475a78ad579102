//! Numbers of the bake language: binary floats with individual precision.
//!
//! The reference computes with Go's `big.Float`. Its results depend on details that no crate
//! reproduces: every number stores its precision, results have the larger one of their operands,
//! and the shortest decimal text of that precision is printed. Literals have 512 bits.

mod arithmetic;
mod format;
mod parse;

#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use num_bigint::{BigInt, BigUint, Sign};
use thiserror::Error;

pub use format::{FloatStyle, FormatFlags};

/// The bits of precision of a number literal, and of a number parsed from text.
pub const LITERAL_PRECISION: u32 = 512;

/// The largest binary exponent of a finite number, positive or negative: about 19,700 decimal
/// digits.
pub(super) const MAX_EXPONENT: i64 = 1 << 16;

/// The longest text of a number, in bytes.
pub(super) const MAX_TEXT: usize = 20_000;

/// A number: a sign, a precision in bits, and zero, infinity or a binary fraction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Number {
    negative: bool,
    precision: u32,
    form: Form,
}

/// The magnitude of a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Form {
    Zero,
    /// `mantissa * 2^exponent`; the mantissa is odd.
    Finite {
        mantissa: BigUint,
        exponent: i64,
    },
    Infinite,
}

/// The reason a computation has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NumberError {
    /// The text is not a decimal number.
    #[error("a number is required")]
    NotANumber,
    /// The result has more than about 19,700 digits.
    #[error("the number is out of range: at most about 19,700 digits are supported")]
    OutOfRange,
    /// Infinity minus infinity, or a sum of opposite infinities.
    #[error("infinity cannot be subtracted from infinity")]
    OpposingInfinities,
    /// Zero times infinity.
    #[error("zero cannot be multiplied by infinity")]
    ZeroTimesInfinity,
    /// Zero divided by zero, or infinity by infinity.
    #[error("zero cannot be divided by zero, nor infinity by infinity")]
    Undefined,
    /// The remainder of an infinite number.
    #[error("infinity has no remainder")]
    InfiniteRemainder,
}

impl Number {
    /// Returns a whole number, with 64 bits of precision.
    #[must_use]
    pub fn from_i64(value: i64) -> Self {
        Self::exact(value < 0, BigUint::from(value.unsigned_abs()), 64)
    }

    /// Returns a whole number of any length, with at least 64 bits of precision.
    ///
    /// # Errors
    ///
    /// If the integer is too long.
    pub fn from_integer(value: &BigInt) -> Result<Self, NumberError> {
        let bits = value.bits();
        if bits > MAX_EXPONENT.unsigned_abs() {
            return Err(NumberError::OutOfRange);
        }
        let precision = u32::try_from(bits).unwrap_or(u32::MAX).max(64);
        Ok(Self::exact(
            value.sign() == Sign::Minus,
            value.magnitude().clone(),
            precision,
        ))
    }

    /// Returns a 64-bit float with its 53 bits of precision; `None` for NaN.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        if value.is_nan() {
            return None;
        }
        let negative = value.is_sign_negative();
        if value.is_infinite() {
            return Some(Self::infinity(negative, 53));
        }
        let bits = value.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        let biased = i64::try_from((bits >> 52) & 0x7ff).unwrap_or(0);
        let (mantissa, exponent) = match biased {
            0 => (fraction, -1074),
            _ => (fraction | (1 << 52), biased - 1075),
        };
        Some(Self::raw(negative, 53, BigUint::from(mantissa), exponent))
    }

    /// Returns zero, with 64 bits of precision.
    #[must_use]
    pub fn zero() -> Self {
        Self::from_i64(0)
    }

    /// Returns an infinity of the given sign.
    #[must_use]
    pub fn infinity(negative: bool, precision: u32) -> Self {
        Self {
            negative,
            precision,
            form: Form::Infinite,
        }
    }

    fn signed_zero(negative: bool, precision: u32) -> Self {
        Self {
            negative,
            precision,
            form: Form::Zero,
        }
    }

    /// Returns a whole number whose magnitude is known to fit the precision.
    fn exact(negative: bool, magnitude: BigUint, precision: u32) -> Self {
        Self::raw(negative, precision, magnitude, 0)
    }

    /// Normalizes the mantissa to an odd one; does not round.
    fn raw(negative: bool, precision: u32, mantissa: BigUint, exponent: i64) -> Self {
        let Some(zeros) = mantissa.trailing_zeros() else {
            return Self::signed_zero(negative, precision);
        };
        let exponent = exponent.saturating_add(i64::try_from(zeros).unwrap_or(i64::MAX));
        Self {
            negative,
            precision,
            form: Form::Finite {
                mantissa: if zeros == 0 {
                    mantissa
                } else {
                    mantissa >> zeros
                },
                exponent,
            },
        }
    }

    /// True for a negative number, negative zero and negative infinity.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// True for zero of either sign.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.form == Form::Zero
    }

    /// True for an infinity of either sign.
    #[must_use]
    pub fn is_infinite(&self) -> bool {
        self.form == Form::Infinite
    }

    /// True for a finite number without a fraction.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        match &self.form {
            Form::Zero => true,
            Form::Finite { exponent, .. } => *exponent >= 0,
            Form::Infinite => false,
        }
    }

    /// Returns the integer part, rounded towards zero; `None` for an infinity.
    #[must_use]
    pub fn truncate(&self) -> Option<BigInt> {
        let magnitude = match &self.form {
            Form::Zero => BigUint::ZERO,
            Form::Finite { mantissa, exponent } => shift(mantissa, *exponent),
            Form::Infinite => return None,
        };
        let sign = if self.negative {
            Sign::Minus
        } else {
            Sign::Plus
        };
        Some(BigInt::from_biguint(sign, magnitude))
    }

    /// Returns the value as an `i64`, if it is a whole number in range.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        if !self.is_integer() || self.exponent_of_value() > 64 {
            return None;
        }
        i64::try_from(self.truncate()?).ok()
    }

    /// Returns the nearest 64-bit float; an infinity if the number is too large.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        let magnitude = match &self.form {
            Form::Zero => 0.0,
            Form::Infinite => f64::INFINITY,
            // Rust's own parser rounds exact decimal text correctly, including subnormals.
            Form::Finite { .. } => self.exact_decimal().parse().unwrap_or(f64::INFINITY),
        };
        if self.negative { -magnitude } else { magnitude }
    }

    /// Returns the exponent of Go's form `0.m * 2^e`: the position above the highest bit.
    fn exponent_of_value(&self) -> i64 {
        match &self.form {
            Form::Finite { mantissa, exponent } => {
                exponent.saturating_add(i64::try_from(mantissa.bits()).unwrap_or(i64::MAX))
            }
            Form::Zero | Form::Infinite => 0,
        }
    }

    /// Compares two numbers; both zeros are equal.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        self.sign().cmp(&other.sign()).then_with(|| {
            let order = self.compare_magnitude(other);
            if self.negative {
                order.reverse()
            } else {
                order
            }
        })
    }

    /// The language's equality: whole numbers by value, fractions by their text.
    ///
    /// So `0.1` parsed with 512 bits of precision and the same number computed with 53 bits are
    /// equal if both print the same.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        if self.sign() != other.sign() {
            return false;
        }
        match (self.is_integer(), other.is_integer()) {
            (true, true) => self.compare_magnitude(other) == Ordering::Equal,
            (false, false) => {
                self.form == other.form && self.precision == other.precision
                    || self.to_string() == other.to_string()
            }
            _ => false,
        }
    }

    fn sign(&self) -> i8 {
        match (&self.form, self.negative) {
            (Form::Zero, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        }
    }

    fn compare_magnitude(&self, other: &Self) -> Ordering {
        match (&self.form, &other.form) {
            (
                Form::Finite {
                    mantissa: a,
                    exponent: x,
                },
                Form::Finite {
                    mantissa: b,
                    exponent: y,
                },
            ) => self
                .exponent_of_value()
                .cmp(&other.exponent_of_value())
                .then_with(|| {
                    let low = *x.min(y);
                    shift(a, x - low).cmp(&shift(b, y - low))
                }),
            (a, b) => rank(a).cmp(&rank(b)),
        }
    }
}

fn rank(form: &Form) -> u8 {
    match form {
        Form::Zero => 0,
        Form::Finite { .. } => 1,
        Form::Infinite => 2,
    }
}

/// Returns `value * 2^by`; bits below the point are dropped.
fn shift(value: &BigUint, by: i64) -> BigUint {
    if by >= 0 {
        value << by.unsigned_abs()
    } else {
        value >> by.unsigned_abs()
    }
}
