//! The build of an image, from the SLSA provenance in its attestations (versions 0.2 and 1), and
//! the sources of that build as input documents.

mod statement;

use std::collections::BTreeMap;

use solvekit_core::oci::{Digest, Platform, Reference};

use crate::escapes::percent_decoded;
use crate::facts::Chain;
use crate::git::GitAddress;
use crate::input::{Completeness, ConfigSource, Input, Provenance};
use crate::source::{Described, Source, SourceError};

use statement::{
    Definition1, Invocation02, Material, Parameters, Predicate1, Predicate02, Statement,
};

/// The supported predicate types.
pub const PREDICATE_TYPES: [&str; 2] = [
    "https://slsa.dev/provenance/v0.2",
    "https://slsa.dev/provenance/v1",
];
const V02: &str = PREDICATE_TYPES[0];
const V1: &str = PREDICATE_TYPES[1];
/// The most materials. Materials have provenance of their own only after a request to the daemon,
/// so they are nested one level deep.
const MAX_MATERIALS: usize = 10_000;

/// A provenance with its sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) provenance: Provenance,
    pub(crate) materials: Vec<(Source, Option<Platform>)>,
}

/// Returns the first valid provenance of a chain.
pub(crate) fn read(chain: &Chain) -> Option<Read> {
    let known = |kind: &str| PREDICATE_TYPES.contains(&kind);
    let mut attestations = chain.attestations.iter().filter(|(kind, _)| known(kind));
    attestations.find_map(|(kind, statement)| read_statement(kind, statement))
}

fn read_statement(kind: &str, statement: &[u8]) -> Option<Read> {
    let statement: Statement = serde_json::from_slice(statement).ok()?;
    let kind = match statement.predicate_type.as_str() {
        "" => kind,
        written => written,
    };
    let read = match kind {
        V1 => read_v1(serde_json::from_value(statement.predicate).ok()?),
        V02 => read_v02(serde_json::from_value(statement.predicate).ok()?),
        _ => return None,
    };
    let provenance = &read.provenance;
    (!provenance.build_type.is_empty() || !provenance.builder_id.is_empty()).then_some(read)
}

fn read_v1(predicate: Predicate1) -> Read {
    let Definition1 {
        build_type,
        external_parameters: external,
        resolved_dependencies,
    } = predicate.build_definition;
    let mut provenance = parameters(external.request);
    provenance.predicate_type = V1.to_owned();
    provenance.build_type = build_type;
    provenance.builder_id = predicate.run_details.builder.id;
    provenance.config_source = Some(ConfigSource {
        uri: external.config_source.uri,
        digest: external.config_source.digest.unwrap_or_default(),
        path: external.config_source.path,
    });
    if let Some(metadata) = predicate.run_details.metadata {
        provenance.invocation_id = metadata.invocation_id;
        provenance.started_on = moment(metadata.started_on);
        provenance.finished_on = moment(metadata.finished_on);
        provenance.reproducible = Some(metadata.reproducible);
        provenance.hermetic = Some(metadata.hermetic);
        provenance.completeness = Some(Completeness {
            parameters: Some(metadata.completeness.request),
            environment: None,
            materials: Some(metadata.completeness.resolved_dependencies),
        });
    }
    Read {
        provenance,
        materials: sources(resolved_dependencies.unwrap_or_default()),
    }
}

fn read_v02(predicate: Predicate02) -> Read {
    let Invocation02 {
        config_source,
        parameters: written,
    } = predicate.invocation;
    let mut provenance = parameters(written);
    provenance.predicate_type = V02.to_owned();
    provenance.build_type = predicate.build_type;
    provenance.builder_id = predicate.builder.id;
    provenance.config_source = Some(ConfigSource {
        uri: config_source.uri,
        digest: config_source.digest.unwrap_or_default(),
        path: config_source.entry_point,
    });
    if let Some(metadata) = predicate.metadata {
        provenance.invocation_id = metadata.invocation_id;
        provenance.started_on = moment(metadata.started_on);
        provenance.finished_on = moment(metadata.finished_on);
        provenance.reproducible = Some(metadata.reproducible);
        provenance.hermetic = Some(metadata.hermetic);
        provenance.completeness = Some(Completeness {
            parameters: Some(metadata.completeness.parameters),
            environment: Some(metadata.completeness.environment),
            materials: Some(metadata.completeness.materials),
        });
    }
    Read {
        provenance,
        materials: sources(predicate.materials.unwrap_or_default()),
    }
}

fn parameters(parameters: Parameters) -> Provenance {
    let args = parameters.args.unwrap_or_default();
    let build_args = args.iter().filter_map(|(key, value)| {
        let name = key
            .strip_prefix("build-arg:")
            .filter(|name| !name.is_empty())?;
        Some((name.to_owned(), value.clone()))
    });
    Provenance {
        frontend: parameters.frontend,
        build_args: build_args.collect(),
        raw_args: args,
        ..Provenance::default()
    }
}

