//! Hooks of an embedding program between translation and result: inspect and change each platform's
//! graph, and replace the solve.

use std::fmt;

use super::{Error, Setting};
use crate::gateway::{self, Bridge, Ref, SolveOptions};
use crate::llb::{Definition, State};
use crate::oci::{Image, Platform};
use crate::translate::Translation;

/// Why a hook stops a build.
pub type HookError = Box<dyn std::error::Error + Send + Sync>;

/// Takes part in a build. Each method is called once for each platform, for all platforms
/// concurrently. Graphs of linked builds are part of the graphs that use them.
///
/// ```
/// use solvekit::frontend::{Hook, HookError, PlatformGraph};
///
/// #[derive(Debug)]
/// struct Label;
///
/// #[tonic::async_trait]
/// impl Hook for Label {
///     async fn graph(&self, graph: PlatformGraph<'_>) -> Result<(), HookError> {
///         let steps = graph.definition.vertices().len().to_string();
///         graph.image.config.labels.insert("steps".to_owned(), steps);
///         Ok(())
///     }
/// }
/// ```
#[tonic::async_trait]
pub trait Hook: Send + Sync + fmt::Debug {
    /// Inspects, and may change, a platform's graph and image config before anything is solved. Not
    /// called if a frontend in the daemon translates the Dockerfile.
    ///
    /// # Errors
    /// Any error fails the build ([`Error::Hook`](super::Error::Hook)).
    async fn graph(&self, graph: PlatformGraph<'_>) -> Result<(), HookError> {
        let _ = graph;
        Ok(())
    }

    /// Solves a platform's graph. A debugger solves it step by step.
    ///
    /// # Errors
    /// The daemon's, which fails the platform.
    async fn solve(&self, solving: Solving<'_>) -> Result<Ref, gateway::Error> {
        solving.solve().await
    }
}

/// A platform's graph and image config.
#[derive(Debug)]
#[non_exhaustive]
pub struct PlatformGraph<'a> {
    /// The platform.
    pub platform: &'a Platform,
    /// The graph that the daemon will solve.
    pub definition: &'a mut Definition,
    /// The image config of the result.
    pub image: &'a mut Image,
}

/// A platform's graph that is about to be solved.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Solving<'a> {
    /// The build.
    pub bridge: &'a Bridge,
    /// The name of the build if several run together.
    pub target: Option<&'a str>,
    /// The platform; `None` if a frontend in the daemon made a result for one platform.
    pub platform: Option<&'a Platform>,
    /// The graph.
    pub definition: &'a Definition,
    /// The image config of the result; `None` if a frontend in the daemon made it.
    pub image: Option<&'a Image>,
    /// The options of the solve.
    pub options: &'a SolveOptions,
    /// Replaces the single call that solves the graph.
    pub(crate) solver: Option<&'a dyn Hook>,
}

impl Solving<'_> {
    /// Solves the graph as a build without a hook does.
    ///
    /// # Errors
    /// The daemon's.
    pub async fn solve(&self) -> Result<Ref, gateway::Error> {
        match self.solver {
            _ if self.definition.is_empty() => Ok(Ref::scratch()),
            Some(solver) => solver.solve(self.without_solver()).await,
            None => self.bridge.solve(self.definition, self.options).await,
        }
    }

    fn without_solver(self) -> Self {
        Self {
            solver: None,
            ..self
        }
    }
}

/// Shows each platform's graph to the hook, if there is one.
pub(super) async fn show_each(
    setting: &Setting,
    translations: &mut [Translation],
) -> Result<(), Error> {
    let Some(hook) = &setting.hook else {
        return Ok(());
    };
    for made in translations {
        let before = made.definition.head();
        let graph = PlatformGraph {
            platform: &made.platform,
            definition: &mut made.definition,
            image: &mut made.image,
        };
        let refused = |source| Error::Hook {
            platform: Box::new(made.platform.clone()),
            source,
        };
        hook.graph(graph).await.map_err(refused)?;
        if made.definition.head() != before {
            let state = State::from_definition(&made.definition);
            made.state = state.map_err(|error| refused(error.into()))?;
        }
    }
    Ok(())
}
