//! The build targets of a Dockerfile.

use super::ast::{Dockerfile, Stage};
use super::span::Span;

/// A stage as a build target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'d> {
    /// The stage's name, in lower case; `None` if it has none and can be built only as the last
    /// stage.
    pub name: Option<&'d str>,
    /// The description in the comment above the stage.
    pub description: Option<&'d str>,
    /// True for the default target: the last stage.
    pub default: bool,
    /// The base of the stage, unexpanded.
    pub base: &'d str,
    /// `--platform`, unexpanded.
    pub platform: Option<&'d str>,
    /// The lines of its FROM.
    pub span: Span,
}

impl Dockerfile {
    /// Returns the targets, in order of appearance.
    ///
    /// ```
    /// let text = b"# test runs the tests\nFROM alpine AS test\nFROM test\n";
    /// let dockerfile = solvekit_core::dockerfile::parse(text)?;
    /// let mut targets = dockerfile.targets();
    /// let test = targets.next().unwrap();
    /// assert_eq!((test.name, test.description), (Some("test"), Some("runs the tests")));
    /// assert!(targets.next().unwrap().default);
    /// # Ok::<(), solvekit_core::dockerfile::ParseError>(())
    /// ```
    pub fn targets(&self) -> impl ExactSizeIterator<Item = Target<'_>> {
        let count = self.stages.len();
        self.stages
            .iter()
            .enumerate()
            .map(move |(index, stage)| target(stage, index + 1 == count))
    }
}

fn target(stage: &Stage, default: bool) -> Target<'_> {
    Target {
        name: stage.name.as_deref(),
        description: stage.doc.as_deref(),
        default,
        base: &stage.base,
        platform: stage.platform.as_deref(),
        span: stage.span,
    }
}
