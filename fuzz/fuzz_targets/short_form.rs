//! The short form of image references.

use solvekit::oci::Reference;

/// True if the short form names something else, as in the reference: the first part of a repository
/// of Docker Hub looks like a registry, or an official repository like the id of an image.
pub fn is_ambiguous(reference: &Reference) -> bool {
    let (first, rest) = reference.path().split_once('/').unwrap_or_default();
    let is_registry = first == "localhost" || first.contains('.');
    let is_id = first == "library" && rest.len() == 64 && is_hex(rest);
    reference.domain() == "docker.io" && (is_registry || is_id)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
