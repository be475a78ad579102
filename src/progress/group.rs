//! Vertexes that are shown as one step, such as the parts of a `COPY --link`.

use std::collections::HashMap;

use super::event::Vertex;

/// The members of a progress group.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// By digest: true if the member came from the cache.
    members: HashMap<String, bool>,
    /// The number of members that came from the cache.
    cached: usize,
    /// The first error of a member.
    error: String,
}

impl Group {
    /// Records a member. Returns true if it makes the group visible: the member failed, or started
    /// and is not weak.
    pub(super) fn note(&mut self, vertex: &Vertex) -> bool {
        let before = self.members.insert(vertex.digest.clone(), vertex.cached);
        self.cached += usize::from(vertex.cached);
        self.cached -= usize::from(before == Some(true));
        if self.error.is_empty() {
            self.error.clone_from(&vertex.error);
        }
        let weak = vertex
            .progress_group
            .as_ref()
            .is_some_and(|group| group.weak);
        !vertex.error.is_empty() || (vertex.started.is_some() && !weak)
    }

    /// True if all members came from the cache.
    pub(super) fn is_cached(&self) -> bool {
        self.cached == self.members.len()
    }

    pub(super) fn error(&self) -> &str {
        &self.error
    }
}
