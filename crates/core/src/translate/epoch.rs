//! `SOURCE_DATE_EPOCH`: a number, or the name of a git or HTTP source whose time is used.

use time::OffsetDateTime;
use time::UtcOffset;
use time::format_description::well_known::Rfc3339;

use super::error::Error;
use super::git_url;
use super::images::{Needs, SourceRequest, SourceTime};
use super::named_context::Loaded;
use super::problem::EpochProblem;
use super::reason::Reason;
use super::remote;
use super::scope::Scope;
use super::{context, named_context};
use crate::dockerfile::{self, InstructionKind, Span};
use crate::llb::{Constraints, Env, State};
use crate::oci::Image;

const NAME: &str = "SOURCE_DATE_EPOCH";

/// The time of everything that the build creates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Seconds since 1970.
    pub seconds: i64,
    /// RFC 3339; empty for a year beyond 9999 or before 0.
    pub(super) text: String,
}

impl Epoch {
    /// Nanoseconds since 1970, with the overflow of Go's integers.
    pub(super) fn nanoseconds(&self) -> i64 {
        self.seconds.wrapping_mul(1_000_000_000)
    }

    fn new(seconds: i64, offset: UtcOffset) -> Self {
        let time = OffsetDateTime::from_unix_timestamp(seconds).ok();
        let time = time.and_then(|time| time.checked_to_offset(offset));
        let text = time.and_then(|time| time.format(&Rfc3339).ok());
        Self {
            seconds,
            text: text.unwrap_or_default(),
        }
    }
}

/// Sets the scope's epoch. Returns the missing information, if there is any.
pub(super) fn resolve(scope: &mut Scope<'_>) -> Result<Option<Needs>, Error> {
    let (given, declared) = match scope.options.build_args.get(NAME) {
        Some(value) => (value.clone(), None),
        None => match scope.global_args.get(NAME) {
            None | Some("") => return Ok(None),
            Some(value) => (value.to_owned(), declaration(scope)),
        },
    };
    let epoch = match find(scope, &given) {
        Ok(Found::Epoch(epoch)) => epoch,
        Ok(Found::Needs(needs)) => return Ok(Some(needs)),
        Err(error) if error.spans.is_empty() => return Err(error.at_our(declared)),
        Err(error) => return Err(error),
    };
    let text = epoch
        .as_ref()
        .map_or_else(String::new, |epoch| epoch.seconds.to_string());
    if scope.global_args.contains(NAME) {
        match text.as_str() {
            "" => scope.global_args.remove(NAME),
            text => scope.global_args.set(NAME, text),
        }
    }
    scope.epoch_arg = Some(text);
    scope.epoch = epoch;
    Ok(None)
}

enum Found {
    Epoch(Option<Epoch>),
    Needs(Needs),
}

fn find(scope: &Scope<'_>, given: &str) -> Result<Found, Error> {
    let unusable = |reason| {
        Error::from(Reason::Epoch {
            value: given.to_owned(),
            reason,
        })
    };
    if given.is_empty() {
        return Ok(Found::Epoch(None));
    }
    if let Ok(seconds) = given.parse::<i64>() {
        return Ok(Found::Epoch(Some(Epoch::new(seconds, UtcOffset::UTC))));
    }
    let request = match source_request(scope, given)? {
        Source::Without => return Ok(Found::Epoch(None)),
        Source::Needs(needs) => return Ok(Found::Needs(needs)),
        Source::Timed(request) => request,
    };
    match scope.images.time(&request.identifier) {
        None => Ok(Found::Needs(Needs::Time(request))),
        Some(Ok(time)) => from_source(time).map(Found::Epoch).map_err(unusable),
        Some(Err(failure)) => Err(Reason::EpochSource {
            value: given.to_owned(),
            source: failure.clone(),
        }
        .into()),
    }
}

/// Returns the lines of the ARG that gives the value.
fn declaration(scope: &Scope<'_>) -> Option<Span> {
    let lines = scope.dockerfile.global_args.iter().rev();
    let mut lines = lines.filter(|line| {
        let mut variables = line.args.variables.iter();
        variables.any(|variable| variable.name == NAME && variable.default.is_some())
    });
    lines.next().map(|line| line.span)
}

