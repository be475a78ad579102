//! Names of targets and groups.

/// The characters that a name may have, for messages.
pub const NAME_CHARACTERS: &str = "letters, digits, \"_\" and \"-\"";

/// True if `name` may name a target or a group: `[a-zA-Z0-9_-]+`.
pub fn is_valid_name(name: &str) -> bool {
    let valid = |next: char| next.is_ascii_alphanumeric() || "_-".contains(next);
    !name.is_empty() && name.chars().all(valid)
}

/// The name with `_` for dots, which the names of compose services may have.
pub fn sanitize_name(name: &str) -> String {
    name.replace('.', "_")
}
