//! What the daemon calls back for while it builds: files, credentials, health.

mod filepath;
mod patterns;

pub use patterns::{MatchState, PatternError, PatternMatcher, Rule};
