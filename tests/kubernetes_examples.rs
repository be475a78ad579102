//! Checks the manifests in `examples/kubernetes` with the types of the Kubernetes API: each object
//! is parsed and printed again, and must be unchanged. A field that the API does not have would be
//! lost.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};
use serde_json::Value;

const FOLDER: &str = "examples/kubernetes";

fn objects(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(Path::new(FOLDER).join(file)).expect("the manifest is there");
    let documents = serde_yaml_ng::Deserializer::from_str(&text);
    let object = |document| Value::deserialize(document).expect("it is YAML");
    documents.map(object).collect()
}

fn manifests() -> Vec<(String, Value)> {
    let files = fs::read_dir(FOLDER).expect("the folder is there");
    let names = files.map(|file| {
        file.expect("a file")
            .file_name()
            .into_string()
            .expect("text")
    });
    let names = names.filter(|name| name.ends_with(".yaml"));
    let of_file = |name: String| {
        objects(&name)
            .into_iter()
            .map(move |one| (name.clone(), one))
    };
    names.flat_map(of_file).collect()
}

/// The difference after a round trip through the API's type.
fn lost(object: &Value) -> Result<(), String> {
    match object["kind"].as_str().unwrap_or_default() {
        "ConfigMap" => same::<ConfigMap>(object),
        "Job" => same::<Job>(object),
        "NetworkPolicy" => same::<NetworkPolicy>(object),
        "Role" => same::<Role>(object),
        "RoleBinding" => same::<RoleBinding>(object),
        "Service" => same::<Service>(object),
        "ServiceAccount" => same::<ServiceAccount>(object),
        "StatefulSet" => same::<StatefulSet>(object),
        other => Err(format!("no type is known for {other:?}")),
    }
}

fn same<T: DeserializeOwned + Serialize>(object: &Value) -> Result<(), String> {
    let typed: T = serde_json::from_value(object.clone()).map_err(|error| error.to_string())?;
    let again = serde_json::to_value(typed).map_err(|error| error.to_string())?;
    differences("", object, &again)
}

/// The first path whose value was lost or changed. Fields that the type adds are empty.
fn differences(path: &str, written: &Value, again: &Value) -> Result<(), String> {
    match (written, again) {
        (Value::Object(written), Value::Object(again)) => {
            let fields = written.iter();
            let mut found = fields.map(|(name, value)| {
                let path = format!("{path}.{name}");
                differences(&path, value, again.get(name).unwrap_or(&Value::Null))
            });
            found.find(Result::is_err).unwrap_or(Ok(()))
        }
        (Value::Array(written), Value::Array(again)) if written.len() == again.len() => {
            let both = written.iter().zip(again).enumerate();
            let mut found =
                both.map(|(at, (one, other))| differences(&format!("{path}[{at}]"), one, other));
            found.find(Result::is_err).unwrap_or(Ok(()))
        }
        _ if written == again => Ok(()),
        _ => Err(format!("{path}: {written} is {again} to the API")),
    }
}

#[test]
fn every_field_is_one_of_the_api() {
    let manifests = manifests();
    assert!(manifests.len() >= 10, "{}", manifests.len());
    for (file, object) in manifests {
        let name = &object["metadata"]["name"];
        lost(&object).unwrap_or_else(|reason| panic!("{file}, {name}: {reason}"));
    }
}

#[test]
fn a_field_that_the_api_does_not_know_is_noticed() {
    let mut objects = objects("pool.yaml");
    let set = objects
        .iter_mut()
        .find(|one| one["kind"] == "StatefulSet")
        .expect("one");
    let container = &mut set["spec"]["template"]["spec"]["containers"][0];
    container["volumeMount"] = container["volumeMounts"].take();
    let reason = lost(set).expect_err("it is no field");
    assert!(reason.contains("containers[0].volumeMount"), "{reason}");
    assert!(lost(&serde_json::json!({"kind": "Jbo"})).is_err());
}

/// The pod template of a workload or Job.
fn template(object: &Value) -> Option<&Value> {
    let template = &object["spec"]["template"];
    template.is_object().then_some(template)
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

#[test]
fn what_a_manifest_refers_to_is_there() {
    let manifests = manifests();
    let readme = fs::read_to_string(Path::new(FOLDER).join("README.md")).expect("it is there");
    for (file, object) in &manifests {
        let Some(template) = template(object) else {
            continue;
        };
        let pod = &template["spec"];
        let volumes: BTreeMap<&str, &Value> = list(pod, "volumes")
            .chain(list(&object["spec"], "volumeClaimTemplates").map(|claim| &claim["metadata"]))
            .map(|volume| (volume["name"].as_str().expect("a name"), volume))
            .collect();
        let containers = list(pod, "containers").chain(list(pod, "initContainers"));
        for mount in containers.flat_map(|container| list(container, "volumeMounts")) {
            let name = mount["name"].as_str().expect("a name");
            assert!(volumes.contains_key(name), "{file}: no volume {name}");
        }
        for volume in volumes.values() {
            if let Some(secret) = volume["secret"]["secretName"].as_str() {
                assert!(
                    readme.contains(&format!(" {secret} ")),
                    "{file}: how is {secret} made?"
                );
            }
            if let Some(config) = volume["configMap"]["name"].as_str() {
                let is_it =
                    |one: &Value| one["kind"] == "ConfigMap" && one["metadata"]["name"] == config;
                let of_file = manifests.iter().filter(|(other, _)| other == file);
                assert!(
                    of_file.into_iter().any(|(_, one)| is_it(one)),
                    "{file}: no {config}"
                );
            }
        }
    }
}

#[test]
fn the_readme_has_every_option() {
    let readme = fs::read_to_string(Path::new(FOLDER).join("README.md")).expect("it is there");
    for option in solvekit::builder::Driver::Kubernetes.options() {
        assert!(readme.contains(&format!("`{option}`")), "{option}");
    }
}

#[test]
fn pods_are_found_by_their_labels() {
    let pool = objects("pool.yaml");
    let of_kind = |kind: &str| pool.iter().find(|one| one["kind"] == kind).expect("one");
    let (set, service) = (of_kind("StatefulSet"), of_kind("Service"));
    let labels = &set["spec"]["template"]["metadata"]["labels"];
    assert_eq!(&service["spec"]["selector"], labels);
    assert_eq!(&set["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(set["spec"]["serviceName"], service["metadata"]["name"]);
    let policy = &of_kind("NetworkPolicy")["spec"];
    assert_eq!(&policy["podSelector"]["matchLabels"], labels);
    let may_build = &policy["ingress"][0]["from"][0]["podSelector"]["matchLabels"];
    let jobs = objects("pool-job.yaml");
    let job = jobs.iter().find_map(template).expect("a Job");
    assert_eq!(&job["metadata"]["labels"], may_build);
}
