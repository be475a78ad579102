//! Names of targets and groups.

/// The allowed characters of a name, for messages.
pub const NAME_CHARACTERS: &str = "letters, digits, \"_\" and \"-\"";

/// True if `name` is a valid name of a target or a group: `[a-zA-Z0-9_-]+`.
pub fn is_valid_name(name: &str) -> bool {
    let valid = |next: char| next.is_ascii_alphanumeric() || "_-".contains(next);
    !name.is_empty() && name.chars().all(valid)
}

/// Replaces dots, which compose services may have in their names, by `_`.
pub fn sanitize_name(name: &str) -> String {
    name.replace('.', "_")
}
