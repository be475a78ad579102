//! A trial: a graph with a single step that runs a platform's program, and the interpretation of
//! its failure.

use super::{Error, program};
use crate::client::{Client, Failure, SolveRequest};
use crate::llb::{Constraints, Definition, Exec, File, MarshalOptions, Network, State};
use crate::oci::Platform;
use crate::session;

/// The path of the program.
const PATH: &str = "/program";

/// A step that runs a program of a platform.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The platform.
    pub platform: Platform,
    /// The definition to solve. It needs no image, no session and no network.
    pub definition: Definition,
}

/// The result of a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Programs of the platform run.
    Runs,
    /// The programs do not run; holds the daemon's message.
    DoesNotRun(String),
}

impl Trial {
    /// Creates a trial for a platform; `None` if there is no program for it. With `fresh` the cache
    /// of an earlier success is ignored.
    pub fn of(platform: &Platform, fresh: bool) -> Option<Self> {
        if platform.os != "linux" {
            return None;
        }
        let program = program(&platform.architecture)?;
        let constraints = || {
            Constraints::new()
                .on(platform.clone())
                .ignoring_cache(fresh)
        };
        let file = File::new().make_file(PATH, 0o755, program);
        let named = format!("[internal] see whether programs for {platform} run");
        let exec = Exec::new([PATH])
            .network(Network::None)
            .constraints(constraints().named(named));
        let made = Constraints::new()
            .on(platform.clone())
            .named(format!("[internal] a small program for {platform}"));
        let state = State::scratch().file(file, made).run(exec).root();
        let options = MarshalOptions {
            platform: platform.clone().into(),
            ..MarshalOptions::default()
        };
        // The graph is complete, so marshalling cannot fail.
        let definition = state.marshal(&options).ok()?;
        Some(Self {
            platform: platform.clone(),
            definition,
        })
    }
}

impl Trial {
    /// Runs the trial on a daemon, outside of its history. Returns `None` if it failed for another
    /// reason than its platform.
    ///
    /// # Errors
    /// If the daemon does not answer.
    pub async fn run(&self, client: &Client) -> Result<Option<Verdict>, Error> {
        let request = SolveRequest {
            build_ref: session::new_id()?,
            definition: Some(self.definition.clone()),
            internal: true,
            ..SolveRequest::default()
        };
        match client.solve(request).await {
            Ok(_) => Ok(Some(Verdict::Runs)),
            Err(error) => match error.failure() {
                Some(failure) => Ok(Verdict::of_failure(failure)),
                None => Err(error.into()),
            },
        }
    }
}

impl Verdict {
    /// Interprets the failure of a trial; `None` if it has another reason.
    pub fn of_failure(failure: &Failure) -> Option<Self> {
        // The program file exists, so "not found" refers to an emulator that is missing inside the
        // container.
        let signs = ["exec format error", "no such file or directory"];
        let is_recognized = signs.iter().any(|sign| failure.message.contains(sign));
        let ended = failure.exit_code().is_some();
        let message = match failure.exit_code() {
            Some(code) if !is_recognized => format!("exit code {code}"),
            _ => failure
                .message
                .rsplit(": ")
                .next()
                .unwrap_or_default()
                .to_owned(),
        };
        (is_recognized || ended).then_some(Self::DoesNotRun(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Code;

    #[test]
    fn a_trial_has_two_steps_on_its_platform() {
        let platform = Platform::parse("linux/arm64").unwrap();
        let trial = Trial::of(&platform, false).unwrap();
        assert_eq!(trial.definition.vertices().len(), 2);
        assert!(Trial::of(&Platform::parse("windows/amd64").unwrap(), false).is_none());
        assert!(Trial::of(&Platform::parse("linux/wasm").unwrap(), true).is_none());
    }

    #[test]
    fn failures_that_are_about_something_else_say_nothing() {
        let verdict = |message: &str| Verdict::of_failure(&Failure::new(Code::Unknown, message));
        for text in [
            "process \"/program\" did not complete successfully: exit code: 1",
            "exec /program: exec format error",
            "exec /program: no such file or directory",
        ] {
            assert!(verdict(text).is_some(), "{text}");
        }
        assert_eq!(verdict("cannot allocate memory"), None);
        assert_eq!(verdict("context canceled"), None);
    }
}
