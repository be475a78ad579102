//! The Dockerfile frontend: it runs in this client, or as an image inside BuildKit.
//!
//! [`Job::read`] parses a Dockerfile for a request ([`Asked`]). [`Job::run`] translates it for
//! every platform, resolves base images, solves over a [`Bridge`](crate::gateway::Bridge), and
//! returns the result for export. If the Dockerfile requests another frontend with `# syntax=`,
//! that one is called in the daemon. A [`Question`] about a Dockerfile is answered without a build.
//! [`serve`] does all this inside a daemon that started the process as a frontend.
//!
//! ```
//! use solvekit::frontend::{Asked, Call, Choice, Question, Setting, Source};
//!
//! let source = Source::new("Dockerfile", b"FROM scratch as base\nCOPY . /\n".to_vec());
//! let question = Question::read(Call::Check, source, Asked::default(), &Choice::Auto)?;
//! let answer = question.answer_offline(&Setting::default())?;
//! let answer = answer.expect("there is no base image to resolve");
//! assert_eq!(answer.findings, 1);
//! # Ok::<(), solvekit::frontend::Error>(())
//! ```

mod archive_time;
mod asked;
mod call;
mod choice;
mod dry_run;
mod error;
mod graphs;
mod hook;
mod images;
mod inside;
mod job;
mod link;
mod missing_source;
mod mounted;
mod preflight;
mod problem;
mod read;
mod reference_words;
mod refusal;
mod request;
mod result;
mod sbom;
mod setting;
mod solve;
mod source;
mod subrequest;
mod translated;
mod unused_args;
mod warnings;

pub use asked::Asked;
pub use call::{Call, Question, Unknown as UnknownCall};
pub use choice::Choice;
pub(crate) use choice::is_elsewhere;
pub use dry_run::{Expected, ExpectedGraph, ExpectedStep};
pub(crate) use dry_run::{Incomplete, Parts, Survey, Trial, forecast};
pub use error::{Error, Refusal, RefusedStep, SolveFailure, SyntaxFailure, TranslateFailure};
pub use graphs::Graphs;
pub use hook::{Hook, HookError, PlatformGraph, Solving};
pub use images::FoundImages;
pub use inside::serve;
pub use job::Job;
pub use link::{Link, LinkedJob};
pub use missing_source::MissingSource;
pub(crate) use mounted::MountedIds;
pub use problem::{AttributeProblem, ScannerProblem};
pub use read::RemoteFiles;
pub(crate) use read::{Contexts, Entry, is_archive};
pub(crate) use request::{REQUEST_DOCUMENT, recorded_args};
pub use setting::{Finished, ImageLock, PlatformFailure, Setting};
pub use source::Source;
pub use subrequest::{Answer, CheckFailure};

/// The time of an archive's newest file.
#[cfg(fuzzing)]
pub fn newest_file(archive: &[u8]) -> Option<i64> {
    archive_time::newest_file(archive)
}
