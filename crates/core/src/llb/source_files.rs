//! The source files of a definition. Locations name them by their position.

use std::collections::HashMap;
use std::sync::Arc;

use super::definition::Definition;
use super::metadata::SourceFile;

/// The source files of a definition, each once: those of the vertices in their order, then its
/// documents.
pub(super) struct SourceFiles<'a> {
    pub(super) files: Vec<&'a Arc<SourceFile>>,
    /// Positions in `files`, by address: equal files are one.
    places: HashMap<*const SourceFile, usize>,
    /// The last file, which is nearly always the next one too.
    last: (*const SourceFile, usize),
}

impl<'a> SourceFiles<'a> {
    pub(super) fn of(definition: &'a Definition) -> Self {
        let mut sources = Self {
            files: Vec::new(),
            places: HashMap::new(),
            last: (std::ptr::null(), 0),
        };
        let vertices = definition.vertices().iter();
        for location in vertices.flat_map(|vertex| vertex.locations()) {
            sources.index(&location.file);
        }
        sources.files.extend(definition.documents());
        sources
    }

    /// Returns the position of a file of a vertex.
    pub(super) fn index(&mut self, file: &'a Arc<SourceFile>) -> i32 {
        let address = Arc::as_ptr(file);
        if self.last.0 != address {
            let files = &mut self.files;
            let at = *self.places.entry(address).or_insert_with(|| {
                let known = files.iter().position(|known| known.is_same(file));
                known.unwrap_or_else(|| {
                    files.push(file);
                    files.len() - 1
                })
            });
            self.last = (address, at);
        }
        self.last.1 as i32
    }
}

impl SourceFile {
    /// True if it equals `other`. The definitions of the files are compared only if both have one.
    fn is_same(&self, other: &Self) -> bool {
        let last = |file: &Self| {
            let terminal = file.definition.as_ref()?.terminal()?;
            Some(terminal.op.clone())
        };
        self.filename == other.filename
            && self.language == other.language
            && self.data == other.data
            && match (last(self), last(other)) {
                (Some(own), Some(others)) => own == others,
                _ => true,
            }
    }
}
