//! All details of a build with buildx's field names: the output of `history inspect`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::StreamExt as _;
use serde_json::{Map, Value, json};
use solvekit::client::{self, BuildRecord, RecordStatus};
use solvekit::oci::Platform;
use solvekit::progress::{SourceExcerpt, VertexLog};

use super::attachment::{self, Attachment};
use super::{Daemon, record};
use crate::cli::identity::Identity;

/// The size limit of a provenance, in bytes.
const PROVENANCE: usize = 64 << 20;
/// The most lines of a failed step's log that are shown.
const LOG_LINES: usize = 16;
/// The buffer for its log, in bytes.
const LOG_BYTES: usize = 1 << 20;

/// An argument that has its own line instead.
const KEEP_GIT_DIR: &str = "build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR";

/// The attributes with a field of their own in `Config`.
const CONFIG: [(&str, &str); 16] = [
    ("force-network-mode", "Network"),
    ("hostname", "Hostname"),
    ("cgroup-parent", "CgroupParent"),
    ("image-resolve-mode", "ImageResolveMode"),
    ("shm-size", "ShmSize"),
    ("ulimit", "Ulimit"),
    ("memory", "Memory"),
    ("memswap", "MemorySwap"),
    ("cpushares", "CPUShares"),
    ("cpuperiod", "CPUPeriod"),
    ("cpuquota", "CPUQuota"),
    ("cpusetcpus", "CPUSetCPUs"),
    ("cpusetmems", "CPUSetMems"),
    ("build-arg:BUILDKIT_CACHE_MOUNT_NS", "CacheMountNS"),
    (
        "build-arg:BUILDKIT_DOCKERFILE_CHECK",
        "DockerfileCheckConfig",
    ),
    ("build-arg:SOURCE_DATE_EPOCH", "SourceDateEpoch"),
];

/// The attributes that are shown elsewhere, or that are internal to clients.
const SHOWN_ELSEWHERE: [&str; 10] = [
    "add-hosts",
    "build-arg:BUILDKIT_MULTI_PLATFORM",
    "build-arg:SANDBOX_HOSTNAME",
    "context",
    "filename",
    "frontend.caps",
    "multi-platform",
    "no-cache",
    "platform",
    "target",
];

/// The known details. Unknown ones are omitted.
pub(super) async fn known(daemon: &Daemon<'_>, found: &BuildRecord) -> Value {
    let state = daemon.state(found);
    let of = |key: &str| found.attributes.get(key).map(String::as_str);
    let text = |value: Option<&str>| value.map_or(Value::Null, Value::from);
    let (context, dockerfile) = places(daemon, found);
    // The revision is that of a local folder, so a fetched context has none.
    let vcs = |key: &str| text(of(key).filter(|_| of("context").is_none()));
    let duration = found.duration(SystemTime::now()).as_nanos();
    let attachments = attachment::listed(daemon, found).await;
    let mut all = json!({
        "Name": record::name(found, state.as_ref()),
        "Ref": found.build_ref,
        "Context": context,
        "Dockerfile": dockerfile,
        "VCSRepository": vcs("vcs:source"),
        "VCSRevision": vcs("vcs:revision"),
        "Target": text(of("target")),
        "Platform": of("platform").map(platforms),
        "KeepGitDir": is_true(of(KEEP_GIT_DIR)),
        "NamedContexts": pairs(found, "context:"),
        "StartedAt": record::timestamp(found.created_at),
        "CompletedAt": record::timestamp(found.completed_at),
        "Duration": u64::try_from(duration).unwrap_or(u64::MAX),
        "Status": status(found),
        "Error": error(daemon, found).await,
        "NumCompletedSteps": found.completed_steps,
        "NumTotalSteps": found.total_steps,
        "NumCachedSteps": found.cached_steps,
        "BuildArgs": pairs(found, "build-arg:"),
        "Labels": pairs(found, "label:"),
        "Materials": materials(daemon, &attachments).await,
        "Attachments": attachments.iter().map(shown).collect::<Vec<_>>(),
    });
    if daemon.environment.identity != Identity::Buildx {
        all["ImageNames"] = daemon.image_names(found).await.into();
    }
    without_empty(&mut all);
    all["Config"] = config(found);
    all
}

