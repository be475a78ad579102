//! Compares the objects with the API's types: a round trip through them must not lose or change
//! anything.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::ConfigMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::manifest::objects;
use super::objects::Object;
use super::options::KubernetesOptions;
use crate::builder::Node;
use crate::oci::Platform;

/// Returns a node's objects with these options, each checked.
fn made(options: &[(&str, &str)], change: impl FnOnce(&mut Node)) -> Vec<Value> {
    let pairs = options.iter().map(|(k, v)| ((*k).into(), (*v).into()));
    let options: BTreeMap<String, String> = pairs.collect();
    let mut node = Node::default();
    change(&mut node);
    let options = KubernetesOptions::read(&options).unwrap();
    objects("bk0", &node, &options)
        .iter()
        .map(checked)
        .collect()
}

fn checked(object: &Object) -> Value {
    let printed = serde_json::to_value(object).unwrap();
    let again = match object {
        Object::ConfigMap(_) => again::<ConfigMap>(&printed),
        Object::Deployment(_) => again::<Deployment>(&printed),
        Object::StatefulSet(_) => again::<StatefulSet>(&printed),
    };
    assert_eq!(again, printed);
    printed
}

fn again<T: DeserializeOwned + Serialize>(printed: &Value) -> Value {
    let typed: T = serde_json::from_value(printed.clone()).unwrap();
    serde_json::to_value(typed).unwrap()
}

/// Returns the only object, a Deployment.
fn deployment(options: &[(&str, &str)]) -> Value {
    let mut objects = made(options, |_| ());
    assert_eq!(objects.len(), 1);
    objects.remove(0)
}

#[test]
fn without_options_it_is_one_privileged_pod() {
    let probe = json!({"exec": {"command": ["buildctl", "debug", "workers"]}, "failureThreshold": 3,
        "initialDelaySeconds": 5, "periodSeconds": 30, "successThreshold": 1,
        "timeoutSeconds": 60});
    // After the startup probe's success the kubelet runs the readiness probe at once, unless it has
    // an initial delay.
    let readiness = json!({"exec": {"command": ["buildctl", "debug", "workers"]},
        "failureThreshold": 3, "periodSeconds": 30, "successThreshold": 1, "timeoutSeconds": 60});
    let startup = json!({"exec": {"command": ["buildctl", "debug", "workers"]},
        "failureThreshold": 120, "periodSeconds": 1, "successThreshold": 1, "timeoutSeconds": 10});
    let labels = json!({"app": "bk0"});
    assert_eq!(
        deployment(&[]),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "bk0", "labels": labels},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{
                    "name": "buildkitd", "image": "moby/buildkit:buildx-stable-1",
                    "securityContext": {"privileged": true}, "startupProbe": startup,
                    "readinessProbe": readiness, "livenessProbe": probe,
                }]},
            }},
        })
    );
}

#[test]
fn each_option_has_its_place() {
    let made = deployment(&[
        ("image", "mine:1"),
        ("replicas", "3"),
        ("namespace", "ci"),
        ("requests.cpu", "500m"),
        ("requests.memory", "1Gi"),
        ("requests.ephemeral-storage", "10Gi"),
        ("limits.cpu", "2"),
        ("limits.memory", "4Gi"),
        ("limits.ephemeral-storage", "20Gi"),
        ("nodeselector", "\"kubernetes.io/arch=arm64,disk=fast\""),
        ("annotations", "example.com/note=a"),
        ("labels", "team=build"),
        (
            "tolerations",
            "key=k,value=v,effect=NoSchedule;operator=Exists,effect=NoExecute,tolerationSeconds=9",
        ),
        ("serviceaccount", "builder"),
        ("schedulername", "mine"),
        ("env.HTTP_PROXY", "http://proxy"),
        ("buildkit-root-volume-memory", "2Gi"),
    ]);
    assert_eq!(made["spec"]["replicas"], 3);
    assert_eq!(made["metadata"].get("namespace"), None);
    let labels = json!({"app": "bk0", "team": "build"});
    for place in [
        &made["metadata"]["labels"],
        &made["spec"]["selector"]["matchLabels"],
        &made["spec"]["template"]["metadata"]["labels"],
    ] {
        assert_eq!(place, &labels);
    }
    let note = json!({"example.com/note": "a"});
    assert_eq!(made["metadata"]["annotations"], note);
    let template = &made["spec"]["template"];
    assert_eq!(template["metadata"]["annotations"], note);
    let pod = &template["spec"];
    assert_eq!(
        pod["nodeSelector"],
        json!({"disk": "fast", "kubernetes.io/arch": "arm64"})
    );
    assert_eq!(
        pod["tolerations"],
        json!([{"key": "k", "value": "v", "effect": "NoSchedule"},
            {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 9}])
    );
    assert_eq!(pod["serviceAccountName"], "builder");
    assert_eq!(pod["schedulerName"], "mine");
    let container = &pod["containers"][0];
    assert_eq!(container["image"], "mine:1");
    assert_eq!(
        container["env"],
        json!([{"name": "HTTP_PROXY", "value": "http://proxy"}])
    );
    assert_eq!(
        container["resources"],
        json!({"requests": {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "10Gi"},
            "limits": {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "20Gi"}})
    );
    assert_eq!(
        pod["volumes"],
        json!([{"name": "buildkit-memory", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}}])
    );
    assert_eq!(
        container["volumeMounts"],
        json!([{"name": "buildkit-memory", "mountPath": "/var/lib/buildkit"}])
    );
}

