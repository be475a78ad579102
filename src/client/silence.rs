//! Notices a daemon that hangs. If nothing was received for a while, the daemon is asked; if it
//! still sends nothing, the connection is broken with an error. A daemon that only has nothing to
//! report answers, so long steps without output are not affected.

mod notice;
mod pace;
mod watched;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{Address, transport::BoxIo};
use notice::Notice;
use pace::{Pace, Quiet, Verdict};
pub(super) use watched::Watched;

/// The default for how long a daemon may send nothing although it is asked. BuildKit ends a build
/// in the same way if its client does not answer for about half a minute.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(60);

/// How long a daemon is silent before one line says so, if the limit is longer.
pub(super) const NOTICE: Duration = Duration::from_secs(30);

/// The error of a stream whose daemon hangs.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "{} sent nothing for {} seconds, although it was asked",
    .address.in_words(),
    .limit.as_secs_f64()
)]
struct Silent {
    address: Address,
    /// [`Duration::MAX`] if there is no limit.
    limit: Duration,
}

/// Says that a daemon is silent, and what happens next.
pub(super) fn silent_line(address: &Address, limit: Option<Duration>) -> String {
    let next = match limit {
        Some(limit) => format!("after {} seconds it counts as lost", limit.as_secs_f64()),
        None => "the build waits until it answers".to_owned(),
    };
    let seconds = NOTICE.as_secs();
    let daemon = address.in_words();
    format!("{daemon} has sent nothing for {seconds} seconds, although it was asked: {next}")
}

/// Connects the stream of a connection with its watcher. When the connection is opened again, its
/// new stream takes the place of the old one.
#[derive(Debug)]
pub(super) struct Pulse {
    silent: Silent,
    pace: Pace,
    notice: Notice,
    /// The number of reads that returned data.
    reads: AtomicU64,
    /// Breaks the current stream; gone when that stream is dropped.
    current: Mutex<Weak<CancellationToken>>,
}

impl Pulse {
    /// The pulse of a connection to this address; without a limit its streams never break.
    pub(super) fn new(address: Address, limit: Option<Duration>) -> Self {
        let limit = limit.unwrap_or(Duration::MAX);
        Self {
            pace: Pace::of(limit),
            notice: Notice::default(),
            silent: Silent { address, limit },
            reads: AtomicU64::new(0),
            current: Mutex::new(Weak::new()),
        }
    }

    /// Watches a stream from now on.
    pub(super) fn watch(self: &Arc<Self>, stream: BoxIo) -> Watched {
        let broken = Arc::new(CancellationToken::new());
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&broken);
        Watched::new(stream, Arc::clone(self), broken)
    }

    /// Waits until the daemon has been silent for [`NOTICE`]. Of several who wait, one is told.
    pub(super) async fn noticed(&self) {
        self.notice.noticed().await;
    }

    fn stream(&self) -> Option<Arc<CancellationToken>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.upgrade()
    }

    /// Breaks streams whose daemon hangs. `ask` makes a cheap call; its result does not matter. The
    /// time is counted in looks, so a client that was suspended does not blame the daemon.
    pub(super) async fn keep_watching(self: Arc<Self>, ask: impl AsyncFn()) {
        let mut looks = interval(self.pace.interval);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut quiet = Quiet::default();
        loop {
            looks.tick().await;
            let mut verdict = self.look(&mut quiet);
            if verdict == Verdict::Ask {
                // One question is enough: it is in the stream even if the stream is congested.
                let mut answered = std::pin::pin!(ask());
                while verdict == Verdict::Ask {
                    tokio::select! {
                        () = &mut answered => break,
                        _ = looks.tick() => verdict = self.look(&mut quiet),
                    }
                }
            }
            if let (Verdict::Hangs, Some(stream)) = (verdict, self.stream()) {
                stream.cancel();
            }
        }
    }

    fn look(&self, quiet: &mut Quiet) -> Verdict {
        match self.stream() {
            Some(stream) if !stream.is_cancelled() => {
                let verdict = quiet.look(self.reads.load(Ordering::Relaxed), self.pace);
                if quiet.is_notable(self.pace) {
                    self.notice.give();
                }
                verdict
            }
            _ => {
                *quiet = Quiet::default();
                Verdict::Alive
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::AtomicUsize;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    use super::pace::LOOKS;
    use super::*;

    const LIMIT: Duration = Duration::from_millis(600);

    /// A watched stream, its far end, and the number of questions so far.
    struct Connection {
        ours: Watched,
        theirs: DuplexStream,
        questions: Arc<AtomicUsize>,
        _watcher: tokio_util::task::AbortOnDropHandle<()>,
    }

    fn connection() -> Connection {
        let address = Address::parse("unix:///run/b.sock").unwrap();
        let pulse = Arc::new(Pulse::new(address, Some(LIMIT)));
        let (ours, theirs) = tokio::io::duplex(16);
        let ours = pulse.watch(Box::new(ours));
        let questions = Arc::new(AtomicUsize::new(0));
        let asked = Arc::clone(&questions);
        let ask = async move || {
            asked.fetch_add(1, Ordering::Relaxed);
            std::future::pending().await
        };
        let watcher = tokio::spawn(async move { pulse.keep_watching(ask).await });
        Connection {
            ours,
            theirs,
            questions,
            _watcher: tokio_util::task::AbortOnDropHandle::new(watcher),
        }
    }

    #[tokio::test]
    async fn a_silent_daemon_is_asked_and_then_given_up() {
        let mut connection = connection();
        let error = connection.ours.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(
            error.to_string(),
            "unix:///run/b.sock sent nothing for 0.6 seconds, although it was asked"
        );
        assert_eq!(connection.questions.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_write_that_waits_for_a_silent_daemon_fails_too() {
        let mut connection = connection();
        let error = connection.ours.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_daemon_that_sends_something_now_and_then_is_alive() {
        let mut connection = connection();
        let mut theirs = connection.theirs;
        let sending = tokio::spawn(async move {
            for byte in 0..10 {
                tokio::time::sleep(LIMIT / 4).await;
                theirs.write_u8(byte).await.unwrap();
            }
        });
        for byte in 0..10 {
            assert_eq!(connection.ours.read_u8().await.unwrap(), byte);
        }
        sending.await.unwrap();
    }

    #[test]
    fn nothing_is_expected_without_a_stream() {
        let address = Address::parse("unix:///run/b.sock").unwrap();
        let pulse = Arc::new(Pulse::new(address, Some(LIMIT)));
        let mut quiet = Quiet::default();
        let looks = (0..2 * LOOKS).map(|_| pulse.look(&mut quiet));
        assert_eq!(looks.last(), Some(Verdict::Alive));
        let (ours, _theirs) = tokio::io::duplex(16);
        let stream = pulse.watch(Box::new(ours));
        let looks = (0..LOOKS).map(|_| pulse.look(&mut quiet));
        assert_eq!(looks.last(), Some(Verdict::Hangs));
        drop(stream);
        assert_eq!(pulse.look(&mut quiet), Verdict::Alive);
    }
}
