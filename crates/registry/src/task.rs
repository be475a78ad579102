//! Runs blocking work from async code, and reports its panics.

use std::any::Any;

use tokio::task::JoinError;

/// A task panicked, which is a bug in this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a task panicked: {message} (this is a bug in solvekit: please report it)")]
pub struct Panicked {
    message: String,
}

impl Panicked {
    /// Returns the error for a thread's panic.
    pub fn of(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Self {
            message: text.unwrap_or_else(|| "it left no message".to_owned()),
        }
    }
}

impl From<JoinError> for Panicked {
    fn from(error: JoinError) -> Self {
        match error.try_into_panic() {
            Ok(panic) => Self::of(&*panic),
            // Blocking work is never aborted; only a runtime that shuts down drops it.
            Err(error) => Self {
                message: error.to_string(),
            },
        }
    }
}

/// Runs blocking work on a thread of the runtime's pool.
///
/// # Errors
/// The error of the work, or a panic in it.
pub async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Panicked> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Panicked::from(error).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_that_says_it_is_a_bug() {
        let work = || -> Result<(), Panicked> { panic!("the {} is on fire", "printer") };
        let error = blocking(work).await.unwrap_err().to_string();
        assert!(
            error.contains("the printer is on fire") && error.contains("bug"),
            "{error}"
        );
    }
}
