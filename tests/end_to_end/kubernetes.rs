//! Builders with the kubernetes driver, in a fake cluster whose pods lead to the real BuildKit.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Deserialize as _;
use serde_json::Value;

use crate::support::{
    BuilderHome, Certificates, Cluster, Engine, Finished, Pushed, Relay, Running, copy_of,
    folder_of, solvekit, unique,
};

/// The pods of the connections, in order.
fn pods(cluster: &Cluster) -> Vec<String> {
    let calls = cluster.calls();
    let of_call = |call: &String| {
        let (_, rest) = call.split_once(" exec ")?;
        let pod = rest.split_whitespace().find(|word| !word.starts_with('-'));
        pod.map(str::to_owned)
    };
    calls.iter().filter_map(of_call).collect()
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

#[test]
fn pods_are_made_used_stopped_and_removed() {
    let cluster = Cluster::new();
    cluster.set("pending", "4");
    cluster.set(
        "pod",
        r#"{"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"ContainerCreating"}}}]}"#,
    );
    let made = cluster
        .run(&[
            "create",
            "--use",
            "--bootstrap",
            "--name",
            "pool",
            "--driver",
            "kubernetes",
            "--driver-opt",
            "replicas=3,namespace=ci",
        ])
        .succeeded();
    assert_eq!(made.stdout, "pool\n");
    has(
        &made.stderr,
        &[
            "booting buildkit",
            "creating Deployment pool0",
            "waiting for 3 pods to be ready, timeout: 120s",
            "pool0-1 is Pending: ContainerCreating",
        ],
    );
    let args =
        &cluster.object("Deployment.pool0")["spec"]["template"]["spec"]["containers"][0]["args"];
    assert_eq!(args[0], "--allow-insecure-entitlement=network.host");

    has(
        &cluster.run(&["ls"]).succeeded().stdout,
        &["pool*", "kubernetes", "pool0", "running"],
    );
    let inspected = cluster.run(&["inspect"]).succeeded().stdout;
    has(
        &inspected,
        &[
            "kubernetes:///pool?deployment=",
            "replicas=\"3\"",
            "running",
            "pool0-2:",
            "ready",
            "linux/amd64",
        ],
    );

    let before = pods(&cluster).len();
    let context = copy_of(Path::new("examples/hello"));
    let path = context.path().to_str().expect("text");
    let build = ["build", "--progress=plain", "-o", "type=cacheonly", path];
    has(
        &cluster.run(&build).succeeded().stderr,
        &["building with \"pool\" instance using kubernetes driver"],
    );
    cluster.run(&build).succeeded();
    let used = &pods(&cluster)[before..];
    assert!(
        used.len() >= 2 && used.iter().all(|pod| *pod == used[0]),
        "{used:?}"
    );
    assert!(cluster.relay.carried() > 0);
    let calls = cluster.calls();
    assert!(
        calls.iter().all(|call| call.contains("--namespace=ci")),
        "{calls:?}"
    );

    cluster.run(&["stop"]).succeeded();
    assert!(cluster.names().is_empty(), "{:?}", cluster.names());
    has(&cluster.run(&["ls"]).succeeded().stdout, &["inactive"]);
    has(
        &cluster.run(&build).succeeded().stderr,
        &["creating Deployment pool0"],
    );
    cluster.run(&["rm", "pool"]).succeeded();
    assert!(cluster.names().is_empty(), "{:?}", cluster.names());
}

#[test]
fn nodes_of_two_kinds_build_their_platforms() {
    let cluster = Cluster::new();
    for (arch, more) in [("amd64", None), ("arm64", Some("--append"))] {
        let (platform, nodes) = (
            format!("linux/{arch}"),
            format!("nodeselector=kubernetes.io/arch={arch}"),
        );
        let create = [
            "create",
            "--name",
            "both",
            "--driver",
            "kubernetes",
            "--platform",
            &platform,
            "--driver-opt",
            &nodes,
        ];
        cluster
            .run(&create.into_iter().chain(more).collect::<Vec<_>>())
            .succeeded();
    }
    let context = copy_of(Path::new("examples/hello"));
    // Both pods lead to the same daemon here. Nothing is pushed, because both would store the same
    // name in it at once.
    let platforms = "linux/amd64,linux/arm64";
    let mut build = cluster.solvekit(&[
        "--builder",
        "both",
        "build",
        "--progress=plain",
        "--platform",
        platforms,
        "-o",
        "type=cacheonly",
    ]);
    let built = Finished::of(build.arg(context.path())).succeeded();
    has(&built.stderr, &["linux/amd64 on both0", "on both1"]);
    let pods = pods(&cluster);
    has(&pods.join(" "), &["both0-0", "both1-0"]);
    let node = &cluster.object("Deployment.both1")["spec"]["template"];
    assert_eq!(node["spec"]["nodeSelector"]["kubernetes.io/arch"], "arm64");
    assert_eq!(
        node["metadata"]["annotations"]["buildx.docker.com/platform"],
        "linux/arm64"
    );
}

#[test]
fn an_interrupted_start_names_what_is_left() {
    let cluster = Cluster::new();
    cluster.set("pending", "1000");
    cluster.set("pod", r#"{"phase":"Pending"}"#);
    let interrupted = |arguments: &[&str]| {
        let mut starting = Running::start(&mut cluster.solvekit(arguments));
        starting.until("waiting for 1 pod to be ready");
        starting.interrupt();
        starting.wait().failed_with(
            130,
            &[
                "the builder slow exists, and the Deployment slow0 (namespace ci) remains",
                "solvekit inspect --bootstrap slow starts it again",
                "solvekit rm slow removes it",
            ],
        );
    };
    interrupted(&create_of("slow", "namespace=ci"));
    assert_eq!(cluster.names(), ["Deployment.slow0"]);
    interrupted(&["inspect", "--bootstrap", "slow"]);
    cluster.run(&["rm", "slow"]).succeeded();
    assert!(cluster.names().is_empty(), "{:?}", cluster.names());
}

#[test]
fn nodes_that_start_at_once_have_numbers_of_their_own() {
    let cluster = Cluster::new();
    cluster.set("pending", "4");
    cluster.set("pod", r#"{"phase":"Pending"}"#);
    let create = ["create", "--name", "both", "--driver", "kubernetes"];
    cluster.run(&create).succeeded();
    let append: Vec<&str> = create.into_iter().chain(["--append"]).collect();
    cluster.run(&append).succeeded();
    let asked = cluster.run(&["--builder", "both", "du"]).succeeded();
    let number_of = |text: &str| {
        let mut lines = asked.stderr.lines();
        let line = lines.find_map(|line| line.strip_suffix(text)).expect(text);
        line.trim_end().to_owned()
    };
    let (first, second) = (
        number_of("creating Deployment both0"),
        number_of("creating Deployment both1"),
    );
    assert!(
        [&*first, &*second] == ["#1", "#2"] || [&*first, &*second] == ["#2", "#1"],
        "{}",
        asked.stderr
    );
    for number in [first, second] {
        has(
            &asked.stderr,
            &[
                &format!("{number} [internal] booting buildkit"),
                &format!("{number} waiting for 1 pod"),
                &format!("{number} DONE"),
            ],
        );
    }
}

#[test]
fn a_random_pod_is_another_one_now_and_then() {
    let cluster = Cluster::new();
    let options = "replicas=3,loadbalance=random";
    let create = [
        "create",
        "--bootstrap",
        "--name",
        "any",
        "--driver",
        "kubernetes",
    ];
    let create = create.iter().copied().chain(["--driver-opt", options]);
    cluster.run(&create.collect::<Vec<_>>()).succeeded();
    for _ in 0..20 {
        cluster.run(&["--builder", "any", "workers"]).succeeded();
    }
    let mut used = pods(&cluster);
    used.sort();
    used.dedup();
    assert!(used.len() > 1, "{used:?}");
}

#[test]
fn a_state_on_volumes_outlives_the_pods() {
    let cluster = Cluster::new();
    let config = cluster.home().path("buildkitd.toml");
    fs::write(&config, "debug = true\n").expect("it can be written");
    let create = [
        "create",
        "--use",
        "--bootstrap",
        "--name",
        "kept",
        "--driver",
        "kubernetes",
        "--driver-opt",
        "persistent-volume-claim.requests.storage=10Gi,replicas=2",
        "--config",
        config.to_str().expect("text"),
    ];
    let all = [
        "ConfigMap.kept0-config",
        "StatefulSet.kept0",
        "buildkitd-kept0-0",
        "buildkitd-kept0-1",
    ];
    cluster.run(&create).succeeded();
    assert_eq!(cluster.names(), all);
    let data = cluster.object("ConfigMap.kept0-config")["data"].clone();
    has(
        data["buildkitd.toml"].as_str().expect("text"),
        &["debug = true"],
    );
    cluster.run(&["rm", "--keep-state", "kept"]).succeeded();
    assert_eq!(cluster.names(), all[2..]);
    cluster.run(&create).succeeded();
    cluster.run(&["stop"]).succeeded();
    assert_eq!(cluster.names(), [all[0], all[2], all[3]]);
    // A leftover ConfigMap is replaced.
    cluster.run(&["inspect", "--bootstrap"]).succeeded();
    cluster.run(&["rm", "kept"]).succeeded();
    assert!(cluster.names().is_empty(), "{:?}", cluster.names());
}

#[test]
fn pods_that_do_not_get_ready_are_explained() {
    let cluster = Cluster::new();
    cluster.set("pending", "1000");
    cluster.set(
        "pod",
        r#"{"phase":"Pending","containerStatuses":[{"name":"buildkitd","state":{"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling image \"nowhere/buildkit\""}}}]}"#,
    );
    cluster.set(
        "events",
        r#"{"items":[{"type":"Normal","reason":"Scheduled","message":"assigned"},{"type":"Warning","reason":"Failed","message":"no such host"}]}"#,
    );
    cluster
        .run(&[
            "create",
            "--bootstrap",
            "--name",
            "stuck",
            "--driver",
            "kubernetes",
            "--driver-opt",
            "image=nowhere/buildkit,timeout=1s",
        ])
        .failed_with(
            1,
            &[
                "Deployment stuck0 are not ready: 0 of 1 after 1s",
                "stuck0-0 is Pending: ImagePullBackOff",
                "Failed (no such host)",
                "--driver-opt image=",
            ],
        );
    // It exists anyway, and reports why it does not run.
    let inspected = cluster.run(&["inspect", "stuck"]).succeeded().stdout;
    has(&inspected, &["stopped", "ImagePullBackOff"]);
}

#[test]
fn refusals_of_a_cluster_are_reported_with_what_is_needed() {
    let cluster = Cluster::new();
    cluster.set(
        "refusal",
        "Error from server (Forbidden): deployments.apps \"far0\" is forbidden: User \"ci\" cannot \
         get resource \"deployments\" in API group \"apps\" in the namespace \"default\"\n",
    );
    let made = cluster
        .run(&["create", "--name", "far", "--driver", "kubernetes"])
        .succeeded();
    has(&made.stderr, &["WARNING", "is forbidden"]);
    cluster.run(&["--builder", "far", "workers"]).failed_with(
        1,
        &[
            "cannot list the pods",
            "User \"ci\" cannot get",
            "pods/exec",
            "role.yaml",
        ],
    );
    cluster
        .run(&["rm", "far"])
        .failed_with(1, &["is forgotten", "is forbidden"]);
}

#[test]
fn a_missing_kubectl_is_reported_at_once() {
    let home = BuilderHome::new();
    let mut command = home.solvekit(&["create", "--driver", "kubernetes"]);
    command.env("PATH", home.path("nothing"));
    Finished::of(&mut command).failed_with(1, &["kubectl is not on PATH", "kubectl get pods"]);
}

#[test]
fn wrong_options_are_reported_with_their_form() {
    let cluster = Cluster::new();
    for (option, parts) in [
        ("replica=2", &["did you mean replicas?", "nodeselector"][..]),
        ("requests.cpu=abc", &["requests.cpu", "abc", "500m"]),
        ("tolerations=key", &["tolerations", "operator=Exists|Equal"]),
        ("nodeselector=a=b,c=d", &["\"c\"", "nodeselector=a=b,c=d"]),
        ("loadbalance=even", &["sticky or random"]),
    ] {
        cluster
            .run(&["create", "--driver", "kubernetes", "--driver-opt", option])
            .failed_with(1, parts);
    }
    cluster
        .run(&["create", "--driver", "kubernetes", "tcp://host:1"])
        .failed_with(1, &["no endpoint", "KUBECONFIG"]);
    assert!(cluster.calls().is_empty(), "{:?}", cluster.calls());
}

#[test]
fn a_bootstrap_follows_the_pods_with_one_kubectl() {
    let cluster = Cluster::new();
    cluster.set("pending", "5");
    cluster.set("pod", r#"{"phase":"Pending"}"#);
    let create = ["create", "--name", "few", "--driver", "kubernetes"];
    cluster.run(&create).succeeded();
    let before = cluster.calls().len();
    let asked = cluster.run(&["--builder", "few", "workers"]).succeeded();
    has(&asked.stderr, &["waiting for 1 pod to be ready"]);
    let calls = cluster.calls().split_off(before);
    let runs = |word: &str| calls.iter().filter(|call| call.contains(word)).count();
    assert_eq!((runs("--watch"), runs(" create ")), (1, 1), "{calls:?}");
    assert_eq!(calls.len(), 5, "{calls:?}");
}

#[test]
fn pods_are_asked_for_where_they_may_not_be_watched() {
    let cluster = Cluster::new();
    cluster.set("pending", "3");
    cluster.set("pod", r#"{"phase":"Pending"}"#);
    cluster.set("forbid-watch", "");
    let create = ["create", "--bootstrap", "--name", "asked"];
    let create = create.iter().copied().chain(["--driver", "kubernetes"]);
    cluster.run(&create.collect::<Vec<_>>()).succeeded();
}

/// The messages of Kubernetes' controllers about rejected pods: for a Deployment in a condition,
/// for a StatefulSet only in an event.
const OF_BASELINE: &str = r#"violates PodSecurity \"baseline:latest\": privileged (container \"buildkitd\" must not set securityContext.privileged=true)"#;
const OF_QUOTA: &str = "exceeded quota: small, requested: requests.cpu=2, used: requests.cpu=0, \
                        limited: requests.cpu=1";

/// The status of a Deployment whose pods are rejected.
fn refused(reason: &str) -> String {
    format!(
        r#"{{"conditions":[{{"type":"Progressing","status":"True","reason":"NewReplicaSetCreated"}},
        {{"type":"Available","status":"False","reason":"MinimumReplicasUnavailable"}},
        {{"type":"ReplicaFailure","status":"True","reason":"FailedCreate",
        "message":"pods \"b0-7d4f9c5b6-\" is forbidden: {reason}"}}],"unavailableReplicas":1}}"#
    )
}

fn create_of<'a>(name: &'a str, options: &'a str) -> [&'a str; 8] {
    let [create, bootstrap, flag] = ["create", "--bootstrap", "--name"];
    [
        create,
        bootstrap,
        flag,
        name,
        "--driver",
        "kubernetes",
        "--driver-opt",
        options,
    ]
}

#[test]
fn pods_that_the_namespace_refuses_are_reported_with_the_label_that_allows_them() {
    let cluster = Cluster::new();
    cluster.set("refused", &refused(OF_BASELINE));
    let label = "kubectl label --overwrite namespace ci \
                 pod-security.kubernetes.io/enforce=privileged";
    for (name, options) in [
        ("one", "namespace=ci"),
        ("two", "namespace=ci,rootless=true"),
    ] {
        cluster
            .run(&create_of(name, options))
            .failed_with(1, &["0 of 1 after", "violates PodSecurity", label]);
    }
    // A StatefulSet has no such condition; its own event has the reason.
    cluster.set("refused", r#"{"replicas":0,"collisionCount":0}"#);
    cluster.set(
        "events.three0",
        &format!(
            r#"{{"items":[{{"type":"Normal","reason":"SuccessfulCreate","message":"create Claim"}},
            {{"type":"Warning","reason":"FailedCreate","message":"create Pod three0-0 in StatefulSet three0 failed error: pods \"three0-0\" is forbidden: {OF_BASELINE}"}}]}}"#
        ),
    );
    let options = "namespace=ci,persistent-volume-claim.requests.storage=1Gi";
    cluster
        .run(&create_of("three", options))
        .failed_with(1, &["create Pod three0-0 in StatefulSet", label]);
}

