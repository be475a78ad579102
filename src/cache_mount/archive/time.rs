//! Times as PAX writes them.

/// Formats seconds for PAX; before 1970 the fraction counts away from it.
pub(super) fn decimal(seconds: i64, nanoseconds: u32) -> String {
    let total = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    let (sign, total) = if total < 0 {
        ("-", -total)
    } else {
        ("", total)
    };
    format!(
        "{sign}{}.{:09}",
        total / 1_000_000_000,
        total % 1_000_000_000
    )
}

/// The opposite of [`decimal`]; `None` if it is malformed.
pub(super) fn parse_decimal(text: &str) -> Option<(i64, u32)> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction: String = fraction
        .chars()
        .chain(std::iter::repeat('0'))
        .take(9)
        .collect();
    let whole: i64 = whole.parse().ok()?;
    let total = i128::from(whole) * 1_000_000_000 + i128::from(fraction.parse::<u32>().ok()?);
    let total = if negative { -total } else { total };
    let seconds = i64::try_from(total.div_euclid(1_000_000_000)).ok()?;
    Some((
        seconds,
        u32::try_from(total.rem_euclid(1_000_000_000)).ok()?,
    ))
}
