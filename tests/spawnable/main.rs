//! Servers spawn builds on a runtime with several threads, so the library's futures are `Send`, and
//! so are their results. The compiler is the test: no future here runs.

mod builders;
mod builds;
mod client;
mod gateway;
mod host;
mod registry;

/// Accepts what `tokio::spawn` accepts.
fn spawnable<Arguments, Spawned>(_: impl FnOnce(Arguments) -> Spawned)
where
    Spawned: Future<Output: Send + 'static> + Send + 'static,
{
}
