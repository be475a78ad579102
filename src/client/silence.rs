//! Notices a daemon that hangs. If nothing was received for a while, the daemon is asked; if it
//! still sends nothing, the connection is broken with an error. A daemon that only has nothing to
//! report answers, so long steps without output are not affected.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::{Address, transport::BoxIo};

/// The default for how long a daemon may send nothing although it is asked. BuildKit ends a build
/// in the same way if its client does not answer for about half a minute.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(60);

/// How long a daemon is silent before one line says so, if the limit is longer.
pub(super) const NOTICE: Duration = Duration::from_secs(30);

/// The least number of times that a watcher looks within the limit.
const LOOKS: u32 = 12;
/// The longest time between two looks, so that a long limit does not delay the question.
const LONGEST: Duration = Duration::from_secs(5);
/// The number of looks without anything received after which the daemon is asked.
const LOOKS_BEFORE_QUESTION: u32 = 3;

/// The error of a stream whose daemon hangs.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "{address} sent nothing for {} seconds, although it was asked",
    .limit.as_secs_f64()
)]
struct Silent {
    address: Address,
    /// [`Duration::MAX`] if there is no limit.
    limit: Duration,
}

/// The times at which a watcher looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pace {
    /// The time between two looks.
    interval: Duration,
    /// The number of looks without anything received after which the user is told.
    notice: Option<u32>,
    /// The number of looks without anything received after which the daemon hangs.
    hangs: u32,
}

impl Pace {
    fn of(limit: Duration) -> Self {
        let looks = limit.as_nanos().div_ceil(LONGEST.as_nanos());
        let hangs = u32::try_from(looks).unwrap_or(u32::MAX).max(LOOKS);
        let interval = (limit / hangs).clamp(Duration::from_millis(1), LONGEST);
        let looks = u32::try_from(NOTICE.as_nanos().div_ceil(interval.as_nanos()));
        Self {
            interval,
            notice: looks.ok().filter(|looks| *looks < hangs),
            hangs,
        }
    }
}

/// Says that a daemon is silent, and what happens next.
pub(super) fn silent_line(address: &Address, limit: Option<Duration>) -> String {
    let next = match limit {
        Some(limit) => format!("after {} seconds it counts as lost", limit.as_secs_f64()),
        None => "the build waits until it answers".to_owned(),
    };
    let seconds = NOTICE.as_secs();
    format!("{address} has sent nothing for {seconds} seconds, although it was asked: {next}")
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
        Watched {
            stream,
            pulse: Arc::clone(self),
            reading: Box::pin(broken.as_ref().clone().cancelled_owned()),
            writing: Box::pin(broken.as_ref().clone().cancelled_owned()),
            _broken: broken,
        }
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
                if Some(quiet.looks) == self.pace.notice {
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

/// Tells about a silence: only those who wait at that moment, and only one of them.
#[derive(Debug, Default)]
struct Notice {
    waiting: Notify,
    is_taken: AtomicBool,
}

impl Notice {
    fn give(&self) {
        self.is_taken.store(false, Ordering::Release);
        self.waiting.notify_waiters();
    }

    async fn noticed(&self) {
        loop {
            self.waiting.notified().await;
            if !self.is_taken.swap(true, Ordering::AcqRel) {
                return;
            }
        }
    }
}

/// The looks since the last data.
#[derive(Debug, Default)]
struct Quiet {
    reads: u64,
    looks: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Alive,
    Ask,
    Hangs,
}

impl Quiet {
    fn look(&mut self, reads: u64, pace: Pace) -> Verdict {
        if reads == self.reads {
            self.looks += 1;
        } else {
            *self = Self { reads, looks: 0 };
        }
        match self.looks {
            looks if looks >= pace.hangs => Verdict::Hangs,
            LOOKS_BEFORE_QUESTION.. => Verdict::Ask,
            _ => Verdict::Alive,
        }
    }
}

/// A stream that fails when its daemon hangs.
pub(super) struct Watched {
    stream: BoxIo,
    pulse: Arc<Pulse>,
    /// Both directions fail: HTTP/2 does not read while it has to write first.
    reading: Pin<Box<WaitForCancellationFutureOwned>>,
    writing: Pin<Box<WaitForCancellationFutureOwned>>,
    _broken: Arc<CancellationToken>,
}

impl Watched {
    fn error(&self) -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, self.pulse.silent.clone())
    }

    /// The result of a write; an error if it waits and the daemon hangs.
    fn written<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_pending() {
            ready!(self.writing.as_mut().poll(cx));
            return Poll::Ready(Err(self.error()));
        }
        result
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_pending() {
            ready!(self.reading.as_mut().poll(cx));
            return Poll::Ready(Err(self.error()));
        }
        if buffer.filled().len() > before {
            self.pulse.reads.fetch_add(1, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.written(cx, result)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

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
    fn a_long_limit_does_not_delay_the_question() {
        let pace = |seconds, notice, hangs| Pace {
            interval: Duration::from_secs(seconds),
            notice,
            hangs,
        };
        assert_eq!(Pace::of(SILENCE_LIMIT), pace(5, Some(6), 12));
        assert_eq!(Pace::of(Duration::from_secs(12)), pace(1, None, 12));
        assert_eq!(Pace::of(NOTICE).notice, None);
        assert_eq!(Pace::of(Duration::from_secs(36)), pace(3, Some(10), 12));
        assert_eq!(Pace::of(Duration::from_secs(600)), pace(5, Some(6), 120));
        assert_eq!(Pace::of(Duration::MAX), pace(5, Some(6), u32::MAX));
        let odd = Duration::from_secs(61);
        assert_eq!(Pace::of(odd).hangs, 13);
        assert_eq!(Pace::of(odd).interval, odd / 13);
    }

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

    #[test]
    fn data_ends_the_silence() {
        let mut quiet = Quiet::default();
        let pace = Pace::of(LIMIT);
        let mut looks = |reads, count| (0..count).map(|_| quiet.look(reads, pace)).last();
        assert_eq!(looks(0, LOOKS_BEFORE_QUESTION - 1), Some(Verdict::Alive));
        assert_eq!(looks(0, 1), Some(Verdict::Ask));
        assert_eq!(looks(1, 1), Some(Verdict::Alive));
        assert_eq!(looks(1, LOOKS - 1), Some(Verdict::Ask));
        assert_eq!(looks(1, 1), Some(Verdict::Hangs));
        assert_eq!(looks(2, 1), Some(Verdict::Alive));
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
