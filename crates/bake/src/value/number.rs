//! Numbers: 512-bit decimals, as go-cty's.

/// A number.
#[derive(Clone, Debug, PartialEq)]
pub struct Number(f64);
