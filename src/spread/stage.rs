//! An OCI layout of all parts. Each node writes its part into one folder, in which the index is
//! created; an archive is packed from it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::{JoinError, index};
use crate::imagetools::{CreateRequest, Given, Location, Source, create};
use crate::layout::{Layout, LayoutReference, Name};
use crate::oci::{Digest, Platform, Reference};
use crate::pipeline::{BuildRequest, Destination, Environment, Folders, Output, TemporaryFolder};
use crate::registry::{Client, ClientOptions, Credentials};
use crate::session::ExportedFile;
use crate::task::blocking;
use crate::transfer::{self, ArchiveKind, Pack, Place, Plan};

/// The folder in which the parts of an image are combined.
#[derive(Debug)]
pub(super) struct Stage {
    layout: Layout,
    /// Set if the folder is temporary, because the requested output is an archive.
    temporary: Option<TemporaryFolder>,
}

impl Stage {
    /// Returns the folder for an output's parts: the output's own, or a temporary one for an
    /// archive.
    pub(super) fn of(output: &Output, folders: &Folders) -> Result<Self, crate::pipeline::Error> {
        let folder = match (&output.destination, output.is_layout()) {
            (Some(Destination::Path(path)), true) => {
                return Ok(Self {
                    layout: Layout::new(path),
                    temporary: None,
                });
            }
            (Some(Destination::Path(path)), false)
                if !crate::files::Destination::is_special(path) =>
            {
                TemporaryFolder::beside(path)?
            }
            _ => TemporaryFolder::new(folders)?,
        };
        Ok(Self {
            layout: Layout::new(folder.path()),
            temporary: Some(folder),
        })
    }

    /// Changes the output of a part to write into the folder.
    pub(super) fn part(&self, output: &mut Output, platforms: &[Platform]) {
        let mut set = |key: &str, value: String| {
            output.attributes.insert(key.to_owned(), value);
        };
        set("tar", "false".to_owned());
        set("name", part_name(platforms.first()));
        output.destination = Some(Destination::Path(self.layout.root().to_owned()));
    }

    /// Removes the names of the parts, which others need not see.
    pub(super) fn clear(&self, platforms: &[Platform]) {
        if self.temporary.is_none() {
            let names = platforms
                .iter()
                .filter_map(|first| Reference::parse(&part_name(Some(first))).ok());
            let names: Vec<Name> = names
                .map(|name| Name::Image(name.with_default_tag()))
                .collect();
            // Leftover names are harmless.
            let _ = self.layout.forget(&names);
        }
    }

    /// Combines the parts, and returns what an exporter would respond.
    pub(super) async fn finish(
        &self,
        request: &BuildRequest,
        output: &Output,
        parts: &[Given],
        environment: &Environment,
    ) -> Result<BTreeMap<String, String>, JoinError> {
        let sources = parts.iter().map(|part| {
            Source::Name(Location::Layout(LayoutReference {
                path: self.layout.root().to_owned(),
                tag: None,
                is_default_tag: false,
                digest: Some(part.digest.clone()),
            }))
        });
        let wanted = CreateRequest {
            sources: sources.collect(),
            annotations: index::annotations(request, output),
            prefer_index: true,
            ..CreateRequest::default()
        };
        let created = create(&nobody(), wanted).await?;
        super::merge::write(&self.layout, created.bytes())?;
        let mut descriptor = created.descriptor().clone();
        descriptor.annotations.extend(index::of_place(
            request,
            output,
            "annotation-index-descriptor.",
        ));
        let given = request.names(output);
        let mut names: Vec<Name> = given.iter().cloned().map(Name::Image).collect();
        match &self.temporary {
            None => {
                if names.is_empty() {
                    names.push(Name::Tag("latest".to_owned()));
                }
                self.layout.put(&descriptor, &names)?;
            }
            Some(_) => {
                self.pack(&descriptor.digest, &names, output, environment)
                    .await?
            }
        }
        let shown: Vec<String> = given.iter().map(ToString::to_string).collect();
        Ok(index::answer(&descriptor, &shown))
    }

    /// Writes the archive; a file appears when it is complete.
    async fn pack(
        &self,
        digest: &Digest,
        names: &[Name],
        output: &Output,
        environment: &Environment,
    ) -> Result<(), JoinError> {
        let place = Place::Layout {
            path: self.layout.root().to_owned(),
            tag: None,
            digest: Some(digest.clone()),
        };
        let source = transfer::Source::open(&place, &nobody()).await?;
        let plan = Plan::of(&source, None).await?;
        let kind = ArchiveKind::Oci;
        let pack = Pack::new(&source, &plan, &self.layout, names, kind).await?;
        let path = match &output.destination {
            Some(Destination::Path(path)) => Some(path.clone()),
            _ => None,
        };
        let open = environment.standard_output.clone();
        let work = move || match path {
            Some(path) => to_file(&pack, &path),
            None => {
                let open = open.ok_or(JoinError::NoStandardOutput)?;
                let opened = open();
                let mut writer = opened.map_err(|source| JoinError::StandardOutput { source })?;
                pack.write(&mut writer, Path::new("the standard output"))?;
                Ok(())
            }
        };
        blocking(work).await
    }
}

/// A client without credentials: nothing is fetched for a layout.
fn nobody() -> Client {
    Client::new(Credentials::none().into(), ClientOptions::default())
}

fn to_file(pack: &Pack, path: &Path) -> Result<(), JoinError> {
    let failed = |source: io::Error| JoinError::Write {
        path: path.to_owned(),
        source,
    };
    let mut file = ExportedFile::create(path).map_err(failed)?;
    pack.write(&mut file, path)?;
    file.finish().map_err(failed)
}

/// Returns a name in the folder that no image has.
fn part_name(first: Option<&Platform>) -> String {
    let first = first.map(|it| it.to_string().replace('/', "-"));
    format!("solvekit.invalid/part:{}", first.unwrap_or_default())
}
