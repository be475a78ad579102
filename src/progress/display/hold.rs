//! Pauses a display while something else uses its terminal.

use std::time::Duration;

use tokio::sync::watch;

/// How long to wait for a display, which may have ended.
const PATIENCE: Duration = Duration::from_secs(1);

/// Pauses a display ([`Options::hold`](super::Options)). Clones pause the same display.
#[derive(Debug, Clone)]
pub struct Hold {
    state: watch::Sender<State>,
}

/// The display draws nothing while this exists.
#[derive(Debug)]
pub struct Held {
    state: watch::Sender<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Running,
    Asked,
    Stopped,
}

impl Default for Hold {
    fn default() -> Self {
        Self {
            state: watch::Sender::new(State::Running),
        }
    }
}

impl Hold {
    /// Waits until the display has drawn its current state and paused.
    pub async fn stop(&self) -> Held {
        let mut stopped = self.state.subscribe();
        self.state.send_replace(State::Asked);
        let stopped = stopped.wait_for(|state| *state == State::Stopped);
        // If the display has ended, it draws nothing either.
        let _ = tokio::time::timeout(PATIENCE, stopped).await;
        Held {
            state: self.state.clone(),
        }
    }

    pub(super) fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(super) fn stopped(&self) {
        self.state.send_replace(State::Stopped);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.state.send_replace(State::Running);
    }
}
