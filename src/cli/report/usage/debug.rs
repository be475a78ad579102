//! Mistakes in flags of the debugger.

use thiserror::Error;

use super::Advised;

#[derive(Debug, Error)]
pub(crate) enum DebugUsage {
    #[error("a debugger and progress for programs do not go together on stderr")]
    Progress,
    #[error("the debugger reads stdin, from which this build reads its context or Dockerfile")]
    Stdin,
    #[error("a debugger pauses a build, and --dry-run builds nothing")]
    DryRun,
    #[error("--invoke does not take {0:?}")]
    Invoke(String),
}

impl DebugUsage {
    pub(crate) fn invoke(text: &str) -> Self {
        Self::Invoke(text.to_owned())
    }
}

impl Advised for DebugUsage {
    fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::Progress => "use --progress=plain",
            Self::Stdin => "give the context as a folder, and the Dockerfile as a file",
            Self::DryRun => "leave out one of them",
            Self::Invoke(_) => {
                "use a program, or args=, entrypoint=, env=, user=, cwd= and tty=, for example \
                 --invoke args=bash,user=root"
            }
        };
        Some(advice.to_owned())
    }
}
