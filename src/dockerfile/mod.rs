//! Dockerfile text to spanned instructions; heredocs, flags, `${…}` expansion, lint rules. Pure: no I/O.
