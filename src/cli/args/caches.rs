//! `--cache-from` and `--cache-to`, with credentials from the environment of CI systems and AWS.

use solvekit::client::CacheEntry;
use solvekit::pipeline::{CacheDirection, parse_cache, with_credentials};

use crate::cli::report::{Failure, hint};

/// All caches of a flag. A GitHub cache without credentials is dropped, so that the build also
/// works outside of GitHub Actions.
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
