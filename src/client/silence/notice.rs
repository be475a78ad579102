//! Tells one of those who wait.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Tells about a silence: only those who wait at that moment, and only one of them.
#[derive(Debug, Default)]
pub(super) struct Notice {
    waiting: Notify,
    is_taken: AtomicBool,
}

impl Notice {
    pub(super) fn give(&self) {
        self.is_taken.store(false, Ordering::Release);
        self.waiting.notify_waiters();
    }

    pub(super) async fn noticed(&self) {
        loop {
            self.waiting.notified().await;
            if !self.is_taken.swap(true, Ordering::AcqRel) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn one_of_those_who_wait_is_told_of_a_silence() {
        let notice = Notice::default();
        // Nobody waits yet, so this one is lost.
        notice.give();
        let told = AtomicUsize::new(0);
        let wait = async || {
            notice.noticed().await;
            told.fetch_add(1, Ordering::Relaxed);
        };
        let give = async {
            for expected in [1, 2] {
                notice.give();
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
                assert_eq!(told.load(Ordering::Relaxed), expected);
            }
        };
        let ended = async { tokio::join!(wait(), wait(), give) };
        let ended = tokio::time::timeout(Duration::from_secs(10), ended).await;
        assert!(ended.is_ok());
    }
}
