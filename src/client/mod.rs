//! A connection to one BuildKit daemon.
