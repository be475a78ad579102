//! Rounding and arithmetic, with the precision and the signs of Go's `big.Float`.

use num_bigint::BigUint;

use super::{Form, LITERAL_PRECISION, MAX_EXPONENT, Number, NumberError, shift};

impl Number {
    /// Returns the sum.
    ///
    /// # Errors
    ///
    /// If both are infinite with opposite signs, or the result is out of range.
    pub fn add(&self, other: &Self) -> Result<Self, NumberError> {
        self.add_with(other, self.precision.max(other.precision))
    }

    /// Returns the difference.
    ///
    /// # Errors
    ///
    /// If both are infinite with the same sign, or the result is out of range.
    pub fn subtract(&self, other: &Self) -> Result<Self, NumberError> {
        self.add(&other.negate())
    }

    /// Returns the product. Its precision is that of the operands, or the necessary one up to 512
    /// bits.
    ///
    /// # Errors
    ///
    /// If one is zero and the other infinite, or the result is out of range.
    pub fn multiply(&self, other: &Self) -> Result<Self, NumberError> {
        let mut product = self.multiply_with(other, LITERAL_PRECISION)?;
        let needed = match &product.form {
            Form::Finite { mantissa, .. } => u32::try_from(mantissa.bits()).unwrap_or(u32::MAX),
            Form::Zero | Form::Infinite => 0,
        };
        product.precision = self.precision.max(other.precision).max(needed);
        Ok(product)
    }

    /// Returns the quotient; a number divided by zero is an infinity.
    ///
    /// # Errors
    ///
    /// If both are zero, both are infinite, or the result is out of range.
    pub fn divide(&self, other: &Self) -> Result<Self, NumberError> {
        self.divide_with(other, self.precision.max(other.precision))
    }

    /// Returns the remainder of the division towards zero; a number modulo zero is the number
    /// itself.
    ///
    /// # Errors
    ///
    /// If one of them is infinite, or an intermediate result is out of range.
    pub fn modulo(&self, other: &Self) -> Result<Self, NumberError> {
        if other.is_zero() {
            return Ok(self.clone());
        }
        if self.is_infinite() || other.is_infinite() {
            return Err(NumberError::InfiniteRemainder);
        }
        let quotient = self.divide(other)?;
        let whole = quotient.truncate().ok_or(NumberError::InfiniteRemainder)?;
        let whole = Self::from_integer(&whole)?.rounded(self.precision)?;
        let product = other.multiply_with(&whole, self.precision)?;
        self.add_with(&product.negate(), self.precision)
    }

    /// Returns the number with the opposite sign, also for zero.
    #[must_use]
    pub fn negate(&self) -> Self {
        Self {
            negative: !self.negative,
            ..self.clone()
        }
    }

    /// Returns the number without its sign.
    #[must_use]
    pub fn absolute(&self) -> Self {
        Self {
            negative: false,
            ..self.clone()
        }
    }

    /// Returns the next whole number towards negative infinity, with the same precision.
    ///
    /// # Errors
    ///
    /// If the result is out of range.
    pub fn floor(&self) -> Result<Self, NumberError> {
        self.whole(self.negative, -1)
    }

    /// Returns the next whole number towards positive infinity, with the same precision.
    ///
    /// # Errors
    ///
    /// If the result is out of range.
    pub fn ceil(&self) -> Result<Self, NumberError> {
        self.whole(!self.negative, 1)
    }

    /// Truncates, then moves a fraction by `step` if it is `beyond` the integer.
    fn whole(&self, beyond: bool, step: i32) -> Result<Self, NumberError> {
        let Some(integer) = self.truncate() else {
            return Ok(self.clone());
        };
        let integer = if beyond && !self.is_integer() {
            integer + step
        } else {
            integer
        };
        Self::from_integer(&integer)?.rounded(self.precision)
    }

