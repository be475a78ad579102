//! Numbers: arithmetic, comparison, rounding, logarithms.

use std::cmp::Ordering;

use num_bigint::{BigInt, BigUint, Sign};

use crate::files::Host;
use crate::value::{Number, NumberError, Value};

use super::arguments::{Arguments, Fault};
use super::error::CallReason;
use super::{Definition, any, function, number};

const ONE: &[super::Parameter] = &[number("num")];
const TWO: &[super::Parameter] = &[number("a"), number("b")];

/// The longest text for `parseint`, in bytes.
const MAX_DIGITS: usize = 20_000;

pub(super) const FUNCTIONS: &[Definition] = &[
    function("absolute", ONE, |args, _| {
        Ok(Value::Number(args.number(0)?.absolute()))
    }),
    function("add", TWO, |args, _| binary(args, Number::add)),
    function("ceil", ONE, |args, _| {
        Ok(Value::Number(args.number(0)?.ceil()?))
    }),
    function("divide", TWO, |args, _| binary(args, Number::divide)),
    function("floor", ONE, |args, _| {
        Ok(Value::Number(args.number(0)?.floor()?))
    }),
    function("greaterthan", TWO, |args, _| compare(args, Ordering::is_gt)),
    function("greaterthanorequalto", TWO, |args, _| {
        compare(args, Ordering::is_ge)
    }),
    function("int", ONE, int),
    function("lessthan", TWO, |args, _| compare(args, Ordering::is_lt)),
    function("lessthanorequalto", TWO, |args, _| {
        compare(args, Ordering::is_le)
    }),
    function("log", &[number("num"), number("base")], log),
    function("max", &[], |args, _| extreme(args, Ordering::Greater)).and_more(number("numbers")),
    function("min", &[], |args, _| extreme(args, Ordering::Less)).and_more(number("numbers")),
    function("modulo", TWO, |args, _| binary(args, Number::modulo)),
    function("multiply", TWO, |args, _| binary(args, Number::multiply)),
    function("negate", ONE, |args, _| {
        Ok(Value::Number(args.number(0)?.negate()))
    }),
    function("parseint", &[any("number"), number("base")], parse_int),
    function("pow", &[number("num"), number("power")], pow),
    function("signum", ONE, |args, _| {
        Ok(Value::int(args.int(0)?.signum()))
    }),
    function("subtract", TWO, |args, _| binary(args, Number::subtract)),
];

fn binary(
    args: &Arguments<'_>,
    operation: fn(&Number, &Number) -> Result<Number, NumberError>,
) -> Result<Value, Fault> {
    Ok(Value::Number(operation(args.number(0)?, args.number(1)?)?))
}

/// `<=` and `>=` use the language's equality, which compares fractions as text.
fn compare(args: &Arguments<'_>, holds: fn(Ordering) -> bool) -> Result<Value, Fault> {
    let (a, b) = (args.number(0)?, args.number(1)?);
    let equal = holds(Ordering::Equal) && a.equals(b);
    Ok(Value::Bool(equal || holds(a.compare(b))))
}

fn int(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let number = args.number(0)?;
    if number.is_integer() {
        return Ok(Value::Number(number.clone()));
    }
    let whole = number.truncate().ok_or(CallReason::Infinite)?;
    Ok(Value::Number(Number::from_integer(&whole)?))
}

fn extreme(args: &Arguments<'_>, wanted: Ordering) -> Result<Value, Fault> {
    if args.len() == 0 {
        return Err(CallReason::NoArguments.into());
    }
    let mut best = Number::infinity(wanted == Ordering::Greater, 64);
    for index in 0..args.len() {
        let number = args.number(index)?;
        if number.compare(&best) == wanted {
            best = number.clone();
        }
    }
    Ok(Value::Number(best))
}

fn log(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    float(natural_logarithm(args.float(0)?) / natural_logarithm(args.float(1)?))
}

fn pow(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    float(power(args.float(0)?, args.float(1)?))
}

fn float(value: f64) -> Result<Value, Fault> {
    let number = Number::from_f64(value).ok_or(CallReason::Undefined)?;
    Ok(Value::Number(number))
}

fn parse_int(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let text = args.text(0)?;
    let base = args.number(1)?.to_i64();
    let base = base.and_then(|base| u32::try_from(base).ok());
    let Some(base @ 2..=62) = base else {
        return Err(Fault::at(1, CallReason::Base));
    };
    let integer = integer(text, base).ok_or_else(|| {
        let text = text.chars().take(100).collect();
        Fault::at(0, CallReason::NotAnInteger { text, base })
    })?;
    Ok(Value::Number(Number::from_integer(&integer)?))
}

/// Parses an integer. Letters are 10 to 35; above base 36, capital letters are 36 to 61.
fn integer(text: &str, base: u32) -> Option<BigInt> {
    let (sign, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (Sign::Minus, digits),
        [b'+', digits @ ..] | digits => (Sign::Plus, digits),
    };
    if digits.is_empty() || digits.len() > MAX_DIGITS {
        return None;
    }
    let value = |&digit: &u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'z' => Some(digit - b'a' + 10),
        b'A'..=b'Z' if base <= 36 => Some(digit - b'A' + 10),
        b'A'..=b'Z' => Some(digit - b'A' + 36),
        _ => None,
    };
    let digits: Vec<u8> = digits.iter().map(value).collect::<Option<_>>()?;
    Some(BigInt::from_biguint(
        sign,
        BigUint::from_radix_be(&digits, base)?,
    ))
}

