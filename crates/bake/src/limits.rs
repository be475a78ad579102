//! How large bake files may be. No real project comes near these limits; hostile files end with an
//! error before they take the memory of the machine.

/// Bytes of all files that are read together.
pub(crate) const MAX_BYTES: usize = 16 << 20;
/// Tokens of one HCL or JSON file.
pub(crate) const MAX_TOKENS: usize = 500_000;
/// Interpolations and directives in the strings of one JSON file.
pub(crate) const MAX_SEQUENCES: usize = 100_000;
/// Groups and targets of all files, with each combination of a matrix.
pub(crate) const MAX_TARGETS: usize = 20_000;
