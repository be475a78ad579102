//! Mistakes with build records and cache records.

use std::path::PathBuf;

use thiserror::Error;

use super::Advised;

#[derive(Debug, Error)]
pub(crate) enum HistoryUsage {
    #[error("the daemon does not remember a build {0:?}")]
    UnknownBuild(String),
    #[error("{}", not_explained(.0.as_deref()))]
    NotExplained(Option<String>),
    #[error("{0}")]
    NotRemoved(String),
    #[error("\"^{0}\" is not ^ and a number")]
    Position(String),
    #[error("the daemon remembers {count} builds: there is no ^{offset}")]
    NoSuchPosition { count: usize, offset: usize },
    #[error("no attachment is chosen")]
    NothingChosen,
    #[error("invalid --filter {text:?}: {reason}")]
    BuildFilter { text: String, reason: String },
    #[error("invalid --filter {text:?}: {reason}")]
    RecordFilter { text: String, reason: String },
    #[error("the name of {} does not say which format the report has", .0.display())]
    ReportName(PathBuf),
    #[error("the working directory is not in a git repository")]
    NoRepository,
    #[error("the daemon has no trace of the build {0}")]
    NoTrace(String),
    #[error("no program here opens URLs")]
    NoOpener,
    #[error("a bundle is to go to the standard output, which is a terminal")]
    BundleToTerminal,
    #[error("the build {build} has no such attachment")]
    NoAttachment { build: String, known: Vec<String> },
}

fn not_explained(build: Option<&str>) -> String {
    match build {
        Some(build) => format!("there is no record of the build {build:?}"),
        None => "there is no record of a build".to_owned(),
    }
}

impl Advised for HistoryUsage {
    fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::UnknownBuild(_) => "solvekit history ls shows those that it does",
            Self::NotExplained(_) => {
                "builds are recorded unless --explain=off is given; the last 100 commands are kept"
            }
            Self::NotRemoved(_) => "solvekit history ls shows the builds that the daemon remembers",
            Self::Position(_) => "^0 is the newest build, ^1 the one before",
            Self::NoSuchPosition { .. } => "solvekit history ls shows them",
            Self::NothingChosen => "give its digest, --type or --platform",
            Self::BuildFilter { .. } => {
                "filters are ref=TEXT, repository=TEXT, status=completed|error|canceled|running, \
                 each also with !=; startedAt<1h (or a time, 2026-01-31T12:00:00Z), \
                 completedAt>=…, \
                 duration>30s"
            }
            Self::RecordFilter { .. } => {
                "filters are until=24h, id=ID, type=regular|internal|frontend|source.local|\
                 source.git.checkout|exec.cachemount, description~=TEXT, parents~=ID, inuse, \
                 shared, private, mutable, immutable; with == != and ~= for texts"
            }
            Self::ReportName(_) => {
                "end it in .html, .md, .json, .junit or .codequality.json, or add --format"
            }
            Self::NoRepository => {
                "--local lists the builds of the repository that the working directory is in"
            }
            Self::NoTrace(_) => "the BuildKit inside a Docker Engine writes none; buildkitd does",
            Self::NoOpener => "install xdg-utils, or open the URL above where Docker Desktop runs",
            Self::BundleToTerminal => "name a file: --output build.dockerbuild",
            Self::NoAttachment { known, .. } => {
                return (!known.is_empty()).then(|| format!("it has: {}", known.join(", ")));
            }
        };
        Some(advice.to_owned())
    }

    fn in_buildx(&self) -> Option<String> {
        Some(match self {
            Self::UnknownBuild(build) => {
                format!("no record found for ref {build:?}")
            }
            Self::NoAttachment { build, .. } => {
                format!("no matching attachment found for ref {build:?}")
            }
            Self::NothingChosen => {
                "at least one of --type, --platform or DIGEST must be specified".to_owned()
            }
            Self::NoRepository => "could not get remote URL for local filter: no remote URL found \
                                   for either origin or upstream"
                .to_owned(),
            Self::BuildFilter { text, .. } => match text.split_once(['<', '>']) {
                Some(("duration", value)) => {
                    format!("invalid duration {}", value.trim_start_matches('='))
                }
                None if !text.contains('=') => format!("invalid filter {text:?}"),
                _ => format!("unsupported filter {text:?}"),
            },
            Self::RecordFilter { text, .. } => {
                let Some((key, value)) = text.split_once('=') else {
                    return Some(format!(
                        "invalid argument {text:?} for \"--filter\" flag: bad format of filter \
                         (expected name=value)"
                    ));
                };
                let is_time = matches!(key, "until" | "unused-for");
                is_time.then(|| {
                    format!(
                        "{key:?} filter expects a duration (e.g., '24h'): time: invalid duration \
                         {value:?}"
                    )
                })?
            }
            Self::Position(offset) => format!(
                "invalid offset \"^{offset}\": strconv.Atoi: parsing {offset:?}: invalid syntax"
            ),
            Self::NoSuchPosition { offset, .. } => {
                format!("no completed build found with offset {offset}")
            }
            _ => return None,
        })
    }
}
