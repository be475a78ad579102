//! The tasks of one session: started here, cancelled together, and waited for before the session ends.

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A handle to start tasks with. It travels to the services in the extensions of every request.
#[derive(Debug, Clone)]
pub(super) struct Tasks {
    tracker: TaskTracker,
    cancelled: CancellationToken,
}

impl Tasks {
    /// No tasks yet; they are cancelled with `cancelled`, or by [`Tasks::end`].
    pub(super) fn new(cancelled: &CancellationToken) -> Self {
        Self {
            tracker: TaskTracker::new(),
            cancelled: cancelled.child_token(),
        }
    }

    /// Starts a task, which is dropped at its next await when the session ends.
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

    /// Starts blocking work. It has to notice by itself that nobody waits for it any more, by a closed channel.
    pub(super) fn spawn_blocking<F>(&self, work: F)
    where
        F: FnOnce() + Send + 'static,
    {
        self.tracker.spawn_blocking(work);
    }

    /// Does blocking work and waits for it; `None` when the session ends before. Work that nobody waits for any more is done to
    /// its end, and what it gives is dropped before the session ends.
    pub(super) async fn blocking<T, F>(&self, work: F) -> Option<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (done, ended) = oneshot::channel();
        self.spawn_blocking(move || drop(done.send(work())));
        ended.await.ok()
    }

    /// Cancels the tasks and waits until the last of them has ended.
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
