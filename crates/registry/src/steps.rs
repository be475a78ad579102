//! Progress of combining and copying images, for callers that show it.
//!
//! A caller that shows no progress passes [`Unseen`].

/// Receives the steps of operations on images.
pub trait Steps: Send + Sync {
    /// Begins a step: writing to one repository.
    fn begin(&self, name: String) -> Box<dyn Step>;
}

/// A running step. If it is dropped without an end, it was interrupted.
pub trait Step: Send + Sync {
    /// Adds a line to the step's log.
    fn log(&self, line: String);

    /// Begins copying a blob of this size. The returned function is called often, with the number
    /// of bytes so far; the copy ends when the function is dropped.
    fn copies(&self, name: String, size: u64) -> Box<dyn FnMut(u64) + Send>;

    /// Ends the step, with an error if it failed.
    fn end(self: Box<Self>, error: Option<String>);
}

/// Discards all steps.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unseen;

impl Steps for Unseen {
    fn begin(&self, _: String) -> Box<dyn Step> {
        Box::new(Self)
    }
}

impl Step for Unseen {
    fn log(&self, _: String) {}

    fn copies(&self, _: String, _: u64) -> Box<dyn FnMut(u64) + Send> {
        Box::new(|_| {})
    }

    fn end(self: Box<Self>, _: Option<String>) {}
}

/// Ends a step with the result of its work.
pub(crate) fn end_with<T, E: std::fmt::Display>(step: Box<dyn Step>, done: &Result<T, E>) {
    step.end(done.as_ref().err().map(ToString::to_string));
}
