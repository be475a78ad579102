//! Messages of the reference that several places need.

/// The message for an unknown variable.
pub(crate) fn variable_words(name: &str) -> String {
    format!("Unknown variable; There is no variable named {name:?}.")
}

/// The message for an unknown function.
pub(crate) fn call_words(name: &str) -> String {
    format!("Call to unknown function; There is no function named {name:?}.")
}