#[test]
fn a_quota_without_room_is_reported() {
    let cluster = Cluster::new();
    cluster.set("refused", &refused(OF_QUOTA));
    cluster
        .run(&create_of("big", "namespace=ci,requests.cpu=2,timeout=4s"))
        .failed_with(
            1,
            &[
                "exceeded quota: small",
                "kubectl --namespace=ci describe quota",
            ],
        );
}

#[test]
fn a_cluster_without_volumes_is_reported() {
    let cluster = Cluster::new();
    cluster.set("pending", "1000");
    cluster.set(
        "pod",
        r#"{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."}]}"#,
    );
    cluster.set(
        "events.buildkitd-kept0-0",
        r#"{"items":[{"type":"Normal","reason":"FailedBinding","message":"no persistent volumes available for this claim and no storage class is set"}]}"#,
    );
    let options = "persistent-volume-claim.requests.storage=1Gi,timeout=2s";
    cluster.run(&create_of("kept", options)).failed_with(
        1,
        &[
            "no storage class is set",
            "kubectl get storageclass",
            "kubectl --namespace=space describe persistentvolumeclaim buildkitd-kept0-0",
        ],
    );
}

#[test]
fn a_service_account_that_is_missing_is_reported() {
    let cluster = Cluster::new();
    let missing =
        r#"error looking up service account ci/runner: serviceaccount \"runner\" not found"#;
    cluster.set("refused", &refused(missing));
    cluster
        .run(&create_of(
            "one",
            "namespace=ci,serviceaccount=runner,timeout=4s",
        ))
        .failed_with(
            1,
            &[
                "serviceaccount \"runner\" not found",
                "kubectl --namespace=ci create serviceaccount runner",
            ],
        );
}

