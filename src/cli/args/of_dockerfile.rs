//! Arguments of commands that read a Dockerfile without building it.

use super::complete;
use crate::cli::report::usage::BuildUsage;
use clap::ValueHint;
use solvekit::batch::Case;
use solvekit::frontend::Source;
use solvekit::pipeline;
use solvekit::text;

use super::contexts::FileArgs;
use super::value_files::ArgumentArgs;
use crate::cli::commands::build as build_command;
use crate::cli::environment::Environment;
use crate::cli::report::{Failure, build_failure, daemon_text};

#[derive(Debug, clap::Args)]
pub(crate) struct DockerfileArgs {
    /// The build context: the folder of the Dockerfile and its ignore file, or - for a Dockerfile
    /// on stdin
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::DirPath)]
    context: String,

    #[command(flatten)]
    files: FileArgs,

    /// Use these target platforms, for example linux/amd64,linux/arm64; "local" is this machine's
    /// [default: local]
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',', add = complete::platforms())]
    platform: Vec<String>,

    /// Use this stage [default: the last one]
    #[arg(long, value_name = "STAGE", add = complete::stages())]
    target: Option<String>,

    #[command(flatten)]
    arguments: ArgumentArgs,
}

/// A Dockerfile, and the conditions under which it is examined.
#[derive(Debug)]
pub(crate) struct OfDockerfile {
    pub(crate) source: Source,
    pub(crate) case: Case,
}

impl DockerfileArgs {
    /// Reads the Dockerfile and the ignore file.
    pub(crate) fn read(&self, environment: &Environment) -> Result<OfDockerfile, Failure> {
        let mut request = self.files.request(&self.context)?;
        request.platforms = build_command::platforms(&self.platform, environment)?;
        request.target = self.target.clone();
        request.build_args = self.arguments.read()?;
        environment.add_epoch(&mut request.build_args);
        let inputs = pipeline::read_inputs(&request)
            .map_err(|error| build_failure::before_daemon(&error))?;
        let mut case = inputs.case(&request);
        case.context_archive = case
            .opts
            .get("context")
            .is_some_and(|url| is_archive_name(url));
        let source = inputs.source().ok_or(BuildUsage::DockerfileElsewhere)?;
        Ok(OfDockerfile { source, case })
    }
}

/// True if the URL's name is that of an archive. A build checks the first bytes instead.
fn is_archive_name(url: &str) -> bool {
    const ENDINGS: [&str; 7] = [
        ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst", ".txz",
    ];
    let path = url.split(['?', '#']).next().unwrap_or_default();
    ENDINGS.iter().any(|ending| path.ends_with(ending))
}

impl OfDockerfile {
    /// A failure at these lines, with a hint if one is known.
    pub(crate) fn failed(&self, message: &str, lines: &[u64]) -> Failure {
        let path = &self.source.path;
        let failure = match lines.first() {
            Some(first) => Failure::new(format!("{path}:{first}: {message}"))
                .report_before(self.excerpt(lines)),
            None => Failure::new(format!("{path}: {message}")),
        };
        failure.advised(daemon_text::for_message(message))
    }

    fn excerpt(&self, lines: &[u64]) -> String {
        let ranges: Vec<_> = lines
            .iter()
            .filter_map(|line| usize::try_from(*line).ok())
            .map(|line| line..=line)
            .collect();
        text::excerpt(&self.source.path, self.source.text(), &ranges)
    }
}
