//! Explains why steps of a build ran again: compares the records of a build and of the build before
//! it.
//!
//! - [`Record`] is the stored description of one build of one target: its steps, their parts, and
//!   how they ended. [`steps`] reads them from a graph.
//! - [`Table`] is a compact list of the files of a folder. [`Table::changes_since`] compares two.
//! - [`explain`] compares two records and gives each step that ran its [`Reason`]s.
//!
//! This module neither stores records nor formats reasons; the command does.

mod compare;
mod describe;
mod pair;
mod pick;
mod reason;
mod record;
mod table;

#[cfg(test)]
mod properties;

pub use compare::explain;
pub use describe::{description_hash, steps};
pub use pick::Pick;
pub use reason::{Explained, FileChange, How, Reason};
pub use record::{Ended, Fact, Graph, Kind, MAX_RECORD, Read, Record, RecordError, Step, VERSION};
pub use table::{Changes, FileStat, MAX_CHANGES, MAX_TABLE, Table, TableError, TableWriter};
