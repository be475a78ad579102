//! Events of a build, and how they are shown.

mod channel;
mod convert;
mod event;
mod json;
mod step;

pub use channel::{Event, Source, Updates, Writer, channel, channel_with_clock};
pub use event::{
    LogStream, ProgressGroup, SourceInfo, SourcePosition, SourceRange, StatusUpdate, Vertex,
    VertexLog, VertexStatus, Warning,
};
pub use step::{Step, Transfer};