/// The context and the Dockerfile: from this machine's record, relative to the working directory
/// and to the context; or else as the daemon has them.
fn places(daemon: &Daemon<'_>, found: &BuildRecord) -> (Value, Value) {
    let state = daemon.state(found);
    let of = |key: &str| found.attributes.get(key).map(String::as_str);
    let local = state.as_ref().map(|state| state.local_path.as_str());
    let own = state.as_ref().map(|state| state.dockerfile_path.as_str());
    let not_empty = |value: &&str| !value.is_empty();
    let here = std::env::current_dir().unwrap_or_default();
    let context = local.filter(not_empty).map(|path| beneath(path, &here));
    let dockerfile = own.filter(not_empty);
    let dockerfile = dockerfile.map(|path| beneath(path, Path::new(local.unwrap_or_default())));
    let filename = || match (of("filename"), of("vcs:localdir:dockerfile")) {
        (Some(name), Some(folder)) if folder != "." => Some(format!("{folder}/{name}")),
        (name, _) => name.map(str::to_owned),
    };
    let context = context.or_else(|| of("context").map(str::to_owned));
    (context.into(), dockerfile.or_else(filename).into())
}

/// The path relative to a folder, if it is in that folder.
fn beneath(path: &str, folder: &Path) -> String {
    match Path::new(path).strip_prefix(folder) {
        _ if folder.as_os_str().is_empty() => path.to_owned(),
        Ok(rest) if rest.as_os_str().is_empty() => ".".to_owned(),
        Ok(rest) => rest.display().to_string(),
        Err(_) => path.to_owned(),
    }
}

pub(super) fn status(found: &BuildRecord) -> &'static str {
    match found.status() {
        RecordStatus::Running => "running",
        RecordStatus::Completed => "completed",
        RecordStatus::Error => "failed",
        RecordStatus::Canceled => "canceled",
    }
}

fn platforms(text: &str) -> Value {
    let shown = |text: &str| match Platform::parse(text) {
        Ok(platform) => platform.normalized().format_all(),
        Err(_) => text.to_owned(),
    };
    text.split(',').map(shown).collect::<Vec<_>>().into()
}

fn is_true(value: Option<&str>) -> Value {
    match value {
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => true.into(),
        _ => Value::Null,
    }
}

/// The attributes with this prefix, without the prefix.
fn pairs(found: &BuildRecord, prefix: &str) -> Value {
    let with = found
        .attributes
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(prefix)?, value)));
    with.filter(|(name, _)| format!("{prefix}{name}") != KEEP_GIT_DIR)
        .map(|(name, value)| json!({ "Name": name, "Value": value }))
        .collect::<Vec<_>>()
        .into()
}

/// The settings of the build.
fn config(found: &BuildRecord) -> Value {
    let of = |key: &str| found.attributes.get(key).map(String::as_str);
    let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let mut config = Map::new();
    for (key, name) in CONFIG {
        config.insert(name.to_owned(), of(key).into());
    }
    let several = of("multi-platform").or(of("build-arg:BUILDKIT_MULTI_PLATFORM"));
    let no_cache = of("no-cache");
    let rest = found.attributes.iter().filter(|(key, _)| {
        let is_shown = ["vcs:", "build-arg:", "label:", "context:", "attest:"]
            .iter()
            .any(|prefix| key.starts_with(prefix));
        !is_shown
            && !SHOWN_ELSEWHERE.contains(&key.as_str())
            && !CONFIG.iter().any(|(name, _)| name == key)
    });
    let rest: Vec<Value> = rest
        .map(|(name, value)| json!({ "Name": name, "Value": value }))
        .collect();
    for (name, value) in [
        ("ExtraHosts", of("add-hosts").map(list).into()),
        ("MultiPlatform", is_true(several)),
        (
            "NoCache",
            is_true(no_cache.filter(|it| it.is_empty()).map(|_| "true")),
        ),
        (
            "NoCacheFilter",
            no_cache.filter(|it| !it.is_empty()).map(list).into(),
        ),
        ("SandboxHostname", of("build-arg:SANDBOX_HOSTNAME").into()),
        ("RestRaw", rest.into()),
    ] {
        config.insert(name.to_owned(), value);
    }
    let mut config = Value::Object(config);
    without_empty(&mut config);
    config
}

