//! The layer that holds the spans of a trace.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use http::HeaderMap;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Subscriber, dispatcher};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::{ExportProblem, Settings, TraceContext, messages, send};
use crate::client::Channel;
use crate::text;

/// The most spans of a trace.
pub(super) const SPAN_LIMIT: usize = 4096;
/// The most bytes of a value that are kept.
const VALUE_LIMIT: usize = 4096;
/// The most daemons that receive the spans.
const DAEMON_LIMIT: usize = 64;

/// A layer for `tracing-subscriber` that holds the spans of one trace. The first span without a
/// parent is the root: later ones without a parent are its children. Clones share the trace.
///
/// Two fields of a span are special, as in the crate `tracing-opentelemetry`: `otel.name` is its
/// name, and `error` makes its status an error. Credentials in URLs are hidden in all values.
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

struct Shared {
    settings: Settings,
    /// The context of the root; its span id is that of the first span.
    root: TraceContext,
    spans: Mutex<Spans>,
    daemons: Mutex<Vec<(String, Channel)>>,
}

#[derive(Default)]
struct Spans {
    has_root: bool,
    open: HashMap<u64, Open>,
    ended: Vec<Ended>,
    dropped: usize,
}

/// A span that has not ended.
struct Open {
    id: [u8; 8],
    /// All zeros at the root of the trace.
    parent: [u8; 8],
    details: Details,
    began: SystemTime,
    clock: Instant,
}

/// A span that has ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) id: [u8; 8],
    pub(super) parent: [u8; 8],
    pub(super) details: Details,
    pub(super) began: SystemTime,
    pub(super) ended: SystemTime,
}

/// The name, error and fields of a span.
#[derive(Debug, Clone, Default)]
pub(super) struct Details {
    pub(super) name: String,
    pub(super) error: Option<String>,
    pub(super) attributes: Vec<(&'static str, Value)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Bool(bool),
    Int(i64),
    Float(f64),
}

impl Recorder {
    /// Creates a recorder for the trace of the settings' parent, or else for a new trace.
    ///
    /// # Errors
    /// [`ExportProblem::Random`] if there are no random numbers.
    pub fn new(mut settings: Settings) -> Result<Self, ExportProblem> {
        let parent = settings.parent.clone();
        let mut root = match &parent {
            Some(parent) => parent.clone(),
            None => TraceContext {
                trace_id: random()?,
                span_id: [0; 8],
                flags: 1,
                state: String::new(),
            },
        };
        let is_sampled = settings.sampler.records(root.trace_id, parent.as_ref());
        if settings.records {
            // A trace that is not recorded here must not be recorded by daemons either.
            root.flags = u8::from(is_sampled);
        }
        settings.records &= is_sampled;
        if settings.records || parent.is_none() {
            root.span_id = random()?;
        }
        Ok(Self(Arc::new(Shared {
            settings,
            root,
            spans: Mutex::default(),
            daemons: Mutex::default(),
        })))
    }

    /// Returns the recorder of the current subscriber, if it has one.
    pub fn current() -> Option<Self> {
        dispatcher::get_default(|dispatch| dispatch.downcast_ref::<Self>().cloned())
    }

    /// Returns the trace's id in hexadecimal digits.
    pub fn trace_id(&self) -> String {
        self.0.root.to_header()[3..35].to_owned()
    }

    /// Returns the destination of the spans, for messages; `None` if no collector is set.
    pub fn destination(&self) -> Option<String> {
        self.0.settings.destination()
    }

    /// Adds the ended spans to the traces that the connected daemons record of their builds. A
    /// daemon that does not answer within a second is skipped.
    pub async fn send_to_daemons(&self) {
        let daemons = std::mem::take(&mut *self.daemons());
        let spans = self.spans().ended.clone();
        if !spans.is_empty() {
            let request = messages::request(&self.0.root, &self.0.settings, &spans);
            send::to_daemons(daemons, request).await;
        }
    }

    /// Sends the ended spans to the collector, if the settings have one, and removes them. Waits at
    /// most for `OTEL_EXPORTER_OTLP_TIMEOUT`, by default two seconds.
    ///
    /// # Errors
    /// If the spans did not reach the collector. They are not sent again.
    pub async fn send(&self) -> Result<(), ExportProblem> {
        let (spans, dropped) = {
            let mut spans = self.spans();
            (std::mem::take(&mut spans.ended), spans.dropped)
        };
        let Some(collector) = &self.0.settings.collector else {
            return Ok(());
        };
        if !spans.is_empty() {
            let request = messages::request(&self.0.root, &self.0.settings, &spans);
            send::to_collector(collector, &request).await?;
        }
        match dropped {
            0 => Ok(()),
            spans => Err(ExportProblem::Dropped {
                spans,
                limit: SPAN_LIMIT,
            }),
        }
    }