/// The status of a pod whose container has ended again, in Kubernetes 1.36.
fn crashing(reason: &str) -> String {
    format!(
        r#"{{"phase":"Running","conditions":[{{"type":"PodScheduled","status":"True"}},
        {{"type":"Ready","status":"False","reason":"ContainersNotReady"}}],
        "containerStatuses":[{{"name":"buildkitd","ready":false,"restartCount":2,"state":{{"waiting":
        {{"reason":"CrashLoopBackOff","message":"back-off 20s restarting failed container"}}}},
        "lastState":{{"terminated":{{"exitCode":137,"reason":"{reason}"}}}}}}]}}"#
    )
}

#[test]
fn a_daemon_that_ends_again_and_again_is_not_explained_by_old_events() {
    let cluster = Cluster::new();
    cluster.set("pending", "1000");
    cluster.set("pod", &crashing("Error").replace('\n', ""));
    // The pod had to wait for its volume at first.
    cluster.set(
        "events",
        r#"{"items":[{"type":"Warning","reason":"FailedScheduling","message":"0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"}]}"#,
    );
    let options = "persistent-volume-claim.requests.storage=1Gi,rootless=true,timeout=2s";
    let made = cluster.run(&create_of("kept", options));
    assert!(!made.stderr.contains("unbound"), "{}", made.stderr);
    made.failed_with(
        1,
        &["buildkitd ended with 137 (Error", "logs kept0-0 --previous"],
    );
    cluster.set("pod", &crashing("OOMKilled").replace('\n', ""));
    cluster
        .run(&create_of("small", "limits.memory=20Mi,timeout=2s"))
        .failed_with(
            1,
            &["OOMKilled", "more than 20Mi of memory", "limits.memory="],
        );
}