    pub(super) fn add_with(&self, other: &Self, precision: u32) -> Result<Self, NumberError> {
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
            ) => {
                let low = *x.min(y);
                let a = shift(a, x - low);
                let b = shift(b, y - low);
                let (negative, magnitude) = if self.negative == other.negative {
                    (self.negative, a + b)
                } else if a > b {
                    (self.negative, a - b)
                } else if a < b {
                    (other.negative, b - a)
                } else {
                    (false, BigUint::ZERO)
                };
                Self::rounding(negative, precision, magnitude, low, false)
            }
            (Form::Infinite, Form::Infinite) if self.negative != other.negative => {
                Err(NumberError::OpposingInfinities)
            }
            (Form::Zero, Form::Zero) => {
                let negative = self.negative && other.negative;
                Ok(Self::signed_zero(negative, precision))
            }
            (Form::Infinite, _) | (_, Form::Zero) => self.rounded(precision),
            (_, Form::Infinite) | (Form::Zero, _) => other.rounded(precision),
        }
    }

    pub(super) fn multiply_with(&self, other: &Self, precision: u32) -> Result<Self, NumberError> {
        let negative = self.negative != other.negative;
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
            ) => Self::rounding(negative, precision, a * b, x + y, false),
            (Form::Zero, Form::Infinite) | (Form::Infinite, Form::Zero) => {
                Err(NumberError::ZeroTimesInfinity)
            }
            (Form::Infinite, _) | (_, Form::Infinite) => Ok(Self::infinity(negative, precision)),
            (Form::Zero, _) | (_, Form::Zero) => Ok(Self::signed_zero(negative, precision)),
        }
    }

    pub(super) fn divide_with(&self, other: &Self, precision: u32) -> Result<Self, NumberError> {
        let negative = self.negative != other.negative;
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
            ) => {
                // Two more bits than requested, so that the remainder only decides ties.
                let wanted = u64::from(precision) + 2 + b.bits();
                let scale = i64::try_from(wanted.saturating_sub(a.bits())).unwrap_or(i64::MAX);
                let dividend = shift(a, scale);
                let quotient = &dividend / b;
                let inexact = &quotient * b != dividend;
                Self::rounding(negative, precision, quotient, x - y - scale, inexact)
            }
            (Form::Zero, Form::Zero) | (Form::Infinite, Form::Infinite) => {
                Err(NumberError::Undefined)
            }
            (Form::Zero, _) | (_, Form::Infinite) => Ok(Self::signed_zero(negative, precision)),
            (Form::Infinite, _) | (_, Form::Zero) => Ok(Self::infinity(negative, precision)),
        }
    }

    /// Returns the number rounded to another precision.
    pub(super) fn rounded(&self, precision: u32) -> Result<Self, NumberError> {
        match &self.form {
            Form::Finite { mantissa, exponent } => {
                Self::rounding(self.negative, precision, mantissa.clone(), *exponent, false)
            }
            form => Ok(Self {
                negative: self.negative,
                precision,
                form: form.clone(),
            }),
        }
    }

    /// Rounds to the nearest mantissa of `precision` bits, ties to the even one.
    ///
    /// `inexact` means that the true value is a little larger than the mantissa.
    pub(super) fn rounding(
        negative: bool,
        precision: u32,
        mantissa: BigUint,
        exponent: i64,
        inexact: bool,
    ) -> Result<Self, NumberError> {
        let excess = mantissa.bits().saturating_sub(u64::from(precision));
        let (mantissa, exponent) = if excess == 0 {
            (mantissa, exponent)
        } else {
            let half = mantissa.bit(excess - 1);
            let below = inexact || mantissa.trailing_zeros().is_some_and(|z| z < excess - 1);
            let mut kept: BigUint = mantissa >> excess;
            if half && (below || kept.bit(0)) {
                kept += 1u32;
            }
            let up = i64::try_from(excess).unwrap_or(i64::MAX);
            (kept, exponent.saturating_add(up))
        };
        let number = Self::raw(negative, precision, mantissa, exponent);
        if number.exponent_of_value().abs() > MAX_EXPONENT {
            return Err(NumberError::OutOfRange);
        }
        Ok(number)
    }
}
