//! The lines about a node that is being started, in the form of a build's plain output: `#1 …`.

use std::time::Instant;

use super::Error;

/// The output of one node's start. All its lines have the same number.
#[derive(Clone, Copy)]
pub(crate) struct Lines<'a> {
    say: &'a (dyn Fn(&str) + Sync),
    number: u32,
}

impl<'a> Lines<'a> {
    pub(super) fn new(say: &'a (dyn Fn(&str) + Sync), number: u32) -> Self {
        Self { say, number }
    }

    /// Shows a line.
    pub(super) fn say(&self, text: &str) {
        (self.say)(&format!("#{} {text}", self.number));
    }

    /// Shows the start and the end of a step.
    pub(super) async fn step<T>(
        &self,
        name: &str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let began = Instant::now();
        self.say(name);
        let done = work.await;
        let how = if done.is_ok() { "done" } else { "failed" };
        let seconds = began.elapsed().as_secs_f64();
        self.say(&format!("{name} {seconds:.1}s {how}"));
        done
    }
}
