//! Events of a build, and how they are shown.
