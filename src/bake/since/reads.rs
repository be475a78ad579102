//! The inputs of a target's graph: folders with the selected part, single files, base images.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prost::Message as _;
use solvekit_bake::target::Target;

use super::super::Machine;
use super::super::real_path::real_path_noting;
use super::super::request::{RequestError, links, request};
use super::lookups::{Links, Lookups, Seen};
use super::reason::Unknown;
use crate::batch::{self, Case};
use crate::frontend::{Job, Source};
use crate::llb::Definition;
use crate::pipeline::{
    self, BuildRequest, Inputs, MainContext, NamedContext, NoCache, context_name,
};
use crate::proto::pb;
use crate::session::Selection;
use crate::translate::Translation;

/// The lengths of full commit hashes in hexadecimal: SHA-1 and SHA-256.
const COMMIT_LENGTHS: [usize; 2] = [40, 64];

/// The inputs of a graph.
#[derive(Debug, Default)]
pub(super) struct Reads {
    pub(super) folders: Vec<Folder>,
    /// Also files that may be created: ignore files.
    pub(super) files: Vec<Place>,
    /// Base images that are referenced without a digest.
    pub(super) images: Vec<Seen>,
    /// Newer base images are requested.
    pub(super) pull: bool,
}

/// A folder, and the part of it that is used.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) place: Place,
    pub(super) selection: Selection,
}

/// A path without links, and the links that lead there.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) real: PathBuf,
    pub(super) links: Vec<PathBuf>,
}

impl Place {
    /// A path that stays in the repository, including all links on the way.
    fn in_repository(path: &Path, root: &Path) -> Result<Self, Unknown> {
        let failed = |source| Unknown::Place {
            path: path.to_owned(),
            source,
        };
        let mut links = Vec::new();
        let absolute = std::path::absolute(path).map_err(failed)?;
        let real = real_path_noting(&absolute, &mut links).map_err(failed)?;
        match real.starts_with(root) {
            true => Ok(Self { real, links }),
            false => Err(Unknown::Outside(path.to_owned())),
        }
    }
}

/// The inputs of a target's graph, and the graph for each platform.
pub(super) fn of(
    target: &Target,
    machine: &dyn Machine,
    lookups: &Lookups<'_>,
    results: &Links,
    root: &Path,
) -> Result<(Reads, Vec<Translation>), Unknown> {
    let request = request(target, machine)?;
    if request.no_cache != NoCache::None {
        return Err(Unknown::NoCache);
    }
    let given = given_folders(&request);
    for path in given.values() {
        Place::in_repository(path, root)?;
    }
    let inputs = pipeline::read_inputs(&request).map_err(RequestError::from)?;
    let source = inputs.source().ok_or(Unknown::RemoteDockerfile)?;
    let case = case(target, &request, &inputs, results)?;
    let job = Job::read(source.clone(), case.opts.clone().into(), &request.frontend)?;
    if let Some(name) = job.elsewhere() {
        return Err(Unknown::Frontend(name.to_owned()));
    }
    let images = lookups.with(results);
    let translations = translate(&case, &source, &images)?;
    let mut reads = Reads {
        images: images.into_seen(),
        pull: request.pull,
        ..Reads::default()
    };
    if let Some(path) = inputs.dockerfile_path() {
        reads.add_file(path, root)?;
    }
    let folders = inputs.local_folders();
    for translation in &translations {
        reads.add_sources(&translation.definition, &folders, &given, root)?;
    }
    if !reads.folders.is_empty() {
        reads.add_ignore_files(&inputs, root)?;
    }
    Ok((reads, translations))
}

/// The folders as given, by the names of their `local://` sources.
fn given_folders(request: &BuildRequest) -> BTreeMap<String, PathBuf> {
    let mut given = BTreeMap::new();
    for (name, context) in &request.contexts {
        if let NamedContext::Directory(path) = context {
            given.insert(pipeline::local_name(name), path.clone());
        }
    }
    if let MainContext::Directory(path) = &request.context {
        given.insert("context".to_owned(), path.clone());
    }
    given
}

