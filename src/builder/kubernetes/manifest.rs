//! Builds the Kubernetes objects from the options: the same objects as buildx's, so that either
//! tool finds the other's pods.
//!
//! They differ where buildx's objects do not do what the options say: with a state volume the
//! configuration stays mounted, a request for ephemeral storage is not a limit, and a rootless
//! daemon reads its configuration and can write to its volume. And a startup probe makes pods ready
//! in two seconds, not 30; buildx reads only names, labels, annotations and the number of ready
//! pods.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::super::Node;
use super::objects::{
    ConfigMap, Container, Exec, Metadata, Names, Object, PodSecurityContext, PodSpec, PodTemplate,
    Probe, Profile, Resources, SecurityContext, Selector, Stateful, Variable, Volume, VolumeClaim,
    VolumeClaimSpec, VolumeMount, VolumeSource, Workload, WorkloadSpec,
};
use super::options::{APP, KubernetesOptions, PLATFORMS};

/// The name of the container in the pods.
pub(super) const CONTAINER: &str = "buildkitd";
/// The name of the state volume; its claims are `buildkitd-POD`.
pub(super) const STATE: &str = "buildkitd";
const MEMORY: &str = "buildkit-memory";
const STATE_PATH: &str = "/var/lib/buildkit";
const ROOTLESS_STATE_PATH: &str = "/home/user/.local/share/buildkit";
/// The group of the user in BuildKit's rootless images. Another user gets it beside its own ones.
const ROOTLESS_GROUP: i64 = 1000;
/// The folder for the configuration's files.
const CONFIG_PATH: &str = "/etc/buildkit";
const CONFIG_FILE: &str = "buildkitd.toml";

/// Returns the labels that identify a node's pods.
pub(super) fn labels(name: &str, options: &KubernetesOptions) -> Names {
    let app = [(APP.to_owned(), name.to_owned())];
    app.into_iter().chain(options.labels.clone()).collect()
}

/// Returns the objects of a node in the order of creation. The last one manages the pods.
pub(super) fn objects(name: &str, node: &Node, options: &KubernetesOptions) -> Vec<Object> {
    let mut annotations = options.annotations.clone();
    if !node.platforms.is_empty() {
        let platforms: Vec<String> = node.platforms.iter().map(ToString::to_string).collect();
        annotations.insert(PLATFORMS.to_owned(), platforms.join(","));
    }
    let metadata = Metadata {
        name: name.to_owned(),
        labels: labels(name, options),
        annotations,
    };
    let folders = folders(&node.files);
    let mut objects: Vec<Object> = folders
        .iter()
        .map(|folder| Object::ConfigMap(folder.config_map(&metadata)))
        .collect();
    let mut template = template(&metadata, node, options);
    for folder in &folders {
        folder.mount(name, &mut template.spec);
    }
    mount_state(options, &mut template.spec);
    let workload = |api_version, stateful| Workload {
        api_version,
        spec: WorkloadSpec {
            replicas: options.replicas,
            selector: Selector {
                match_labels: metadata.labels.clone(),
            },
            template,
            stateful,
        },
        metadata,
    };
    objects.push(match stateful(options) {
        None => Object::Deployment(workload("apps/v1", None)),
        stateful => Object::StatefulSet(workload("apps/v1", stateful)),
    });
    objects
}

fn template(metadata: &Metadata, node: &Node, options: &KubernetesOptions) -> PodTemplate {
    let mut annotations = metadata.annotations.clone();
    let mut args = node.buildkitd_flags.clone();
    if options.rootless {
        // Clusters before 1.30 support only this annotation.
        let apparmor = format!("container.apparmor.security.beta.kubernetes.io/{CONTAINER}");
        annotations.insert(apparmor, "unconfined".to_owned());
        args.push("--oci-worker-no-process-sandbox".to_owned());
        // The daemon looks for its configuration in its user's home.
        let has_config = args.iter().any(|flag| flag.starts_with("--config"));
        if node.files.contains_key(CONFIG_FILE) && !has_config {
            args.push(format!("--config={CONFIG_PATH}/{CONFIG_FILE}"));
        }
    }
    let variable = |(name, value): (&String, &String)| Variable {
        name: name.clone(),
        value: value.clone(),
    };
    let buildkitd = Container {
        name: CONTAINER,
        image: options.image.clone(),
        args,
        env: options.env.iter().map(variable).collect(),
        resources: Resources {
            requests: options.requests.clone(),
            limits: options.limits.clone(),
        },
        security_context: match options.rootless {
            true => unconfined(),
            false => privileged(),
        },
        startup_probe: Some(startup_probe()),
        readiness_probe: Some(Probe {
            // The startup probe delays it; after its success the kubelet runs this probe at once.
            initial_delay_seconds: None,
            ..probe()
        }),
        liveness_probe: Some(probe()),
        volume_mounts: Vec::new(),
    };
    let emulators = options.emulators.as_ref().map(|image| Container {
        name: "qemu",
        image: image.clone(),
        args: vec!["--install".to_owned(), "all".to_owned()],
        security_context: privileged(),
        ..Container::default()
    });
    PodTemplate {
        metadata: Metadata {
            name: String::new(),
            labels: metadata.labels.clone(),
            annotations,
        },
        spec: PodSpec {
            service_account_name: options.service_account.clone(),
            scheduler_name: options.scheduler.clone(),
            security_context: volume_group(options),
            init_containers: emulators.into_iter().collect(),
            containers: vec![buildkitd],
            volumes: Vec::new(),
            node_selector: options.node_selector.clone(),
            tolerations: options.tolerations.clone(),
        },
    }
}

