//! Explains why steps of a build ran again: compares the record of a build with that of the build
//! before it.
//!
//! - [`Record`] is what is kept of a build of one target: its steps, what they are made of, and how
//!   they ended. [`steps`] reads them from a graph.
//! - [`Table`] is a compact list of the files of a folder. [`Table::changes_since`] compares two.
//! - [`explain`] compares two records and gives each step that ran its [`Reason`]s.
//!
//! Where records are kept, and how reasons are shown, is decided elsewhere.

mod compare;
mod describe;
mod pair;
mod pick;
mod reason;
mod record;
mod table;
mod varint;

#[cfg(test)]
mod properties;

pub use compare::explain;
pub use describe::{description_hash, steps};
pub use pick::Pick;
pub use reason::{Explained, FileChange, How, Reason};
pub use record::{Ended, Fact, Graph, Kind, MAX_RECORD, Read, Record, RecordError, Step, VERSION};
pub use table::{Changes, FileStat, MAX_CHANGES, MAX_TABLE, Table, TableError, TableWriter};
