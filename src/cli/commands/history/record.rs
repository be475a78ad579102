//! A record as text: its name and its times.

use std::path::Path;
use std::time::{Duration, SystemTime};

use solvekit::builder::{BuildState, Store};
use solvekit::client::{BuildRecord, RecordStatus};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Daemon;
use crate::cli::args::git_repository::Repository;

impl Daemon<'_> {
    /// This machine's own record of the build, if it started the build.
    pub(super) fn state(&self, record: &BuildRecord) -> Option<BuildState> {
        let store = Store::new(self.environment.buildx_config.as_ref()?);
        let state = store.state(&self.used.builder, &self.used.node, &record.build_ref);
        state.ok().flatten()
    }

    /// The names of the image: those that this machine has set, or else those in the daemon's
    /// record. With several nodes and with signatures the daemon does not know the tags. A failed
    /// build has no image. Names that the daemon does not return are omitted.
    pub(super) async fn image_names(&self, record: &BuildRecord) -> Vec<String> {
        if record.error.is_some() {
            return Vec::new();
        }
        let own = self.state(record).map(|state| state.names);
        match own.filter(|names| !names.is_empty()) {
            Some(own) => own,
            None => self.client.recorded_names(record).await.unwrap_or_default(),
        }
    }

    /// True if the build belongs to the repository: according to its source attribute, or because
    /// its context was a folder of the working tree.
    pub(super) fn is_of(&self, record: &BuildRecord, repository: &Repository) -> bool {
        let attribute = |key: &str| record.attributes.get(key);
        let source = attribute("vcs:source").or_else(|| attribute("context"));
        if let (Some(source), Some(remote)) = (source, &repository.remote)
            && source.contains(remote.as_str())
        {
            return true;
        }
        let state = self.state(record);
        state.is_some_and(|state| Path::new(&state.local_path).starts_with(&repository.root))
    }

    /// `BUILDER/NODE/REF`.
    pub(super) fn full_ref(&self, record: &BuildRecord) -> String {
        format!(
            "{}/{}/{}",
            self.used.builder, self.used.node, record.build_ref
        )
    }
}

/// The digest of the image. Not every daemon keeps the exporter's response.
pub(super) fn image_digest(record: &BuildRecord) -> Option<String> {
    let answered = record.exporter_response.get("containerimage.digest");
    let image = record.results.values().flatten().next();
    answered
        .cloned()
        .or_else(|| image.map(|image| image.digest.to_string()))
}

/// The name of a build: `BUILDKIT_BUILD_NAME`, or else its context or Dockerfile, followed by the
/// target.
pub(super) fn name(record: &BuildRecord, state: Option<&BuildState>) -> String {
    let of = |key: &str| {
        record
            .attributes
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    };
    if let Some(name) = of("build-arg:BUILDKIT_BUILD_NAME") {
        return name.to_owned();
    }
    let local = state
        .map(|state| state.local_path.as_str())
        .filter(|path| !path.is_empty() && *path != "-" && !path.contains("://"));
    let dockerfile = state
        .map(|state| state.dockerfile_path.as_str())
        .filter(|path| !matches!(*path, "" | "-" | "Dockerfile"))
        .or_else(|| of("filename").filter(|path| *path != "Dockerfile"));
    let context = of("context").or_else(|| of("vcs:localdir:context").filter(|path| *path != "."));
    let base = match (context, dockerfile, local) {
        (Some(context), ..) => context.to_owned(),
        (None, Some(dockerfile), Some(local)) => match dockerfile.strip_prefix(local) {
            // The folder's name, followed by the Dockerfile's unless that is the default.
            Some(rest) => format!("{}{}", last(local), rest),
            None => short(dockerfile),
        },
        (None, Some(dockerfile), None) => short(dockerfile),
        (None, None, Some(local)) => last(local).to_owned(),
        (None, None, None) => of("vcs:source").map(last).unwrap_or_default().to_owned(),
    };
    let base = base.strip_suffix("/Dockerfile").unwrap_or(&base);
    match (base, of("target")) {
        (base, None) => base.to_owned(),
        ("", Some(target)) => target.to_owned(),
        (base, Some(target)) => format!("{base} ({target})"),
    }
}

/// The name of a Dockerfile and of its folder.
fn short(path: &str) -> String {
    let mut parts = path.rsplitn(3, '/');
    match (parts.next(), parts.next()) {
        (Some(file), Some(folder)) => format!("{folder}/{file}"),
        (file, _) => file.unwrap_or_default().to_owned(),
    }
}

fn last(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

/// The status as shown in the table and by `--format`.
pub(super) fn status(record: &BuildRecord) -> &'static str {
    match record.status() {
        RecordStatus::Running => "Running",
        RecordStatus::Completed => "Completed",
        RecordStatus::Error | RecordStatus::Canceled => "Error",
    }
}

/// `1.2s`, `3m  4s`; with a `+` while the build is running.
pub(super) fn duration(record: &BuildRecord, now: SystemTime) -> String {
    let more = match record.completed_at {
        Some(_) => "",
        None => "+",
    };
    format!("{}{more}", span(record.duration(now)))
}

pub(super) fn span(duration: Duration) -> String {
    match duration.as_secs() {
        0..60 => format!("{:.1}s", duration.as_secs_f64()),
        seconds => format!("{}m {:2}s", seconds / 60, seconds % 60),
    }
}

/// The time in RFC 3339, in UTC.
pub(super) fn timestamp(time: Option<SystemTime>) -> Option<String> {
    OffsetDateTime::from(time?).format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(attributes: &[(&str, &str)], paths: Option<(&str, &str)>) -> String {
        let mut record = BuildRecord::default();
        let attributes = attributes.iter();
        record.attributes = attributes
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let state = paths.map(|(local, dockerfile)| BuildState {
            local_path: local.to_owned(),
            dockerfile_path: dockerfile.to_owned(),
            ..BuildState::default()
        });
        name(&record, state.as_ref())
    }

    #[test]
    fn a_build_is_called_by_its_folder_its_dockerfile_and_its_target() {
        assert_eq!(
            named(&[], Some(("/home/me/app", "/home/me/app/Dockerfile"))),
            "app"
        );
        assert_eq!(
            named(&[], Some(("/home/me/app", "/home/me/app/dev.Dockerfile"))),
            "app/dev.Dockerfile"
        );
        assert_eq!(
            named(&[("target", "test")], Some(("/home/me/app", ""))),
            "app (test)"
        );
        assert_eq!(named(&[("target", "test")], None), "test");
        assert_eq!(
            named(&[("context", "https://host/r.git")], None),
            "https://host/r.git"
        );
        assert_eq!(
            named(
                &[("build-arg:BUILDKIT_BUILD_NAME", "mine"), ("target", "x")],
                None
            ),
            "mine"
        );
        assert_eq!(named(&[], None), "");
    }

    #[test]
    fn spans_are_written_as_buildx_does() {
        assert_eq!(span(Duration::from_millis(1_260)), "1.3s");
        assert_eq!(span(Duration::from_secs(184)), "3m  4s");
    }
}