/// Fails if the image's history has a time that JSON cannot represent. The reference checks it last
/// too.
pub(super) fn check(scope: &Scope<'_>, image: &Image) -> Result<(), Error> {
    let is_used = |epoch: &&Epoch| {
        let mut history = image.history.iter();
        epoch.text.is_empty() && history.any(|entry| entry.created.as_deref() == Some(""))
    };
    match scope.epoch.as_ref().filter(is_used) {
        None => Ok(()),
        Some(epoch) => Err(Reason::Epoch {
            value: epoch.seconds.to_string(),
            reason: EpochProblem::Year,
        }
        .into()),
    }
}

fn from_source(time: &SourceTime) -> Result<Option<Epoch>, EpochProblem> {
    match time {
        SourceTime::Unknown => Ok(None),
        SourceTime::Seconds(seconds) => Ok(Some(Epoch::new(*seconds, UtcOffset::UTC))),
        SourceTime::GitCommit(object) => commit_time(object).map(Some),
    }
}

/// Parses the committer line of a commit object: `committer Name <mail> seconds +hhmm`.
fn commit_time(object: &[u8]) -> Result<Epoch, EpochProblem> {
    let text = String::from_utf8_lossy(object);
    let line = text
        .lines()
        .take_while(|line| !line.is_empty())
        .find_map(|line| line.strip_prefix("committer "));
    let mut words = line.ok_or(EpochProblem::NoCommitter)?.rsplit(' ');
    let (zone, seconds) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let seconds: i64 = seconds.parse().map_err(|_| EpochProblem::NoTime)?;
    let offset = zone
        .parse::<i32>()
        .ok()
        .and_then(|zone| UtcOffset::from_whole_seconds((zone / 100 * 60 + zone % 100) * 60).ok());
    Ok(Epoch::new(seconds, offset.unwrap_or(UtcOffset::UTC)))
}

/// The source that a name in `SOURCE_DATE_EPOCH` refers to.
enum Source {
    /// A source with a time.
    Timed(SourceRequest),
    /// Any other source: there is no epoch.
    Without,
    /// Information that is missing.
    Needs(Needs),
}

/// Returns the source that `value` names.
fn source_request(scope: &Scope<'_>, value: &str) -> Result<Source, Error> {
    if value == "context" {
        let state = context::main(scope, &[])?;
        let log_name = "[internal] resolve main build context metadata".to_owned();
        return Ok(request(&state, log_name));
    }
    if let Some((name, named)) = named_context::named_for_epoch(scope, value)? {
        let log_name = format!("[internal] resolve SOURCE_DATE_EPOCH named context {value}");
        return Ok(match named_context::load_for_epoch(scope, &name, named)? {
            Loaded::Ready { state, .. } => request(&state, log_name),
            Loaded::Needs(needs) => Source::Needs(needs),
        });
    }
    let same = |stage: &&dockerfile::Stage| {
        stage
            .name
            .as_deref()
            .is_some_and(|name| name == value.to_lowercase())
    };
    let Some(stage) = scope.dockerfile.stages.iter().find(same) else {
        return Err(Reason::Epoch {
            value: value.to_owned(),
            reason: EpochProblem::Unknown,
        }
        .into());
    };
    let state = stage_source(scope, stage, value).map_err(|error| error.at(Some(stage.span)))?;
    let name = stage.name.as_deref().unwrap_or_default();
    Ok(request(
        &state,
        format!("[internal] resolve SOURCE_DATE_EPOCH source stage {name}"),
    ))
}

/// Only git and HTTP sources have a time. It is the time of the whole source, even if only a part
/// of it is used.
fn request(state: &State, log_name: String) -> Source {
    let Some((identifier, attributes)) = state.only_source() else {
        return Source::Without;
    };
    let mut schemes = ["git://", "http://", "https://"].iter();
    if !schemes.any(|scheme| identifier.starts_with(scheme)) {
        return Source::Without;
    }
    Source::Timed(SourceRequest {
        identifier,
        attributes: attributes.into_iter().collect(),
        log_name,
    })
}