fn case(
    target: &Target,
    request: &BuildRequest,
    inputs: &Inputs,
    results: &Links,
) -> Result<Case, Unknown> {
    let mut case = inputs.case(request);
    for (context, linked) in links(target) {
        if let Some(reference) = results.reference(linked) {
            let name = context_name(context).map_err(RequestError::from)?;
            let image = format!("docker-image://{reference}");
            case.opts.insert(format!("context:{name}"), image);
        }
    }
    Ok(case)
}

fn translate(
    case: &Case,
    source: &Source,
    images: &dyn batch::Images,
) -> Result<Vec<Translation>, Unknown> {
    match batch::translate(case, source.text(), images) {
        Ok(translated) => Ok(translated.translations),
        Err(answer) => {
            let reason = answer["error"].as_str().unwrap_or_default();
            Err(Unknown::Translation(reason.to_owned()))
        }
    }
}

impl Reads {
    fn add_file(&mut self, path: &Path, root: &Path) -> Result<(), Unknown> {
        self.files.push(Place::in_repository(path, root)?);
        Ok(())
    }

    /// Ignore files count even if they were deleted or are new: that changes which files are sent.
    fn add_ignore_files(&mut self, inputs: &Inputs, root: &Path) -> Result<(), Unknown> {
        let beside = inputs.dockerfile_path().map(|path| {
            let mut name = path.as_os_str().to_owned();
            name.push(".dockerignore");
            PathBuf::from(name)
        });
        let of_folders = self.folders.iter();
        let of_folders = of_folders.map(|folder| folder.place.real.join(".dockerignore"));
        let paths: Vec<PathBuf> = beside.into_iter().chain(of_folders).collect();
        paths.iter().try_for_each(|path| self.add_file(path, root))
    }

    fn add_sources(
        &mut self,
        definition: &Definition,
        folders: &BTreeMap<String, PathBuf>,
        given: &BTreeMap<String, PathBuf>,
        root: &Path,
    ) -> Result<(), Unknown> {
        for vertex in definition.vertices() {
            let Ok(op) = pb::Op::decode(vertex.op().clone()) else {
                continue;
            };
            let Some(pb::op::Op::Source(source)) = op.op else {
                continue;
            };
            match source.identifier.strip_prefix("local://") {
                Some(name) => {
                    let (Some(folder), Some(given)) = (folders.get(name), given.get(name)) else {
                        return Err(Unknown::Source(source.identifier));
                    };
                    self.add_folder(folder, given, &source.attrs, root)?;
                }
                None if is_pinned(&source.identifier, &source.attrs) => {}
                None => return Err(Unknown::Source(source.identifier)),
            }
        }
        Ok(())
    }

    fn add_folder(
        &mut self,
        folder: &Path,
        given: &Path,
        attributes: &BTreeMap<String, String>,
        root: &Path,
    ) -> Result<(), Unknown> {
        let list = |key: &str| -> Vec<String> {
            let text = attributes.get(key).map_or("[]", String::as_str);
            serde_json::from_str(text).unwrap_or_default()
        };
        let selection = Selection::new(
            folder,
            &list("local.includepattern"),
            &list("local.excludepatterns"),
            &list("local.followpaths"),
        )?;
        let place = Place::in_repository(given, root)?;
        if let Ok(inside) = root.join(".git").strip_prefix(&place.real) {
            let inside = inside.to_string_lossy();
            if selection.has(&inside) || selection.has(&format!("{inside}/HEAD")) {
                return Err(Unknown::GitFolder);
            }
        }
        self.folders.push(Folder { place, selection });
        Ok(())
    }
}

/// True if a remote source is always the same. Base images are: they were resolved.
fn is_pinned(identifier: &str, attributes: &BTreeMap<String, String>) -> bool {
    if identifier.starts_with("docker-image://") {
        return true;
    }
    if identifier.starts_with("git://") {
        let reference = identifier
            .split_once('#')
            .map_or("", |(_, fragment)| fragment);
        let reference = reference.split(':').next().unwrap_or_default();
        let is_commit = COMMIT_LENGTHS.contains(&reference.len())
            && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
        return is_commit || attributes.contains_key("git.checksum");
    }
    attributes.contains_key("http.checksum")
}
