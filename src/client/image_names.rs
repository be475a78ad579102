//! The names of an image in the record of its build.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;

use super::{BuildRecord, Client, Error};
use crate::progress::StatusUpdate;
use crate::proto::moby::buildkit::v1::Exporter;

/// The begin of the line with which the image exporters report a name (BuildKit's
/// `exporter/containerimage/export.go`).
const NAMING: &str = "naming to ";

impl Client {
    /// Returns the names of the image that a build exported: those in its record, or else those in
    /// its progress. Docker Engine 26 keeps them only there.
    ///
    /// # Errors
    /// If the daemon does not return the progress.
    pub async fn recorded_names(&self, record: &BuildRecord) -> Result<Vec<String>, Error> {
        let mut names = record.image_names.clone();
        if names.is_empty() && record.completed_at.is_some() {
            let mut updates = self.status(&record.build_ref).await?;
            while let Some(update) = updates.try_next().await? {
                add_named(&mut names, &update);
            }
        }
        Ok(names)
    }
}

/// Adds the names that an update reports, without those that are digests.
fn add_named(names: &mut Vec<String>, update: &StatusUpdate) {
    let lines = update.statuses.iter().map(|status| status.id.as_str());
    let named = lines.filter_map(|line| line.strip_prefix(NAMING));
    for name in named.filter(|name| !name.contains('@')) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
}

/// Daemons record the exporters' options, and most of them not the response that repeats the names.
pub(super) fn image_names(
    exporters: &[Exporter],
    response: &BTreeMap<String, String>,
) -> Vec<String> {
    let images = exporters
        .iter()
        .filter(|exporter| !matches!(&*exporter.r#type, "local" | "tar"));
    let options = images.filter_map(|exporter| exporter.attrs.get("name"));
    let lists = options.chain(response.get("image.name"));
    let mut names: Vec<String> = Vec::new();
    for name in lists.flat_map(|list| list.split(',')) {
        let is_new = !names.iter().any(|known| known == name);
        if is_new && !name.is_empty() && name != "*" {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::VertexStatus;

    fn exporter(kind: &str, name: &str) -> Exporter {
        Exporter {
            r#type: kind.to_owned(),
            attrs: BTreeMap::from([("name".to_owned(), name.to_owned())]),
        }
    }

    #[test]
    fn images_have_the_names_in_the_exporters_options() {
        let exporters = [
            exporter("image", "r.test/a:1,r.test/a:2"),
            exporter("local", "folder"),
            exporter("moby", "r.test/a:1"),
        ];
        let names = image_names(&exporters, &BTreeMap::new());
        assert_eq!(names, ["r.test/a:1", "r.test/a:2"]);
    }

    #[test]
    fn the_progress_has_names_too() {
        let status = |id: &str| VertexStatus {
            id: id.to_owned(),
            ..VertexStatus::default()
        };
        let update = StatusUpdate {
            statuses: vec![
                status("exporting layers"),
                status("naming to r.test/a:1"),
                status("naming to r.test/a:1"),
                status("naming to r.test/a@sha256:1"),
            ],
            ..StatusUpdate::default()
        };
        let mut names = Vec::new();
        add_named(&mut names, &update);
        assert_eq!(names, ["r.test/a:1"]);
    }

    #[test]
    fn the_names_in_the_response_count_too() {
        let response = BTreeMap::from([("image.name".to_owned(), "r.test/b:1".to_owned())]);
        let names = image_names(&[exporter("image", "")], &response);
        assert_eq!(names, ["r.test/b:1"]);
    }
}