    fn spans(&self) -> std::sync::MutexGuard<'_, Spans> {
        self.0.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn daemons(&self) -> std::sync::MutexGuard<'_, Vec<(String, Channel)>> {
        let daemons = self.0.daemons.lock();
        daemons.unwrap_or_else(PoisonError::into_inner)
    }

    /// The context of a span, or that of the root.
    fn context_of(&self, id: Option<&Id>) -> TraceContext {
        let spans = self.spans();
        let open = id.and_then(|id| spans.open.get(&id.into_u64()));
        TraceContext {
            span_id: open.map_or(self.0.root.span_id, |open| open.id),
            ..self.0.root.clone()
        }
    }
}

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !self.0.settings.records {
            return;
        }
        // Without random numbers, the span is omitted.
        let Ok(random) = random() else { return };
        let mut details = Details {
            name: attributes.metadata().name().to_owned(),
            ..Details::default()
        };
        attributes.record(&mut details);
        let parent = match attributes.is_contextual() {
            true => context.current_span().id().map(Id::into_u64),
            false => attributes.parent().map(Id::into_u64),
        };
        let mut spans = self.spans();
        if spans.open.len() >= SPAN_LIMIT {
            spans.dropped += 1;
            return;
        }
        let is_root = !std::mem::replace(&mut spans.has_root, true);
        let (id_of_span, parent) = match parent.and_then(|id| spans.open.get(&id)) {
            Some(open) => (random, open.id),
            None if is_root => {
                let parent = self.0.settings.parent.as_ref();
                (self.0.root.span_id, parent.map_or([0; 8], |it| it.span_id))
            }
            None => (random, self.0.root.span_id),
        };
        let open = Open {
            id: id_of_span,
            parent,
            details,
            began: SystemTime::now(),
            clock: Instant::now(),
        };
        spans.open.insert(id.into_u64(), open);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        if let Some(open) = self.spans().open.get_mut(&id.into_u64()) {
            values.record(&mut open.details);
        }
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        let mut spans = self.spans();
        let Some(open) = spans.open.remove(&id.into_u64()) else {
            return;
        };
        if spans.ended.len() >= SPAN_LIMIT {
            spans.dropped += 1;
            return;
        }
        spans.ended.push(Ended {
            id: open.id,
            parent: open.parent,
            details: open.details,
            began: open.began,
            ended: open.began + open.clock.elapsed(),
        });
    }
}

impl Visit for Details {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, Value::Float(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, Value::Int(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, Value::Int(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, Value::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let mut value = text::redact(value).into_owned();
        value.truncate(value.floor_char_boundary(VALUE_LIMIT));
        match field.name() {
            "otel.name" => self.name = value,
            "error" => self.error = Some(value),
            _ => self.set(field, Value::Text(value)),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

impl Details {
    fn set(&mut self, field: &Field, value: Value) {
        self.attributes.retain(|(name, _)| *name != field.name());
        self.attributes.push((field.name(), value));
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("trace", &self.trace_id())
            .finish_non_exhaustive()
    }
}

/// Adds the trace to the headers of a call, if the current subscriber has a recorder.
pub(crate) fn add_headers(headers: &mut HeaderMap) {
    with_current(|recorder, dispatch| {
        let span = dispatch.current_span();
        recorder.context_of(span.id()).add_to(headers);
    });
}

/// Records a daemon that this process has connected to.
pub(crate) fn connected(address: impl fmt::Display, channel: &Channel) {
    with_current(|recorder, _| {
        let mut daemons = recorder.daemons();
        let address = address.to_string();
        let is_new = daemons.iter().all(|(known, _)| *known != address);
        if is_new && recorder.0.settings.records && daemons.len() < DAEMON_LIMIT {
            daemons.push((address, channel.clone()));
        }
    });
}

fn with_current(then: impl FnOnce(&Recorder, &Dispatch)) {
    let mut then = Some(then);
    dispatcher::get_default(|dispatch| {
        if let (Some(recorder), Some(then)) = (dispatch.downcast_ref::<Recorder>(), then.take()) {
            then(recorder, dispatch);
        }
    });
}

fn random<const N: usize>() -> Result<[u8; N], ExportProblem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| ExportProblem::Random)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