/// The error with the failed step, the end of its log, and the lines of the Dockerfile.
async fn error(daemon: &Daemon<'_>, found: &BuildRecord) -> Value {
    let Some(error) = &found.error else {
        return Value::Null;
    };
    let mut all = json!({ "Code": error.code as i32, "Message": error.message });
    // If the daemon no longer has the failure, show the rest.
    let failure = daemon.client.recorded_failure(found).await;
    let Ok(Some(failure)) = failure else {
        return all;
    };
    if let Some(source) = failure.source() {
        let lines = SourceExcerpt {
            file: source.info.clone(),
            ranges: source.ranges.clone(),
        };
        let lines = lines.render();
        all["Sources"] = BASE64.encode(format!("{lines}\n")).into();
    }
    if let Some(vertex) = failure.vertex()
        && let Ok((name, logs)) = step(daemon, &found.build_ref, vertex).await
    {
        all["Name"] = name.into();
        all["Logs"] = logs.into();
    }
    without_empty(&mut all);
    all
}

/// The name of a step, and the last lines of its log.
async fn step(
    daemon: &Daemon<'_>,
    build_ref: &str,
    digest: &str,
) -> Result<(String, Vec<String>), client::Error> {
    let mut updates = daemon.client.status(build_ref).await?;
    let (mut name, mut log) = (String::new(), Vec::new());
    while let Some(update) = updates.next().await {
        let update = update?;
        if let Some(vertex) = update.vertexes.iter().find(|one| one.digest == digest) {
            name.clone_from(&vertex.name);
        }
        let own = update
            .logs
            .iter()
            .filter(|one: &&VertexLog| one.vertex == digest);
        own.for_each(|one| log.extend_from_slice(&one.data));
        // Only the end of the log is shown.
        if log.len() > LOG_BYTES {
            log.drain(..log.len() - LOG_BYTES / 2);
        }
    }
    let text = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = text.split('\n').filter(|line| !line.is_empty()).collect();
    let last = lines.len().saturating_sub(LOG_LINES);
    Ok((
        name,
        lines[last..].iter().map(|&line| line.to_owned()).collect(),
    ))
}

/// The materials of the build, from its provenance.
async fn materials(daemon: &Daemon<'_>, attachments: &[Attachment]) -> Value {
    let is_provenance = |one: &&Attachment| one.kind().starts_with("https://slsa.dev/provenance/");
    let Some(provenance) = attachments.iter().find(is_provenance) else {
        return Value::Null;
    };
    let digest = provenance.descriptor.digest.as_str();
    let Ok(bytes) = daemon.client.read_blob(digest, PROVENANCE).await else {
        return Value::Null;
    };
    let Ok(predicate) = serde_json::from_slice::<Value>(&bytes) else {
        return Value::Null;
    };
    let newer = &predicate["buildDefinition"]["resolvedDependencies"];
    let all = newer
        .as_array()
        .or_else(|| predicate["materials"].as_array());
    let materials = all.into_iter().flatten().map(|material| {
        let digests = material["digest"].as_object().into_iter().flatten();
        let digests: BTreeMap<&String, &str> = digests
            .map(|(algorithm, hex)| (algorithm, hex.as_str().unwrap_or_default()))
            .collect();
        let digests = digests.iter().map(|(name, hex)| format!("{name}:{hex}"));
        json!({ "URI": material["uri"], "Digests": digests.collect::<Vec<_>>() })
    });
    materials.collect::<Vec<_>>().into()
}

fn shown(one: &Attachment) -> Value {
    let mut shown = json!({
        "Digest": one.descriptor.digest.as_str(),
        "Platform": one.platform,
        "Type": one.kind(),
    });
    without_empty(&mut shown);
    shown
}

/// Removes empty fields, as Go's `omitempty` does; numbers stay.
fn without_empty(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.retain(|_, value| match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(list) => !list.is_empty(),
            _ => true,
        });
    }
}

#[cfg(test)]
mod tests;
