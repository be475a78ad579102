//! Notices an engine that hangs during a call to its API: it is asked on other connections, because
//! HTTP/1.1 cannot ask on the same one.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::client::{ConnectProblem, dialer::Dialer, docker, transport::Deadline};

/// The number of questions in a row without an answer that make a hang.
const QUESTIONS: u32 = 4;

/// Completes when the engine hangs, with the problem to report.
pub(in crate::client) async fn hang(dialer: &Dialer) -> ConnectProblem {
    let after = dialer.silence();
    let pause = (after / QUESTIONS).max(Duration::from_millis(1));
    let mut unanswered = 0;
    sleep(pause).await;
    while unanswered < QUESTIONS {
        let (answer, ()) = tokio::join!(timeout(pause, ask(dialer, pause)), sleep(pause));
        unanswered = match answer {
            Ok(Ok(())) => 0,
            _ => unanswered + 1,
        };
    }
    ConnectProblem::Hangs { after }
}

async fn ask(dialer: &Dialer, within: Duration) -> Result<(), ConnectProblem> {
    let deadline = Deadline::new(within);
    let stream = dialer.open(deadline).await?;
    docker::ping(stream, dialer.engine_headers(), deadline).await
}
