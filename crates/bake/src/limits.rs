//! The limits of bake files. Real projects stay far below them; hostile files fail before they
//! exhaust the machine's memory.

/// The most bytes of all files together.
pub(crate) const MAX_BYTES: usize = 16 << 20;
/// The most tokens of one HCL or JSON file.
pub(crate) const MAX_TOKENS: usize = 500_000;
/// The most interpolations and directives in the strings of one JSON file.
pub(crate) const MAX_SEQUENCES: usize = 100_000;
/// The most groups and targets of all files, counting each combination of a matrix.
pub(crate) const MAX_TARGETS: usize = 20_000;
