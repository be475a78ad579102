//! Explains after a build why its steps ran again.
//!
//! [`Records`] collects what a build is made of while it runs. [`Store`] keeps the last build of
//! each target on disk and compares the next one with it. The comparison itself is pure and is in
//! `solvekit-core`.

mod records;
mod report;
mod store;

pub(crate) use records::Place;
pub use records::{Built, Records};
pub use report::{Report, TargetReport};
pub use solvekit_core::explain::{
    Changes, Ended, Explained, Fact, FileChange, FileStat, Graph, How, Kind, Pick, Read, Reason,
    Record, RecordError, Step, Table, TableError, TableWriter, description_hash, explain,
};
pub use store::{Store, StoreError};
