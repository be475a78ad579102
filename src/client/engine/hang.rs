//! Notices an engine that hangs during a call to its API: it is asked on other connections, because
//! HTTP/1.1 cannot ask on the same one. Only silence is a hang: a connection that is refused says
//! nothing about the call, which fails by itself if the engine has ended.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::client::{ConnectProblem, dialer::Dialer, docker, transport::Deadline};

/// The number of questions in a row without an answer that make a hang.
const QUESTIONS: u32 = 4;

/// Completes when the engine hangs, with the problem to report; never without a limit.
pub(in crate::client) async fn hang(dialer: &Dialer) -> ConnectProblem {
    let Some(after) = dialer.silence() else {
        return std::future::pending().await;
    };
    let pause = (after / QUESTIONS).max(Duration::from_millis(1));
    let mut unanswered = 0;
    sleep(pause).await;
    while unanswered < QUESTIONS {
        let (answer, ()) = tokio::join!(timeout(pause, ask(dialer, pause)), sleep(pause));
        unanswered = match answer {
            Err(_) | Ok(Err(ConnectProblem::TimedOut { .. })) => unanswered + 1,
            Ok(_) => 0,
        };
    }
    ConnectProblem::Hangs { after }
}

async fn ask(dialer: &Dialer, within: Duration) -> Result<(), ConnectProblem> {
    let deadline = Deadline::new(within);
    let stream = dialer.open(deadline).await?;
    docker::ping(stream, dialer.engine_headers(), deadline).await
}