#[test]
fn a_build_moves_on_when_its_pod_is_deleted() {
    let cluster = Cluster::new();
    cluster.run(&create_of("pool", "replicas=2")).succeeded();
    let word = unique();
    let dockerfile = format!(
        "FROM alpine\nRUN --network=none echo {word}-$((0+1))\n\
         RUN --network=none echo {word}-$((1+1)); sleep 20\n"
    );
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let mut build = cluster.solvekit(&["--builder", "pool", "build", "--progress=plain"]);
    let mut build = Running::start(build.args(["-o", "type=cacheonly"]).arg(context.path()));
    build.until(&format!("{word}-2"));
    let pod = pods(&cluster).pop().expect("a pod");
    cluster.set(&format!("deleted.{pod}"), "");
    let built = build.wait().succeeded();
    let other = if pod == "pool0-0" {
        "pool0-1"
    } else {
        "pool0-0"
    };
    has(
        &built.stderr,
        &[
            &format!("the pod {pod} is being deleted: the build moves on"),
            &format!("building again from its cache at the pod {other}"),
        ],
    );
    assert_eq!(built.stderr.matches(&format!("{word}-1\n")).count(), 1);
}

#[test]
fn a_pod_that_is_lost_is_named() {
    let cluster = Cluster::new();
    cluster.run(&create_of("lost", "namespace=ci")).succeeded();
    let word = unique();
    let dockerfile = format!("FROM alpine\nRUN --network=none echo {word}-$((0+1)); sleep 30\n");
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let mut build = cluster.solvekit(&["--builder", "lost", "build", "--progress=plain"]);
    let build = build.args(["--reconnect", "0", "-o", "type=cacheonly"]);
    let mut build = Running::start(build.arg(context.path()));
    build.until(&format!("{word}-1"));
    cluster.relay.cut();
    build.wait().failed_with(
        1,
        &[
            "the pod lost0-0 was lost",
            "kubectl --namespace=ci get pods",
        ],
    );
}

