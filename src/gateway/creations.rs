//! Containers that the daemon is creating. If a build ends during that, the daemon keeps the cache
//! mounts of the container in use until it is restarted. So a creation continues after its caller
//! has stopped waiting, and the container is released before the build ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::Instrument as _;

use super::{Bridge, Error};
use crate::client::AnswerProblem;

/// The creations that run. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Creations(Arc<Mutex<JoinSet<()>>>);

impl Creations {
    /// Waits for a container. It is released if this future is dropped before.
    pub(super) async fn run<C, R>(
        &self,
        creating: impl Future<Output = Result<C, Error>> + Send + 'static,
        release: impl FnOnce(C) -> R + Send + 'static,
    ) -> Result<C, Error>
    where
        C: Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let task = async move {
            if let Err(Ok(unwanted)) = sender.send(creating.await) {
                release(unwanted).await;
            }
        };
        {
            let mut tasks = self.lock();
            while tasks.try_join_next().is_some() {}
            tasks.spawn(task.in_current_span());
        }
        let lost = || Error::invalid("creating a container", AnswerProblem::NoResult);
        receiver.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Waits at most for `grace` until nothing is being created.
    async fn settle(&self, grace: Duration) {
        let mut tasks = std::mem::take(&mut *self.lock());
        let all = async { while tasks.join_next().await.is_some() {} };
        let _ = timeout(grace, all).await;
        tasks.shutdown().await;
    }

    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bridge {
    /// Waits until no container is being created: at most for `grace`. Call it before the build
    /// ends and after the futures of [`container`](Self::container) are dropped.
    pub(crate) async fn settle(&self, grace: Duration) {
        self.creations.settle(grace).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_container_that_nobody_waits_for_is_released_before_the_end() {
        let creations = Creations::default();
        let released = Arc::new(AtomicBool::new(false));
        let (create, created) = oneshot::channel::<()>();
        let creating = async move {
            let _ = created.await;
            Ok(())
        };
        let note = released.clone();
        let mut waiting = Box::pin(creations.run(creating, async move |()| {
            note.store(true, Ordering::SeqCst);
        }));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(waiting);
        assert!(!released.load(Ordering::SeqCst));
        let created = async { create.send(()).unwrap() };
        tokio::join!(creations.settle(Duration::from_secs(600)), created);
        assert!(released.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_container_that_is_waited_for_is_kept() {
        let creations = Creations::default();
        let kept = creations.run(async { Ok(3) }, async |_| unreachable!());
        assert_eq!(kept.await.unwrap(), 3);
        creations.settle(Duration::from_secs(600)).await;
    }

    #[tokio::test]
    async fn a_daemon_that_hangs_does_not_hold_up_the_end() {
        let creations = Creations::default();
        let creating = std::future::pending::<Result<(), Error>>();
        let mut waiting = Box::pin(creations.run(creating, async |()| ()));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(waiting);
        creations.settle(Duration::ZERO).await;
        assert!(creations.lock().is_empty());
    }
}
