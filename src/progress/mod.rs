//! Events of a build, and how they are shown.

mod event;
mod json;

pub use event::{
    LogStream, ProgressGroup, SourceInfo, SourcePosition, SourceRange, StatusUpdate, Vertex,
    VertexLog, VertexStatus, Warning,
};