/// The status of a pod whose container took too much memory and was started again, in Kubernetes
/// 1.36.
const STARTED_AGAIN: &str = r#"{"phase":"Running","conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"buildkitd","ready":true,"restartCount":1,"state":{"running":{"startedAt":"2030-01-01T00:00:01Z"}},"lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}]}"#;

/// Starts a build that lasts some seconds, and loses its connection after `before`.
fn lost_during_a_build(
    cluster: &Cluster,
    builder: &str,
    flags: &[&str],
    before: impl Fn(),
) -> Finished {
    let word = unique();
    let dockerfile = format!("FROM alpine\nRUN --network=none echo {word}-$((0+1)); sleep 5\n");
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let mut build = cluster.solvekit(&["--builder", builder, "build", "--progress=plain"]);
    build.args(flags).args(["-o", "type=cacheonly"]);
    let mut build = Running::start(build.arg(context.path()));
    build.until(&format!("{word}-1"));
    before();
    cluster.relay.hang_up();
    build.wait()
}

#[test]
fn a_pod_that_took_too_much_memory_is_lost_for_that_reason() {
    let cluster = Cluster::new();
    let options = "namespace=ci,limits.memory=200Mi";
    cluster.run(&create_of("small", options)).succeeded();
    let end = || cluster.set("status.small0-0", STARTED_AGAIN);
    lost_during_a_build(&cluster, "small", &["--reconnect", "0"], end).failed_with(
        1,
        &[
            "the pod small0-0 was lost: it took more memory than its limit of 200Mi (OOMKilled)",
            "limits.memory=… and requests.memory=…",
        ],
    );
    // A build that goes on in the same pod says so too.
    fs::remove_file(cluster.path("status.small0-0")).expect("it was written");
    let built = lost_during_a_build(&cluster, "small", &[], end).succeeded();
    has(
        &built.stderr,
        &[
            "building again from its cache",
            "the pod small0-0 was lost: it took more memory than its limit of 200Mi",
        ],
    );
}

