//! Runs work in a `tracing` span whose field `error` is set if the work fails.

use tracing::{Instrument as _, Span};

use crate::causes;
use crate::text;

/// Runs the work in the span, which needs the empty field `error`.
pub(crate) async fn in_span<T, E: std::error::Error + 'static>(
    span: Span,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let result = work.instrument(span.clone()).await;
    if let Err(error) = &result
        && !span.is_disabled()
    {
        let message = causes::in_one_line(error);
        span.record("error", &*text::redact(&message));
    }
    result
}
