//! Parses a number from decimal text, like Go's `big.ParseFloat(text, 10, 512, ToNearestEven)`.

use num_bigint::BigUint;

use super::{LITERAL_PRECISION, MAX_EXPONENT, MAX_TEXT, Number, NumberError};

/// The extra bits for computing the power of five.
const GUARD_BITS: u32 = 64;

/// `5^27` is the largest power of five in 64 bits.
const FIVE_TO_27: u64 = 7_450_580_596_923_828_125;

impl Number {
    /// Parses decimal text with 512 bits of precision: `1`, `.5`, `5.`, `1e3`, `1p4`, `-Inf`.
    ///
    /// # Errors
    ///
    /// If the text is not a number, or the number is out of range.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if let Some(small) = small_integer(rest) {
            return Ok(Self::exact(
                negative,
                BigUint::from(small),
                LITERAL_PRECISION,
            ));
        }
        if rest == "Inf" || rest == "inf" {
            return Ok(Self::infinity(negative, LITERAL_PRECISION));
        }
        if text.len() > MAX_TEXT {
            return Err(NumberError::OutOfRange);
        }
        let (digits, rest) = Digits::split(rest)?;
        let exponent = Exponent::parse(rest)?;
        let Some(mantissa) = BigUint::parse_bytes(digits.text.as_bytes(), 10) else {
            return Err(NumberError::NotANumber);
        };
        if mantissa == BigUint::ZERO {
            return Ok(Self::signed_zero(negative, LITERAL_PRECISION));
        }
        let ten = exponent.ten.saturating_sub(digits.after_point);
        if ten.abs() > MAX_EXPONENT || exponent.two.abs() > MAX_EXPONENT {
            return Err(NumberError::OutOfRange);
        }
        let whole = Self::raw(negative, LITERAL_PRECISION, mantissa, ten + exponent.two);
        if ten == 0 {
            return whole.rounded(LITERAL_PRECISION);
        }
        let power = power_of_five(ten.unsigned_abs(), LITERAL_PRECISION + GUARD_BITS)?;
        if ten < 0 {
            whole.divide_with(&power, LITERAL_PRECISION)
        } else {
            whole.multiply_with(&power, LITERAL_PRECISION)
        }
    }
}

/// Returns the value of up to 18 digits. Most numbers are like this and need no long arithmetic.
fn small_integer(text: &str) -> Option<u64> {
    let short = (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    short.then(|| text.parse().ok()).flatten()
}

/// The digits of a mantissa, without the point.
struct Digits {
    text: String,
    after_point: i64,
}

impl Digits {
    fn split(text: &str) -> Result<(Self, &str), NumberError> {
        let mut digits = Self {
            text: String::new(),
            after_point: 0,
        };
        let mut point = false;
        let end = text.find(|c: char| match c {
            '0'..='9' => {
                digits.text.push(c);
                digits.after_point += i64::from(point);
                false
            }
            '.' if !point => {
                point = true;
                false
            }
            _ => true,
        });
        if digits.text.is_empty() {
            return Err(NumberError::NotANumber);
        }
        Ok((digits, end.map_or("", |end| &text[end..])))
    }
}

/// The exponent after the mantissa: a power of ten after `e`, a power of two after `p`.
#[derive(Default)]
struct Exponent {
    ten: i64,
    two: i64,
}

impl Exponent {
    fn parse(text: &str) -> Result<Self, NumberError> {
        let Some(letter) = text.chars().next() else {
            return Ok(Self::default());
        };
        let power = match text.get(1..) {
            Some(digits) if !digits.trim_start_matches(['+', '-']).is_empty() => digits,
            _ => return Err(NumberError::NotANumber),
        };
        let unsigned = power.strip_prefix(['+', '-']).unwrap_or(power);
        if !unsigned.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NumberError::NotANumber);
        }
        let power: i64 = power.parse().map_err(|_| NumberError::OutOfRange)?;
        match letter {
            'e' | 'E' => Ok(Self { ten: power, two: 0 }),
            'p' | 'P' => Ok(Self { ten: 0, two: power }),
            _ => Err(NumberError::NotANumber),
        }
    }
}

/// Returns `5^power`, rounded where Go rounds it, so that long numbers get the same last bits.
fn power_of_five(power: u64, precision: u32) -> Result<Number, NumberError> {
    if power <= 27 {
        return Ok(Number::exact(
            false,
            BigUint::from(5u64.pow(power as u32)),
            precision,
        ));
    }
    let mut result = Number::exact(false, BigUint::from(FIVE_TO_27), precision);
    let factor_precision = precision + GUARD_BITS;
    let mut factor = Number::exact(false, BigUint::from(5u32), factor_precision);
    let mut left = power - 27;
    while left > 0 {
        if left & 1 == 1 {
            result = result.multiply_with(&factor, precision)?;
        }
        left >>= 1;
        if left > 0 {
            factor = factor.multiply_with(&factor, factor_precision)?;
        }
    }
    Ok(result)
}