const KUBECONFIG_OF_PROD: &str = r#"{"kind":"Config","current-context":"prod","contexts":[{"name":"prod","context":{"cluster":"c","user":"u"}}],"clusters":[{"name":"c","cluster":{"server":"https://10.0.0.1:6443"}}]}"#;

#[test]
fn a_cluster_that_does_not_answer_is_no_lost_pod() {
    let cluster = Cluster::new();
    cluster.run(&create_of("far", "namespace=ci")).succeeded();
    cluster.set("config", KUBECONFIG_OF_PROD);
    let refused = "Unable to connect to the server: dial tcp 10.0.0.1:6443: connect: no route to \
                   host\n";
    let server = "the API server https://10.0.0.1:6443 of the context prod does not answer";
    let away = || cluster.set("refusal", refused);
    let lost = lost_during_a_build(&cluster, "far", &["--reconnect", "0"], away);
    lost.failed_with(
        1,
        &[
            &format!("the connection to the pod far0-0 was lost: {server}"),
            "kubectl cluster-info has to work",
            "then build again",
        ],
    );
    cluster
        .run(&["--builder", "far", "workers"])
        .failed_with(1, &["cannot list the pods", server, "kubectl cluster-info"]);
}

#[test]
fn a_kubeconfig_that_is_missing_is_named() {
    let cluster = Cluster::new();
    let config = cluster.home().path("no such config");
    let mut create = cluster.solvekit(&["create", "--name", "far", "--driver", "kubernetes"]);
    create.env("KUBECONFIG", &config);
    Finished::of(&mut create).succeeded();
    let refused = "The connection to the server localhost:8080 was refused - did you specify the \
                   right host or port?\n";
    cluster.set("refusal", refused);
    cluster.run(&["--builder", "far", "workers"]).failed_with(
        1,
        &["kubeconfig of the builder is missing", "no such config"],
    );
}

