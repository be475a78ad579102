//! What happens while images are combined or copied, for those who show it.
//!
//! A caller that shows nothing passes [`Unseen`].

/// Receives the steps of work with images.
pub trait Steps: Send + Sync {
    /// A step begins: one repository is written.
    fn begin(&self, name: String) -> Box<dyn Step>;
}

/// A step that runs. It was interrupted if it is dropped without an end.
pub trait Step: Send + Sync {
    /// Adds a line to the step's log.
    fn log(&self, line: String);

    /// Begins to copy a blob of this size. The result is called with the number of bytes so far,
    /// often; the copy ends when it is dropped.
    fn copies(&self, name: String, size: u64) -> Box<dyn FnMut(u64) + Send>;

    /// The step ends, with an error if it failed.
    fn end(self: Box<Self>, error: Option<String>);
}

/// Steps that nobody sees.
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

/// Runs work as a step, which ends as the work does.
pub(crate) async fn run<T, E: std::fmt::Display>(
    steps: &dyn Steps,
    name: String,
    work: impl AsyncFnOnce(&dyn Step) -> Result<T, E>,
) -> Result<T, E> {
    let step = steps.begin(name);
    let done = work(step.as_ref()).await;
    step.end(done.as_ref().err().map(ToString::to_string));
    done
}
