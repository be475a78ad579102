//! The tasks of one session: started here, cancelled together, and awaited before the session ends.

use std::{io, thread};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the end of a session waits for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Waiting {
    /// The end of the work, which has files to remove.
    ForWork,
    /// Nothing: the work may write to a pipe that nobody reads, and then never ends.
    ForNothing,
}

/// A handle to start tasks. It reaches the services in the extensions of every request.
#[derive(Debug, Clone)]
pub(super) struct Tasks {
    tracker: TaskTracker,
    cancelled: CancellationToken,
}

impl Tasks {
    /// Returns a handle without tasks. They are cancelled with `cancelled`, or by [`Tasks::end`].
    pub(super) fn new(cancelled: &CancellationToken) -> Self {
        Self {
            tracker: TaskTracker::new(),
            cancelled: cancelled.child_token(),
        }
    }

    /// Starts a task. It is dropped at its next await when the session ends.
    pub(super) fn spawn<F>(&self, task: F)
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        let cancelled = self.cancelled.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                biased;
                () = cancelled.cancelled() => {}
                _ = task => {}
            }
        });
    }

    /// Starts blocking work. It must notice by a closed channel that it is no longer needed.
    pub(super) fn spawn_blocking<F>(&self, work: F)
    where
        F: FnOnce() + Send + 'static,
    {
        self.tracker.spawn_blocking(work);
    }

    /// Starts blocking work as `waiting` says.
    ///
    /// # Errors
    /// If the system cannot start a thread.
    pub(super) fn start<F>(&self, waiting: Waiting, work: F) -> io::Result<()>
    where
        F: FnOnce() + Send + 'static,
    {
        match waiting {
            Waiting::ForWork => self.spawn_blocking(work),
            Waiting::ForNothing => {
                let thread = thread::Builder::new().name("output".to_owned());
                thread.spawn(work)?;
            }
        }
        Ok(())
    }

    /// Runs blocking work and waits for it; `None` if the session ends first. The work still runs
    /// to its end, and its result is dropped before the session ends.
    pub(super) async fn blocking<T, F>(&self, work: F) -> Option<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (done, ended) = oneshot::channel();
        self.spawn_blocking(move || drop(done.send(work())));
        ended.await.ok()
    }

    /// Cancels the tasks and waits until all have ended.
    pub(super) async fn end(&self) {
        self.cancelled.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, task: F) {
        self.spawn(task);
    }
}
