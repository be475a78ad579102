//! Decimal text of a number: the shortest that parses back to it, or a fixed number of digits.
//!
//! The digits are those of Go's `big.Float.Text`, whose rules this module follows step by step.

use std::fmt::{self, Display, Formatter};

use num_bigint::BigUint;

use super::{Form, Number, shift};

/// The layout of a number in [`Number::format`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloatStyle {
    /// `12.5`
    Fixed,
    /// `1.25e+01`, with the given letter.
    Exponent(char),
    /// The shorter of both, with the given letter.
    General(char),
}

/// The flags of a `printf` verb.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FormatFlags {
    /// `+`: positive numbers get a sign.
    pub plus: bool,
    /// `-`: padding on the right.
    pub minus: bool,
    /// `0`: padding with zeros.
    pub zero: bool,
    /// A space: positive numbers get a space instead of the sign.
    pub space: bool,
    /// `#`: integers get a prefix for their base.
    pub sharp: bool,
}

impl Display for Number {
    /// Formats as the shortest decimal text without exponent; `+Inf` and `-Inf` for the infinities.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.small_magnitude() {
            Some(magnitude) if self.negative => write!(f, "-{magnitude}"),
            Some(magnitude) => write!(f, "{magnitude}"),
            None => f.write_str(&self.text(FloatStyle::Fixed, None)),
        }
    }
}

impl Number {
    /// Returns the text with the given digits after the point, or in total for
    /// [`FloatStyle::General`]. Without `digits`: as many as needed to distinguish the number from
    /// its neighbours.
    #[must_use]
    pub fn text(&self, style: FloatStyle, digits: Option<usize>) -> String {
        let mut out = String::new();
        if self.negative {
            out.push('-');
        }
        let mut decimal = match &self.form {
            Form::Infinite => {
                out.push_str(if self.negative { "Inf" } else { "+Inf" });
                return out;
            }
            Form::Zero => Decimal::default(),
            Form::Finite { mantissa, exponent } => Decimal::new(mantissa, *exponent),
        };
        match digits {
            None => self.shorten(&mut decimal),
            Some(digits) => decimal.round(match style {
                FloatStyle::Fixed => decimal.point.saturating_add(to_i64(digits)),
                FloatStyle::Exponent(_) => to_i64(digits) + 1,
                FloatStyle::General(_) => to_i64(digits).max(1),
            }),
        }
        decimal.write(&mut out, style, digits);
        out
    }

    /// Returns the text of a `printf` verb for floats, padded to `width`.
    #[must_use]
    pub fn format(
        &self,
        style: FloatStyle,
        digits: Option<usize>,
        width: usize,
        flags: FormatFlags,
    ) -> String {
        let digits = match style {
            FloatStyle::General(_) => digits,
            FloatStyle::Fixed | FloatStyle::Exponent(_) => Some(digits.unwrap_or(6)),
        };
        let text = self.text(style, digits);
        let (sign, body) = match text.as_bytes().first() {
            Some(b'-') => ("-", &text[1..]),
            Some(b'+') => (if flags.space { " " } else { "+" }, &text[1..]),
            _ if flags.plus => ("+", &text[..]),
            _ if flags.space => (" ", &text[..]),
            _ => ("", &text[..]),
        };
        let padding = width.saturating_sub(sign.len() + body.len());
        if flags.zero && !self.is_infinite() {
            format!("{sign}{}{body}", "0".repeat(padding))
        } else if flags.minus {
            format!("{sign}{body}{}", " ".repeat(padding))
        } else {
            format!("{}{sign}{body}", " ".repeat(padding))
        }
    }

    /// Returns the magnitude of a whole number with exact digits, if it fits 64 bits.
    fn small_magnitude(&self) -> Option<u64> {
        match &self.form {
            Form::Zero => Some(0),
            Form::Finite { mantissa, exponent } => {
                let bits = self.exponent_of_value();
                let exact = *exponent >= 0 && bits <= i64::from(self.precision.min(64));
                let mantissa = exact.then(|| u64::try_from(mantissa).ok()).flatten()?;
                mantissa.checked_shl(u32::try_from(*exponent).ok()?)
            }
            Form::Infinite => None,
        }
    }

    /// True if the text has at most 20 digits.
    pub(crate) fn is_small(&self) -> bool {
        self.small_magnitude().is_some()
    }

    /// Returns an upper bound for the length of the shortest text without exponent.
    pub(crate) fn text_bound(&self) -> u64 {
        // 512 bits are 155 digits; then zeros follow up to the point.
        160 + self.exponent_of_value().unsigned_abs() / 3
    }

    /// Returns all decimal digits of the magnitude, as `<digits>e<exponent>`.
    pub(super) fn exact_decimal(&self) -> String {
        let Form::Finite { mantissa, exponent } = &self.form else {
            return "0".to_owned();
        };
        let decimal = Decimal::new(mantissa, *exponent);
        let digits = String::from_utf8_lossy(&decimal.digits).into_owned();
        format!("{digits}e{}", decimal.point - to_i64(decimal.digits.len()))
    }

