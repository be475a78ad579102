//! An error with its causes.

use std::error::Error;

use crate::text::without_error_numbers;

/// Returns the error and its causes in one line, without the numbers of system errors; a cause that
/// the text already contains is not repeated.
pub fn in_one_line(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    without_error_numbers(&text).into_owned()
}
