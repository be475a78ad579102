//! An immutable graph of build steps, and its marshalling to Definition bytes and digests. Pure: no I/O.
