//! Connections to all nodes of a pool. A node that hangs must not delay builds that others can run.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

/// The time that the other nodes have after the first answer.
pub(crate) const GRACE: Duration = Duration::from_secs(2);
/// The same if only nodes that failed recently have not answered.
const SHORT_GRACE: Duration = Duration::from_millis(300);

/// Waits for all futures, each with true if its node failed recently. After the first success the
/// others get a short time. The results are in the order of the futures; `None` for those that took
/// too long.
pub(crate) async fn all_that_answer<T, E>(
    asked: Vec<(impl Future<Output = Result<T, E>>, bool)>,
) -> Vec<Option<Result<T, E>>> {
    let mut results: Vec<Option<Result<T, E>>> = asked.iter().map(|_| None).collect();
    let mut healthy = asked.iter().filter(|(_, is_troubled)| !is_troubled).count();
    let mut running = FuturesUnordered::new();
    for (place, (future, is_troubled)) in asked.into_iter().enumerate() {
        running.push(async move { (place, is_troubled, future.await) });
    }
    let mut first: Option<Instant> = None;
    loop {
        let grace = match healthy {
            0 => SHORT_GRACE,
            _ => GRACE,
        };
        let end = async {
            match first {
                Some(first) => sleep_until(first + grace).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            next = running.next() => {
                let Some((place, is_troubled, result)) = next else {
                    return results;
                };
                healthy -= usize::from(!is_troubled);
                if result.is_ok() {
                    first.get_or_insert_with(Instant::now);
                }
                results[place] = Some(result);
            }
            () = end => return results,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answers_after(milliseconds: u64, answer: Result<u64, ()>) -> Result<u64, ()> {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        answer
    }

    #[tokio::test]
    async fn a_node_that_hangs_is_not_waited_for_when_another_answers() {
        let began = Instant::now();
        let results = all_that_answer(vec![
            (answers_after(60_000, Ok(1)), false),
            (answers_after(10, Ok(2)), false),
            (answers_after(200, Ok(3)), false),
            (answers_after(300, Err(())), false),
        ]);
        assert_eq!(
            results.await,
            [None, Some(Ok(2)), Some(Ok(3)), Some(Err(()))]
        );
        assert!(began.elapsed() >= GRACE);
        assert!(began.elapsed() < GRACE * 5);
    }

    #[tokio::test]
    async fn one_that_failed_lately_delays_nothing() {
        let began = Instant::now();
        let results = all_that_answer(vec![
            (answers_after(60_000, Ok(1)), true),
            (answers_after(10, Ok(2)), false),
            (answers_after(20, Ok(3)), true),
        ]);
        assert_eq!(results.await, [None, Some(Ok(2)), Some(Ok(3))]);
        assert!(began.elapsed() < GRACE);
    }

    #[tokio::test]
    async fn without_an_answer_all_are_waited_for() {
        let results = all_that_answer(vec![
            (answers_after(500, Ok(1)), true),
            (answers_after(10, Err(())), false),
        ]);
        assert_eq!(results.await, [Some(Ok(1)), Some(Err(()))]);
    }
}