/// Returns the logarithm with the same last bits as Go's `math.Log`, which is FreeBSD's `e_log.c`.
fn natural_logarithm(x: f64) -> f64 {
    const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const L1: f64 = 0.666_666_666_666_673_5;
    const L2: f64 = 0.399_999_999_994_094_2;
    const L3: f64 = 0.285_714_287_436_623_9;
    const L4: f64 = 0.222_221_984_321_497_84;
    const L5: f64 = 0.181_835_721_616_180_5;
    const L6: f64 = 0.153_138_376_992_093_73;
    const L7: f64 = 0.147_981_986_051_165_86;
    if x.is_nan() || x <= 0.0 || x.is_infinite() {
        return x.ln();
    }
    let (mut fraction, mut exponent) = split(x);
    if fraction < std::f64::consts::FRAC_1_SQRT_2 {
        fraction *= 2.0;
        exponent -= 1;
    }
    let f = fraction - 1.0;
    let k = f64::from(exponent);
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let t1 = s2 * (L1 + s4 * (L3 + s4 * (L5 + s4 * L7)));
    let t2 = s4 * (L2 + s4 * (L4 + s4 * L6));
    let r = t1 + t2;
    let half_square = 0.5 * f * f;
    k * LN2_HIGH - ((half_square - (s * (half_square + r) + k * LN2_LOW)) - f)
}

/// Returns `e^x` with the same last bits as Go's `math.Exp` on amd64: a Taylor series for a
/// sixteenth.
fn exponential(x: f64) -> f64 {
    const LN2_HIGH: f64 = 0.693_147_180_559_663;
    const LN2_LOW: f64 = 2.823_529_056_303_157_7e-13;
    const SERIES: [f64; 8] = [
        2.480_158_730_158_73e-5,
        0.000_198_412_698_412_698_4,
        0.001_388_888_888_888_889,
        0.008_333_333_333_333_333,
        0.041_666_666_666_666_664,
        0.166_666_666_666_666_66,
        0.5,
        1.0,
    ];
    if !x.is_finite() || x.abs() > 700.0 {
        return x.exp();
    }
    let k = (x * std::f64::consts::LOG2_E).round_ties_even();
    let mut rest = (-k).mul_add(LN2_HIGH, x);
    rest = (-k).mul_add(LN2_LOW, rest) * 0.0625;
    let series = SERIES
        .iter()
        .copied()
        .reduce(|sum, next| sum.mul_add(rest, next));
    rest *= series.unwrap_or(1.0);
    for _ in 0..3 {
        rest *= rest + 2.0;
    }
    scale((rest + 2.0).mul_add(rest, 1.0), k as i64)
}

/// Returns `x` to the power `y` with the same last bits as Go's `math.Pow`: by squaring the
/// fraction.
fn power(x: f64, y: f64) -> f64 {
    let whole = y.abs().trunc();
    let special = x == 0.0 || x.is_infinite() || x.is_nan() || y.is_infinite() || y.is_nan();
    if special || y == 0.0 || x == 1.0 || y == 1.0 || whole >= 9.2e18 {
        return x.powf(y);
    }
    if y == 0.5 {
        return x.sqrt();
    }
    if y == -0.5 {
        return 1.0 / x.sqrt();
    }
    let mut part = y.abs() - whole;
    if part != 0.0 && x < 0.0 {
        return f64::NAN;
    }
    let mut left = whole as i64;
    let (mut result, mut result_exponent) = (1.0, 0i64);
    if part != 0.0 {
        if part > 0.5 {
            part -= 1.0;
            left += 1;
        }
        result = exponential(part * natural_logarithm(x));
    }
    let (mut factor, factor_exponent) = split(x);
    let mut factor_exponent = i64::from(factor_exponent);
    while left != 0 {
        if factor_exponent.abs() > 1 << 12 {
            result_exponent += factor_exponent;
            break;
        }
        if left & 1 == 1 {
            result *= factor;
            result_exponent += factor_exponent;
        }
        factor *= factor;
        factor_exponent <<= 1;
        if factor < 0.5 {
            factor += factor;
            factor_exponent -= 1;
        }
        left >>= 1;
    }
    if y < 0.0 {
        result = 1.0 / result;
        result_exponent = -result_exponent;
    }
    scale(result, result_exponent)
}

/// Splits `x` into a fraction from 0.5 up to 1 and a power of two.
fn split(x: f64) -> (f64, i32) {
    if x.is_subnormal() {
        let (fraction, exponent) = split(x * 2f64.powi(54));
        return (fraction, exponent - 54);
    }
    let bits = x.to_bits();
    let exponent = i32::try_from((bits >> 52) & 0x7ff).unwrap_or(0) - 1022;
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), exponent)
}

/// Returns `x * 2^exponent`, in steps that lose no bits before the last one.
fn scale(mut x: f64, exponent: i64) -> f64 {
    let mut left = exponent.clamp(-3000, 3000);
    while left != 0 {
        let step = left.clamp(-1000, 1000);
        x *= 2f64.powi(i32::try_from(step).unwrap_or(0));
        left -= step;
    }
    x
}