fn moment(time: Option<String>) -> String {
    use time::format_description::well_known::Rfc3339;
    let parsed = time.and_then(|time| time::OffsetDateTime::parse(&time, &Rfc3339).ok());
    let whole = parsed.and_then(|time| time.replace_nanosecond(0).ok());
    let utc = whole.and_then(|time| time.checked_to_offset(time::UtcOffset::UTC));
    utc.and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_default()
}

fn sources(materials: Vec<Material>) -> Vec<(Source, Option<Platform>)> {
    let known = materials.iter().take(MAX_MATERIALS);
    known.filter_map(material_source).collect()
}

fn material_source(material: &Material) -> Option<(Source, Option<Platform>)> {
    let uri = material.uri.as_str();
    if let Some(package) = uri.strip_prefix("pkg:docker/") {
        return image_source(package, material.digest.as_ref());
    }
    if let Ok(address) = GitAddress::parse_whole(uri) {
        let is_repository = address.path.to_ascii_lowercase().ends_with(".git");
        if is_repository || !matches!(address.scheme.as_str(), "http" | "https") {
            return Some((git_source(uri, &address), None));
        }
    }
    let is_http = uri.starts_with("http://") || uri.starts_with("https://");
    is_http.then(|| (Source::new(uri), None))
}

fn git_source(uri: &str, address: &GitAddress) -> Source {
    let mut identifier = format!(
        "git://{}/{}",
        address.host,
        address.path.trim_start_matches('/')
    );
    if !address.reference.is_empty() || !address.sub_dir.is_empty() {
        identifier.push('#');
        identifier.push_str(&address.reference);
        if !address.sub_dir.is_empty() {
            identifier.push(':');
            identifier.push_str(&address.sub_dir);
        }
    }
    let mut source = Source::new(identifier);
    source
        .attrs
        .insert("git.fullurl".to_owned(), uri.to_owned());
    source
}

/// Parses the package URL of an image: `pkg:docker/alpine@3.20?platform=linux%2Famd64`.
fn image_source(
    package: &str,
    digests: Option<&BTreeMap<String, String>>,
) -> Option<(Source, Option<Platform>)> {
    let package = package.split('#').next().unwrap_or_default();
    let (name, qualifiers) = package.split_once('?').unwrap_or((package, ""));
    let (name, version) = match name.rsplit_once('@') {
        Some((name, version)) => (percent_decoded(name), percent_decoded(version)),
        None => (percent_decoded(name), String::new()),
    };
    let qualifier = |key: &str| {
        let mut pairs = qualifiers
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(name, _)| *name == key)
            .map(|(_, value)| percent_decoded(value))
    };
    let mut text = name;
    let named = qualifier("digest");
    match Digest::parse(&version) {
        Ok(digest) => text.push_str(&format!("@{digest}")),
        Err(_) if version.is_empty() && named.is_none() => text.push_str(":latest"),
        Err(_) if version.is_empty() => {}
        Err(_) => text.push_str(&format!(":{version}")),
    }
    let mut reference = Reference::parse(&text).ok()?;
    let sha256 = digests
        .and_then(|digests| digests.get("sha256"))
        .map(|hex| hex.trim());
    let written = sha256
        .filter(|hex| !hex.is_empty())
        .map(|hex| Digest::parse(hex).or_else(|_| Digest::parse(&format!("sha256:{hex}"))));
    for digest in [named.map(|text| Digest::parse(&text)), written]
        .into_iter()
        .flatten()
    {
        let digest = digest.ok()?;
        if reference.digest().is_some_and(|known| *known != digest) {
            return None;
        }
        reference = reference.with_digest(digest);
    }
    let platform = match qualifier("platform") {
        Some(text) => Some(Platform::parse(&text).ok()?),
        None => None,
    };
    Some((Source::new(format!("docker-image://{reference}")), platform))
}

/// Adds the materials of the image's provenance to its document, with their unknown fields.
pub(crate) fn add_materials(
    source: &Source,
    platform: Option<&Platform>,
    described: &mut Described,
) -> Result<(), SourceError> {
    let chain = source.image.as_ref().and_then(|image| image.chain.as_ref());
    let Some(read) = chain.and_then(read) else {
        return Ok(());
    };
    let mut inputs = Vec::with_capacity(read.materials.len());
    for (index, (material, own)) in read.materials.iter().enumerate() {
        let child = material.describe_alone(own.as_ref().or(platform))?;
        let unknown = child.unknown.iter();
        let place = format!("image.provenance.materials[{index}]");
        described
            .unknown
            .extend(unknown.map(|field| format!("{place}.{field}")));
        let mut input: Input = child.input;
        input.env.depth = 1;
        inputs.push(input);
    }
    let image = described.input.image.as_mut();
    if let Some(provenance) = image.and_then(|image| image.provenance.as_mut()) {
        provenance.materials = inputs;
    }
    Ok(())
}
