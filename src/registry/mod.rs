//! The distribution API: credentials and tokens.