    /// Cuts the digits to the fewest that still round to this number at its precision.
    fn shorten(&self, decimal: &mut Decimal) {
        let Form::Finite { mantissa, exponent } = &self.form else {
            return;
        };
        // The lowest bit is worth half a unit in the last place.
        let by = i64::from(self.precision) + 1 - to_i64_bits(mantissa);
        let scaled = shift(mantissa, by);
        let inclusive = !scaled.bit(1);
        let lower = Decimal::new(&(&scaled - 1u32), exponent - by);
        let upper = Decimal::new(&(&scaled + 1u32), exponent - by);
        for i in 0..decimal.digits.len() {
            let (digit, low, high) = (decimal.at(i), lower.at(i), upper.at(i));
            let down = low != digit || inclusive && i + 1 == lower.digits.len();
            let up = digit != high && (inclusive || digit + 1 < high || i + 1 < upper.digits.len());
            let kept = i + 1;
            match (down, up) {
                (true, true) => decimal.round(to_i64(kept)),
                (true, false) => decimal.round_down(kept),
                (false, true) => decimal.round_up(kept),
                (false, false) => continue,
            }
            return;
        }
    }
}

/// `0.digits * 10^point`, without trailing zeros; no digits for zero.
#[derive(Default)]
struct Decimal {
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    /// Returns the exact digits of `mantissa * 2^exponent`.
    fn new(mantissa: &BigUint, exponent: i64) -> Self {
        if *mantissa == BigUint::ZERO {
            return Self::default();
        }
        let zeros = to_i64_u(mantissa.trailing_zeros().unwrap_or(0)).min((-exponent).max(0));
        let (mantissa, exponent) = (shift(mantissa, -zeros), exponent + zeros);
        let (whole, fives) = if exponent >= 0 {
            (shift(&mantissa, exponent), 0)
        } else {
            // m / 2^k = m * 5^k / 10^k
            let k = u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX);
            (mantissa * BigUint::from(5u32).pow(k), i64::from(k))
        };
        let digits = whole.to_str_radix(10).into_bytes();
        let point = to_i64(digits.len()) - fives;
        let mut decimal = Self { digits, point };
        decimal.trim();
        decimal
    }

    fn at(&self, index: usize) -> u8 {
        self.digits.get(index).copied().unwrap_or(b'0')
    }

    /// Rounds to `count` digits, ties to even; a negative count changes nothing.
    fn round(&mut self, count: i64) {
        let Ok(count) = usize::try_from(count) else {
            return;
        };
        let Some(&next) = self.digits.get(count) else {
            return;
        };
        let tie = next == b'5' && count + 1 == self.digits.len();
        let up = match count.checked_sub(1) {
            _ if !tie => next >= b'5',
            Some(last) => (self.at(last) - b'0') % 2 == 1,
            None => false,
        };
        if up {
            self.round_up(count);
        } else {
            self.round_down(count);
        }
    }

    fn round_down(&mut self, count: usize) {
        if count < self.digits.len() {
            self.digits.truncate(count);
            self.trim();
        }
    }

    fn round_up(&mut self, count: usize) {
        if count >= self.digits.len() {
            return;
        }
        self.digits.truncate(count);
        while self.digits.last() == Some(&b'9') {
            self.digits.pop();
        }
        match self.digits.last_mut() {
            Some(digit) => *digit += 1,
            None => {
                self.digits.push(b'1');
                self.point += 1;
            }
        }
    }

    fn trim(&mut self) {
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.point = 0;
        }
    }

    fn write(&self, out: &mut String, style: FloatStyle, digits: Option<usize>) {
        let count = to_i64(self.digits.len());
        match style {
            FloatStyle::Fixed => {
                let shortest = (count - self.point).max(0);
                self.write_fixed(out, digits.map_or(shortest, to_i64));
            }
            FloatStyle::Exponent(letter) => {
                let shortest = (count - 1).max(0);
                self.write_exponent(out, letter, digits.map_or(shortest, to_i64));
            }
            FloatStyle::General(letter) => {
                let wanted = digits.map_or(count, |digits| to_i64(digits).max(1));
                let limit = match digits {
                    None => 6,
                    Some(_) if wanted > count && count >= self.point => count,
                    Some(_) => wanted,
                };
                let exponent = self.point - 1;
                if exponent < -4 || exponent >= limit {
                    self.write_exponent(out, letter, wanted.min(count) - 1);
                } else {
                    let wanted = if wanted > self.point { count } else { wanted };
                    self.write_fixed(out, (wanted - self.point).max(0));
                }
            }
        }
    }

    fn write_fixed(&self, out: &mut String, after_point: i64) {
        if self.point > 0 {
            (0..self.point).for_each(|i| self.push(out, i));
        } else {
            out.push('0');
        }
        if after_point > 0 {
            out.push('.');
            (0..after_point).for_each(|i| self.push(out, self.point + i));
        }
    }

    fn write_exponent(&self, out: &mut String, letter: char, after_point: i64) {
        self.push(out, 0);
        if after_point > 0 {
            out.push('.');
            (1..=after_point).for_each(|i| self.push(out, i));
        }
        let exponent = if self.digits.is_empty() {
            0
        } else {
            self.point - 1
        };
        let sign = if exponent < 0 { '-' } else { '+' };
        out.push(letter);
        out.push(sign);
        out.push_str(&format!("{:02}", exponent.unsigned_abs()));
    }

    fn push(&self, out: &mut String, index: i64) {
        let digit = usize::try_from(index).map_or(b'0', |index| self.at(index));
        out.push(char::from(digit));
    }
}

fn to_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn to_i64_u(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn to_i64_bits(mantissa: &BigUint) -> i64 {
    to_i64_u(mantissa.bits())
}
