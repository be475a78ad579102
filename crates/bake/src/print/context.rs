//! The context of a target as it is printed and built.

use crate::{filepath::clean, remote::is_remote};

/// Returns the context of a target: a local path is cleaned, and `cwd://` means the working
/// directory.
pub fn shown_context(context: &str) -> String {
    match context.strip_prefix("cwd://") {
        Some(path) => clean(path),
        None if is_remote(context) => context.to_owned(),
        None => clean(context),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_paths_are_cleaned_and_urls_stay() {
        for (context, shown) in [
            ("./svc/", "svc"),
            ("cwd://", "."),
            ("cwd://x/../y", "y"),
            ("", "."),
            ("https://x.org/a//b.git#main", "https://x.org/a//b.git#main"),
            ("docker-image://alpine", "docker-image:/alpine"),
        ] {
            assert_eq!(shown_context(context), shown);
        }
    }
}