/// Returns the only source that ADD adds to a stage whose time is used.
fn stage_source(scope: &Scope<'_>, stage: &dockerfile::Stage, value: &str) -> Result<State, Error> {
    let refused = |reason| {
        Error::from(Reason::Epoch {
            value: value.to_owned(),
            reason,
        })
    };
    let mut env = scope.global_args.clone();
    env.remove(NAME);
    if scope.lexer.expand(&stage.base, &env)?.text != super::graph::SCRATCH {
        return Err(refused(EpochProblem::NotScratch));
    }
    let mut source = None;
    for instruction in &stage.instructions {
        match &instruction.kind {
            InstructionKind::Arg(arg) => set_args(scope, &mut env, &arg.variables)?,
            InstructionKind::Add(add) if source.is_none() => {
                source = Some(add_source(scope, add, &env, &refused)?)
            }
            InstructionKind::Add(_) => return Err(refused(EpochProblem::SeveralAdds)),
            other => {
                let keyword = other.keyword();
                return Err(refused(EpochProblem::OtherInstruction { keyword }));
            }
        }
    }
    source.ok_or_else(|| refused(EpochProblem::NoAdd))
}

fn set_args(
    scope: &Scope<'_>,
    env: &mut Env,
    variables: &[dockerfile::ArgVariable],
) -> Result<(), Error> {
    for variable in variables {
        let value = match (
            scope.options.build_args.get(&variable.name),
            &variable.default,
        ) {
            (Some(value), _) => value.clone(),
            (None, Some(default)) => scope.lexer.expand(default, env)?.text.into_owned(),
            (None, None) => continue,
        };
        env.set(&variable.name, &value);
    }
    Ok(())
}

fn add_source(
    scope: &Scope<'_>,
    add: &dockerfile::AddInstruction,
    env: &Env,
    refused: &dyn Fn(EpochProblem) -> Error,
) -> Result<State, Error> {
    let ([path], []) = (add.sources.paths.as_slice(), add.sources.inline.as_slice()) else {
        return Err(refused(EpochProblem::AddWithoutUrl));
    };
    let url = scope.lexer.expand(path, env)?.text;
    let checksum = scope
        .lexer
        .expand(add.checksum.as_deref().unwrap_or_default(), env)?
        .text;
    if git_url::is_http(&url) {
        remote::check_digest(&checksum)?;
        return Ok(remote::http(&url, &checksum, Constraints::new()).0);
    }
    match git_url::parse(&url) {
        Some(Err(problem)) => Err(refused(problem.into())),
        Some(Ok(mut source)) if !source.like_a_path => {
            source.git.keep_git_dir =
                add.keep_git_dir == Some(true) || source.keep_git_dir == Some(true);
            if !checksum.is_empty() {
                source.git.checksum = checksum.into_owned();
            }
            source.git.mtime.clear();
            source.git.fetch_by_commit = false;
            Ok(remote::git(scope.options, source.git, Constraints::new()))
        }
        _ => Err(refused(EpochProblem::AddOfFile)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commit_times_keep_their_zone() {
        let object = b"tree 4b\nauthor A <a@b> 1700000000 +0000\ncommitter C D <c@d> 1700000100 \
            +0230\n\nmsg\n";
        let epoch = commit_time(object).unwrap();
        assert_eq!(
            (epoch.seconds, epoch.text.as_str()),
            (1_700_000_100, "2023-11-15T00:45:00+02:30")
        );
        assert!(commit_time(b"tree 4b\n\ncommitter x 1 +0000").is_err());
    }

    #[test]
    fn numbers_are_utc() {
        assert_eq!(Epoch::new(0, UtcOffset::UTC).text, "1970-01-01T00:00:00Z");
        assert_eq!(Epoch::new(i64::MAX, UtcOffset::UTC).text, "");
        assert_eq!(Epoch::new(-99_999_999_999, UtcOffset::UTC).text, "");
    }
}