#[test]
fn registries_of_the_builder_s_configuration_are_reached_as_it_says() {
    let cluster = Cluster::new();
    // Another name for this machine, which is not allowed to use plain HTTP by default.
    let image = Engine::get().name("plain");
    let tag = format!("{image}:latest");
    let context = copy_of(Path::new("examples/hello"));
    Finished::of(solvekit(["build", "--push", "-t", &tag]).arg(context.path())).succeeded();
    let (registry, name) = tag.split_once('/').expect("a registry");
    let port = registry.rsplit(':').next().expect("a port");
    let there = format!("0.0.0.0:{port}");
    let config = cluster.home().path("buildkitd.toml");
    let text = format!("[registry.\"{there}\"]\n  http = true\n");
    fs::write(&config, text).expect("it can be written");
    let mut create = cluster.solvekit(&["create", "--name", "plain", "--driver", "kubernetes"]);
    Finished::of(create.arg("--config").arg(&config)).succeeded();
    let inspect = ["imagetools", "inspect", &format!("{there}/{name}")];
    cluster
        .run(&inspect)
        .failed_with(1, &[&format!("--insecure-registry {there}")]);
    let of_builder: Vec<&str> = ["--builder", "plain"].into_iter().chain(inspect).collect();
    has(&cluster.run(&of_builder).succeeded().stdout, &["Digest:"]);
}

/// The configuration of a nonexistent cluster, which buildx reads when it creates a builder.
const KUBECONFIG: &str = r#"{"apiVersion":"v1","kind":"Config","current-context":"c",
"contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],"users":[{"name":"u","user":{}}],
"clusters":[{"name":"c","cluster":{"server":"http://127.0.0.1:1"}}]}"#;

#[test]
fn builders_are_shared_with_buildx() {
    let cluster = Cluster::new();
    let config = cluster.home().path("kube config");
    fs::write(&config, KUBECONFIG).expect("it can be written");
    let mut create = cluster.solvekit(&[
        "create",
        "--name",
        "ours",
        "--driver",
        "kubernetes",
        "--driver-opt",
        "rootless=true",
    ]);
    Finished::of(create.env("KUBECONFIG", &config)).succeeded();
    let theirs = cluster.home().buildx(&["inspect", "ours"]).stdout;
    has(
        &theirs,
        &[
            "kubernetes:///ours?deployment=",
            "kube+config",
            "rootless=\"true\"",
            "inactive",
        ],
    );

    let mut create = crate::support::buildx([
        "create",
        "--name",
        "theirs",
        "--driver",
        "kubernetes",
        "--driver-opt",
        "replicas=2",
    ]);
    create
        .env("DOCKER_CONFIG", cluster.home().path(""))
        .env("KUBECONFIG", &config);
    create
        .env_remove("BUILDX_CONFIG")
        .env_remove("BUILDX_BUILDER");
    Finished::of(&mut create).succeeded();
    let listed = cluster
        .run(&["inspect", "--bootstrap", "theirs"])
        .succeeded()
        .stdout;
    has(&listed, &["theirs0-1:", "running"]);
    let calls = cluster.calls();
    let with_config = |call: &String| call.starts_with(config.to_str().expect("text"));
    assert!(calls.iter().all(with_config), "{calls:?}");
}

