//! `--cache-from` and `--cache-to`, completed by what CI systems and AWS leave in the environment.

use solvekit::client::CacheEntry;
use solvekit::pipeline::{CacheDirection, parse_cache, with_credentials};

use crate::cli::report::{Failure, hint};

/// All caches of a flag. GitHub's cache is left out where there is none, so that a build works
/// outside of its actions too.
pub(crate) fn of_flags(
    given: &[String],
    direction: CacheDirection,
) -> Result<Vec<CacheEntry>, Failure> {
    let mut caches = Vec::new();
    for text in given.iter().filter(|text| !text.is_empty()) {
        caches.extend(parse_cache(text, direction).map_err(|error| hint::for_value(&error))?);
    }
    Ok(with_credentials(caches, |name| std::env::var(name).ok()))
}