/// As in `driver/kubernetes/manifest/manifest.go` of buildx v0.36.1.
#[test]
fn emulators_are_installed_before_the_daemon_as_by_buildx() {
    let pod = |options: &[(&str, &str)]| deployment(options)["spec"]["template"]["spec"].clone();
    let installing = pod(&[("qemu.install", "true")]);
    assert_eq!(
        installing["initContainers"],
        json!([{"name": "qemu", "image": "tonistiigi/binfmt:latest", "args": ["--install", "all"],
            "securityContext": {"privileged": true}}])
    );
    let plain = pod(&[("qemu.image", "emulators:1")]);
    assert!(plain.get("initContainers").is_none(), "{plain}");
    assert_eq!(installing["containers"], plain["containers"]);
}

#[test]
fn rootless_pods_have_no_privileges() {
    let made = deployment(&[
        ("rootless", "true"),
        ("qemu.install", "true"),
        ("qemu.image", "emulators:1"),
    ]);
    let template = &made["spec"]["template"];
    assert_eq!(
        template["metadata"]["annotations"],
        json!({"container.apparmor.security.beta.kubernetes.io/buildkitd": "unconfined"})
    );
    let pod = &template["spec"];
    let container = &pod["containers"][0];
    assert_eq!(
        container["args"],
        json!(["--oci-worker-no-process-sandbox"])
    );
    assert_eq!(
        container["securityContext"],
        json!({"seccompProfile": {"type": "Unconfined"}})
    );
    assert_eq!(
        pod["volumes"],
        json!([{"name": "buildkitd", "emptyDir": {}}])
    );
    assert_eq!(
        container["volumeMounts"],
        json!([{"name": "buildkitd", "mountPath": "/home/user/.local/share/buildkit"}])
    );
    assert_eq!(
        pod["initContainers"],
        json!([{"name": "qemu", "image": "emulators:1", "args": ["--install", "all"],
            "securityContext": {"privileged": true}}])
    );
}

#[test]
fn a_volume_makes_it_a_stateful_set() {
    for (rootless, path) in [
        ("false", "/var/lib/buildkit"),
        ("true", "/home/user/.local/share/buildkit"),
    ] {
        let size = ("persistent-volume-claim.requests.storage", "10Gi");
        let made = made(&[size, ("rootless", rootless)], |_| ()).remove(0);
        // A new volume belongs to root.
        let group = &made["spec"]["template"]["spec"]["securityContext"]["fsGroup"];
        assert_eq!(group == &json!(1000), rootless == "true");
        assert_eq!(made["kind"], "StatefulSet");
        let spec = &made["spec"];
        assert_eq!(spec["serviceName"], "buildkitd");
        assert_eq!(spec["podManagementPolicy"], "Parallel");
        assert_eq!(
            spec["volumeClaimTemplates"],
            json!([{"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "metadata": {"name": "buildkitd"},
                "spec": {"accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "10Gi"}}}}])
        );
        let pod = &spec["template"]["spec"];
        assert_eq!(pod.get("volumes"), None);
        let mounts = &pod["containers"][0]["volumeMounts"];
        assert_eq!(mounts, &json!([{"name": "buildkitd", "mountPath": path}]));
    }
}

#[test]
fn a_configuration_is_in_config_maps_by_folder() {
    let size = ("persistent-volume-claim.requests.storage", "10Gi");
    let made = made(&[size, ("rootless", "true")], |node| {
        node.buildkitd_flags = vec!["--debug".into()];
        node.platforms = vec![Platform::parse("linux/arm64").unwrap()];
        node.files = BTreeMap::from([
            ("buildkitd.toml".into(), b"debug = true\n".to_vec()),
            ("certs/registry/ca.pem".into(), b"ca".to_vec()),
            ("certs/registry/odd.der".into(), vec![0xff, 0]),
        ]);
    });
    let platforms = json!({"buildx.docker.com/platform": "linux/arm64"});
    assert_eq!(
        made[0],
        json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "bk0-config", "annotations": platforms},
            "data": {"buildkitd.toml": "debug = true\n"}})
    );
    assert_eq!(made[1]["metadata"]["name"], "bk0-config-1");
    assert_eq!(made[1]["data"], json!({"ca.pem": "ca"}));
    assert_eq!(made[1]["binaryData"], json!({"odd.der": "/wA="}));
    let pod = &made[2]["spec"]["template"]["spec"];
    assert_eq!(
        pod["volumes"],
        json!([{"name": "config", "configMap": {"name": "bk0-config"}},
            {"name": "config-1", "configMap": {"name": "bk0-config-1"}}])
    );
    let container = &pod["containers"][0];
    assert_eq!(
        container["volumeMounts"],
        json!([{"name": "config", "mountPath": "/etc/buildkit"},
            {"name": "config-1", "mountPath": "/etc/buildkit/certs/registry"},
            {"name": "buildkitd", "mountPath": "/home/user/.local/share/buildkit"}])
    );
    assert_eq!(
        container["args"],
        json!([
            "--debug",
            "--oci-worker-no-process-sandbox",
            "--config=/etc/buildkit/buildkitd.toml"
        ])
    );
}
