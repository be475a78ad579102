//! The JSON of `--print`, and the tables and JSON of `--list`.
