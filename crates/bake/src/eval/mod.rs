//! Expressions to values; variables, functions, blocks and their references.