const EXAMPLES: &str = "examples/kubernetes";

/// The certificates from the example's script: the folder, and the server's for a relay.
fn certificates() -> (tempfile::TempDir, Certificates) {
    let made = tempfile::tempdir().expect("a temporary folder");
    let mut script = Command::new("sh");
    script.arg(Path::new(EXAMPLES).join("certificates.sh"));
    Finished::of(script.arg(made.path())).succeeded();
    let server = tempfile::tempdir().expect("a temporary folder");
    for (from, to) in [
        ("ca.pem", "ca.pem"),
        ("server/cert.pem", "server.pem"),
        ("server/key.pem", "server.key"),
    ] {
        fs::copy(made.path().join(from), server.path().join(to)).expect("it was made");
    }
    (made, Certificates::of(server))
}

/// An object of an example.
fn object(file: &str, kind: &str) -> Value {
    let text = fs::read_to_string(Path::new(EXAMPLES).join(file)).expect("it is there");
    let documents = serde_yaml_ng::Deserializer::from_str(&text);
    let mut objects = documents.map(|one| Value::deserialize(one).expect("it is YAML"));
    objects.find(|one| one["kind"] == kind).expect("one")
}

/// A file of the ConfigMap in an example.
fn file_of(file: &str, name: &str) -> String {
    let config = object(file, "ConfigMap");
    config["data"][name].as_str().expect("a file").to_owned()
}

#[test]
fn the_example_s_sidecar_builds() {
    let relay = Relay::unix();
    let source = folder_of(&[("Dockerfile", &file_of("sidecar-job.yaml", "Dockerfile"))]);
    let job = object("sidecar-job.yaml", "Job");
    let arguments = job["spec"]["template"]["spec"]["containers"][0]["args"].as_array();
    let image = format!("{}:latest", Engine::get().name("sidecar"));
    let here = |argument: &Value| {
        let text = argument.as_str().expect("text");
        let text = text.replace("registry.example.com/demo/hello:latest", &image);
        text.replace("/source", source.path().to_str().expect("text"))
    };
    let arguments: Vec<String> = arguments.expect("arguments").iter().map(here).collect();
    let mut build = solvekit(&arguments);
    Finished::of(build.env("BUILDKIT_HOST", relay.address())).succeeded();
    let platforms = Pushed::fetch(&image).platforms();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
}

#[test]
fn the_example_s_job_builds_in_the_example_s_pool() {
    let (made, server) = certificates();
    let pool = [Relay::tls(&server), Relay::tls(&server)];
    let context = tempfile::tempdir().expect("a temporary folder");
    let source = context.path().join("source");
    fs::create_dir(&source).expect("a folder");
    fs::write(
        source.join("Dockerfile"),
        file_of("pool-job.yaml", "Dockerfile"),
    )
    .expect("it can be written");
    let mut script = file_of("pool-job.yaml", "build.sh");
    for (there, here) in [
        (
            "/certificates",
            made.path().join("client").to_str().expect("text"),
        ),
        ("tcp://buildkitd-0.buildkitd:1234", pool[0].address()),
        ("tcp://buildkitd-1.buildkitd:1234", pool[1].address()),
        ("/source", source.to_str().expect("text")),
        ("solvekit ", &format!("{} ", env!("CARGO_BIN_EXE_solvekit"))),
    ] {
        assert!(script.contains(there), "{there} is not in the script");
        script = script.replace(there, here);
    }
    let image = Engine::get().name("pool");
    let home = BuilderHome::new();
    let of_home = home.solvekit(&[]);
    let mut job = Command::new("sh");
    job.args(["-c", &script]);
    job.envs(
        of_home
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    for name in ["BUILDKIT_HOST", "BUILDX_BUILDER", "BUILDX_CONFIG"] {
        job.env_remove(name);
    }
    job.env("IMAGE", format!("{image}:latest"))
        .env("PLATFORMS", "linux/amd64,linux/arm64");
    Finished::of(&mut job).succeeded();
    assert!(pool.iter().any(|relay| relay.carried() > 0));
    let pushed = Pushed::fetch(&format!("{image}:latest"));
    assert_eq!(pushed.platforms(), ["linux/amd64", "linux/arm64"]);
}
