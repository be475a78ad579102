//! `SOURCE_DATE_EPOCH`: a number, or the name of a git or http source whose time counts.

use time::OffsetDateTime;
use time::UtcOffset;
use time::format_description::well_known::Rfc3339;

use super::error::Error;
use super::git_url;
use super::images::{SourceRequest, SourceTime};
use super::reason::Reason;
use super::remote;
use super::scope::Scope;
use super::{context, named_context};
use crate::dockerfile::{self, InstructionKind};
use crate::llb::{Constraints, Env, State};

const NAME: &str = "SOURCE_DATE_EPOCH";

/// The time for everything that the build makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Seconds since 1970.
    pub seconds: i64,
    /// RFC 3339.
    pub(super) text: String,
}

impl Epoch {
    /// Nanoseconds since 1970, wrapped around as Go's are.
    pub(super) fn nanoseconds(&self) -> i64 {
        self.seconds.wrapping_mul(1_000_000_000)
    }

    fn new(seconds: i64, offset: UtcOffset) -> Result<Self, String> {
        let time =
            OffsetDateTime::from_unix_timestamp(seconds).map_err(|error| error.to_string())?;
        let text = time
            .to_offset(offset)
            .format(&Rfc3339)
            .map_err(|error| error.to_string())?;
        Ok(Self { seconds, text })
    }
}

/// Sets the scope's epoch; a request when the time of a source has to be known first.
pub(super) fn resolve(scope: &mut Scope<'_>) -> Result<Option<SourceRequest>, Error> {
    let given = match scope.options.build_args.get(NAME) {
        Some(value) => value.clone(),
        None => match scope.global_args.get(NAME) {
            None | Some("") => return Ok(None),
            Some(value) => value.to_owned(),
        },
    };
    let unusable = |reason: String| {
        Error::from(Reason::Epoch {
            value: given.clone(),
            reason,
        })
    };
    let epoch = if given.is_empty() {
        None
    } else if let Ok(seconds) = given.parse::<i64>() {
        Some(Epoch::new(seconds, UtcOffset::UTC).map_err(unusable)?)
    } else {
        match source_request(scope, &given)? {
            None => None,
            Some(request) => match scope.images.time(&request.identifier) {
                None => return Ok(Some(request)),
                Some(time) => from_source(time).map_err(unusable)?,
            },
        }
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

fn from_source(time: &SourceTime) -> Result<Option<Epoch>, String> {
    match time {
        SourceTime::Unknown => Ok(None),
        SourceTime::Seconds(seconds) => Epoch::new(*seconds, UtcOffset::UTC).map(Some),
        SourceTime::GitCommit(object) => commit_time(object).map(Some),
    }
}

/// The committer line of a commit object: `committer Name <mail> seconds +hhmm`.
fn commit_time(object: &[u8]) -> Result<Epoch, String> {
    let text = String::from_utf8_lossy(object);
    let line = text
        .lines()
        .take_while(|line| !line.is_empty())
        .find_map(|line| line.strip_prefix("committer "));
    let mut words = line
        .ok_or("the commit object has no committer")?
        .rsplit(' ');
    let (zone, seconds) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let seconds: i64 = seconds
        .parse()
        .map_err(|_| "the committer has no time".to_owned())?;
    let offset = zone
        .parse::<i32>()
        .ok()
        .and_then(|zone| UtcOffset::from_whole_seconds((zone / 100 * 60 + zone % 100) * 60).ok());
    Epoch::new(seconds, offset.unwrap_or(UtcOffset::UTC))
}

/// What the source is whose time `value` names; none when it has no time.
fn source_request(scope: &Scope<'_>, value: &str) -> Result<Option<SourceRequest>, Error> {
    if value == "context" {
        let state = context::main(scope, &[])?;
        return Ok(request(
            &state,
            "[internal] resolve main build context metadata".to_owned(),
        ));
    }
    if let Some((name, named)) = named_context::named(scope, value, None)? {
        let log_name = format!("[internal] resolve SOURCE_DATE_EPOCH named context {value}");
        return Ok(named_context::source_only(scope, &name, named)
            .and_then(|state| request(&state, log_name)));
    }
    let same = |stage: &&dockerfile::Stage| {
        stage
            .name
            .as_deref()
            .is_some_and(|name| name == value.to_lowercase())
    };
    let Some(stage) = scope.dockerfile.stages.iter().find(same) else {
        let reason =
            "it is neither a number, nor \"context\", a build context or a stage".to_owned();
        return Err(Reason::Epoch {
            value: value.to_owned(),
            reason,
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

/// Only git and http sources have a time.
fn request(state: &State, log_name: String) -> Option<SourceRequest> {
    let (identifier, attributes) = state.source()?;
    let timed = ["git://", "http://", "https://"]
        .iter()
        .any(|scheme| identifier.starts_with(scheme));
    timed.then(|| SourceRequest {
        identifier: identifier.to_owned(),
        attributes: attributes
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
        log_name,
    })
}

/// The one source that a stage made for its time adds.
fn stage_source(scope: &Scope<'_>, stage: &dockerfile::Stage, value: &str) -> Result<State, Error> {
    let refused = |reason: &str| {
        Error::from(Reason::Epoch {
            value: value.to_owned(),
            reason: reason.to_owned(),
        })
    };
    let mut env = scope.global_args.clone();
    env.remove(NAME);
    if scope.lexer.expand(&stage.base, &env)?.text != super::graph::SCRATCH {
        return Err(refused("the stage must be FROM scratch"));
    }
    let mut source = None;
    for instruction in &stage.instructions {
        match &instruction.kind {
            InstructionKind::Arg(arg) => set_args(scope, &mut env, &arg.variables)?,
            InstructionKind::Add(add) if source.is_none() => {
                source = Some(add_source(scope, add, &env, &refused)?)
            }
            InstructionKind::Add(_) => return Err(refused("the stage must have only one ADD")),
            other => {
                let keyword = other.keyword();
                return Err(refused(&format!(
                    "the stage may only have ARG and one ADD of a URL, not {keyword}"
                )));
            }
        }
    }
    source.ok_or_else(|| refused("the stage must have one ADD of a git or http URL"))
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
    refused: &dyn Fn(&str) -> Error,
) -> Result<State, Error> {
    let ([path], []) = (add.sources.paths.as_slice(), add.sources.inline.as_slice()) else {
        return Err(refused("its ADD must have one URL"));
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
        Some(Err(reason)) => Err(refused(&reason)),
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
        _ => Err(refused("its ADD must have a git or http URL")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commit_times_keep_their_zone() {
        let object = b"tree 4b\nauthor A <a@b> 1700000000 +0000\ncommitter C D <c@d> 1700000100 +0230\n\nmsg\n";
        let epoch = commit_time(object).unwrap();
        assert_eq!(
            (epoch.seconds, epoch.text.as_str()),
            (1_700_000_100, "2023-11-15T00:45:00+02:30")
        );
        assert!(commit_time(b"tree 4b\n\ncommitter x 1 +0000").is_err());
    }

    #[test]
    fn numbers_are_utc() {
        assert_eq!(
            Epoch::new(0, UtcOffset::UTC).unwrap().text,
            "1970-01-01T00:00:00Z"
        );
        assert!(Epoch::new(i64::MAX, UtcOffset::UTC).is_err());
    }
}