/// A new volume belongs to root, and a rootless daemon cannot write to it without a group.
fn volume_group(options: &KubernetesOptions) -> Option<PodSecurityContext> {
    let is_needed = options.rootless && options.volume.is_some();
    is_needed.then_some(PodSecurityContext {
        fs_group: ROOTLESS_GROUP,
        // Else each start would walk through the whole cache.
        fs_group_change_policy: "OnRootMismatch",
    })
}

fn privileged() -> SecurityContext {
    SecurityContext {
        privileged: Some(true),
        seccomp_profile: None,
    }
}

fn unconfined() -> SecurityContext {
    SecurityContext {
        privileged: None,
        seccomp_profile: Some(Profile { kind: "Unconfined" }),
    }
}

/// The pod is ready and alive if it can list its workers.
fn probe() -> Probe {
    Probe {
        exec: Exec {
            command: vec!["buildctl", "debug", "workers"],
        },
        failure_threshold: 3,
        initial_delay_seconds: Some(5),
        period_seconds: 30,
        success_threshold: 1,
        timeout_seconds: 60,
    }
}

/// The daemon is checked every second until it answers: the readiness probe alone has its first
/// useful check after 30 seconds. A daemon with a large state has two minutes.
fn startup_probe() -> Probe {
    Probe {
        failure_threshold: 120,
        initial_delay_seconds: None,
        period_seconds: 1,
        timeout_seconds: 10,
        ..probe()
    }
}

/// Mounts the state: on the pod's volume, in memory, or in the container. A rootless image always
/// gets a volume, because the image's own folder does not work on all nodes.
fn mount_state(options: &KubernetesOptions, spec: &mut PodSpec) {
    let name = match options.rootless || options.volume.is_some() {
        true => STATE,
        false if options.memory.is_some() => MEMORY,
        false => return,
    };
    mount(
        spec,
        name,
        match options.rootless {
            true => ROOTLESS_STATE_PATH,
            false => STATE_PATH,
        },
    );
    if options.volume.is_none() {
        spec.volumes.push(Volume {
            name: name.to_owned(),
            source: VolumeSource::EmptyDir {
                medium: options.memory.as_ref().map(|_| "Memory"),
                size_limit: options.memory.clone(),
            },
        });
    }
}

fn stateful(options: &KubernetesOptions) -> Option<Stateful> {
    let size = options.volume.clone()?;
    Some(Stateful {
        service_name: CONTAINER,
        pod_management_policy: "Parallel",
        volume_claim_templates: vec![VolumeClaim {
            api_version: "v1",
            kind: "PersistentVolumeClaim",
            metadata: Metadata {
                name: STATE.to_owned(),
                ..Metadata::default()
            },
            spec: VolumeClaimSpec {
                access_modes: vec!["ReadWriteOnce"],
                resources: Resources {
                    requests: Names::from([("storage".to_owned(), size)]),
                    limits: Names::new(),
                },
            },
        }],
    })
}

fn mount(spec: &mut PodSpec, volume: &str, path: &str) {
    for container in &mut spec.containers {
        container.volume_mounts.push(VolumeMount {
            name: volume.to_owned(),
            mount_path: path.to_owned(),
        });
    }
}

/// The files of one folder below `/etc/buildkit`: a ConfigMap has no subfolders.
struct Folder<'a> {
    /// `config`, `config-1` …
    volume: String,
    path: &'a str,
    files: BTreeMap<&'a str, &'a [u8]>,
}

fn folders(files: &BTreeMap<String, Vec<u8>>) -> Vec<Folder<'_>> {
    let mut by_path: BTreeMap<&str, BTreeMap<&str, &[u8]>> = BTreeMap::new();
    for (path, bytes) in files {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        by_path.entry(folder).or_default().insert(file, bytes);
    }
    let mut number = 0;
    by_path
        .into_iter()
        .map(|(path, files)| {
            let volume = match path {
                "" => "config".to_owned(),
                _ => {
                    number += 1;
                    format!("config-{number}")
                }
            };
            Folder {
                volume,
                path,
                files,
            }
        })
        .collect()
}

impl Folder<'_> {
    fn name(&self, of: &str) -> String {
        format!("{of}-{}", self.volume)
    }

    fn config_map(&self, of: &Metadata) -> ConfigMap {
        let (mut data, mut binary_data) = (Names::new(), Names::new());
        for (&file, &bytes) in &self.files {
            match std::str::from_utf8(bytes) {
                Ok(text) => data.insert(file.to_owned(), text.to_owned()),
                Err(_) => binary_data.insert(file.to_owned(), BASE64.encode(bytes)),
            };
        }
        ConfigMap {
            api_version: "v1",
            metadata: Metadata {
                name: self.name(&of.name),
                labels: Names::new(),
                annotations: of.annotations.clone(),
            },
            data,
            binary_data,
        }
    }

    fn mount(&self, of: &str, spec: &mut PodSpec) {
        let path = format!("{CONFIG_PATH}/{}", self.path);
        mount(spec, &self.volume, path.trim_end_matches('/'));
        spec.volumes.push(Volume {
            name: self.volume.clone(),
            source: VolumeSource::ConfigMap {
                name: self.name(of),
            },
        });
    }
}
