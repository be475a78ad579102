//! Builds with this client as the frontend, on the real daemon.

use std::{collections::BTreeMap, time::Duration};

use futures_util::StreamExt;
use serde_json::json;
use solvekit::{
    client::{Client, ConnectOptions, SolveRequest},
    gateway::{BuildResult, FileKind, Forward, ImageQuery, Ref, Refs, SolveOptions, Warning},
    llb::{Constraints, File, State},
    session::Session,
};
use tokio_util::sync::CancellationToken;

use super::{
    build::{Build, hello, image, marshal},
    daemon,
};

#[tokio::test]
async fn a_lazy_solve_is_exported_once_it_is_returned() {
    let Some(mut build) = Build::new().await else {
        return;
    };
    build.exporters = vec![image("localhost:5000/client-test/lazy:latest")];
    let outcome = build
        .run(async |bridge| {
            let solved = bridge.solve(&marshal(&hello()), &SolveOptions::default()).await.unwrap();
            let mut result = BuildResult::one(solved);
            let config = br#"{"architecture":"amd64","os":"linux","config":{"Cmd":["/hello"]},"rootfs":{"type":"layers"}}"#;
            result.metadata.insert("containerimage.config".into(), config.to_vec());
            bridge.return_result(&result).await.unwrap();
        })
        .await;
    let response = outcome.solved.unwrap();
    assert!(
        response.exporter["containerimage.digest"].starts_with("sha256:"),
        "{response:?}"
    );
    assert!(response.exporter["containerimage.config.digest"].starts_with("sha256:"));
    let names: Vec<_> = outcome
        .updates
        .iter()
        .flat_map(|update| &update.vertexes)
        .map(|vertex| &vertex.name)
        .collect();
    assert!(names.iter().any(|name| *name == "say hello"), "{names:?}");
}

#[tokio::test]
async fn files_of_a_ref_can_be_looked_at() {
    let Some(build) = Build::new().await else {
        return;
    };
    let outcome = build
        .run(async |bridge| {
            let solved = bridge
                .solve(&marshal(&hello()), &SolveOptions::default())
                .await
                .unwrap();
            assert_eq!(
                bridge.read_file(&solved, "/hello", None).await.unwrap(),
                "hello, world\n"
            );
            assert_eq!(
                bridge
                    .read_file(&solved, "hello", Some(7..12))
                    .await
                    .unwrap(),
                "world"
            );
            let stat = bridge.stat_file(&solved, "/hello").await.unwrap();
            assert_eq!(
                (stat.kind, stat.mode, stat.size),
                (FileKind::File, 0o640, 13)
            );
            let entries = bridge.read_dir(&solved, "/", "").await.unwrap();
            assert_eq!(
                entries
                    .iter()
                    .map(|entry| entry.path.as_str())
                    .collect::<Vec<_>>(),
                ["hello"]
            );
            let missing = bridge
                .read_file(&solved, "/missing", None)
                .await
                .unwrap_err();
            assert!(
                missing.failure().unwrap().message.contains("no such file"),
                "{missing:?}"
            );
            bridge
                .return_result(&BuildResult::one(solved))
                .await
                .unwrap();
        })
        .await;
    outcome.solved.unwrap();
}

#[tokio::test]
async fn images_are_resolved_for_each_platform_and_missing_ones_are_not_found() {
    let Some(build) = Build::new().await else {
        return;
    };
    let platforms =
        ["linux/arm64", "linux/s390x"].map(|text| solvekit::oci::Platform::parse(text).unwrap());
    let outcome = build
        .run(async |bridge| {
            let query = |platform| ImageQuery {
                reference: "docker.io/library/busybox:latest",
                platform: Some(platform),
                log_name: "[internal] load metadata for busybox",
                ..ImageQuery::default()
            };
            let (arm, s390) = (query(&platforms[0]), query(&platforms[1]));
            let (arm, s390) = tokio::join!(bridge.resolve_image(&arm), bridge.resolve_image(&s390));
            let (arm, s390) = (arm.unwrap(), s390.unwrap());
            assert_eq!(arm.digest, s390.digest);
            let architecture = |config: &[u8]| {
                serde_json::from_slice::<serde_json::Value>(config).unwrap()["architecture"].clone()
            };
            assert_eq!(architecture(&arm.config), "arm64");
            assert_eq!(architecture(&s390.config), "s390x");
            assert!(
                arm.reference
                    .starts_with("docker.io/library/busybox:latest"),
                "{}",
                arm.reference
            );
            let missing = ImageQuery {
                reference: "localhost:5000/library/no-such-image:latest",
                ..ImageQuery::default()
            };
            let missing = bridge.resolve_image(&missing).await.unwrap_err();
            assert!(
                missing.failure().unwrap().message.contains("not found"),
                "{missing:?}"
            );
            bridge.return_result(&BuildResult::default()).await.unwrap();
        })
        .await;
    outcome.solved.unwrap();
}

#[tokio::test]
async fn warnings_come_back_as_progress() {
    let Some(build) = Build::new().await else {
        return;
    };
    let outcome = build
        .run(async |bridge| {
            let definition = marshal(&hello());
            let solved = bridge
                .solve(
                    &definition,
                    &SolveOptions {
                        evaluate: true,
                        ..SolveOptions::default()
                    },
                )
                .await
                .unwrap();
            let warning = Warning {
                vertex: &definition.head().unwrap().to_string(),
                level: 1,
                short: "Rule: short (line 1)",
                detail: vec!["more"],
                url: "https://example.com/rule",
                location: None,
            };
            bridge.warn(&warning).await.unwrap();
            bridge
                .return_result(&BuildResult::one(solved))
                .await
                .unwrap();
        })
        .await;
    outcome.solved.unwrap();
    let warnings: Vec<_> = outcome
        .updates
        .iter()
        .flat_map(|update| &update.warnings)
        .collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(&warnings[0].short[..], b"Rule: short (line 1)");
    assert_eq!(warnings[0].url, "https://example.com/rule");
}

#[tokio::test]
async fn a_frontend_of_the_daemon_can_be_forwarded_to_with_inputs() {
    let Some(build) = Build::new().await else {
        return;
    };
    let dockerfile = "FROM scratch\nCOPY hello /copied\nLABEL a=b\n";
    let dockerfile = State::scratch().file(
        File::new().make_file("/Dockerfile", 0o644, dockerfile),
        Constraints::new(),
    );
    let outcome = build
        .run(async |bridge| {
            let forward = Forward {
                frontend: "dockerfile.v0".into(),
                options: BTreeMap::new(),
                inputs: [
                    ("context".to_owned(), marshal(&hello())),
                    ("dockerfile".to_owned(), marshal(&dockerfile)),
                ]
                .into(),
            };
            let result = bridge
                .forward(&forward, &SolveOptions::default())
                .await
                .unwrap();
            let reference = result.refs().next().unwrap();
            assert_eq!(
                bridge.read_file(reference, "/copied", None).await.unwrap(),
                "hello, world\n"
            );
            let config: serde_json::Value =
                serde_json::from_slice(&result.metadata["containerimage.config"]).unwrap();
            assert_eq!(config["config"]["Labels"]["a"], "b");
            bridge.return_result(&result).await.unwrap();
        })
        .await;
    outcome.solved.unwrap();
}

#[tokio::test]
async fn a_definition_alone_is_solved_without_a_frontend() {
    let Some(address) = daemon() else { return };
    let client = Client::connect(&ConnectOptions::new(address))
        .await
        .unwrap();
    let session = Session::builder().build().unwrap();
    let end = CancellationToken::new();
    let request = SolveRequest {
        build_ref: format!("ref{}", session.id()),
        session_id: session.id().to_owned(),
        definition: Some(marshal(&hello())),
        ..SolveRequest::default()
    };
    let solve = async {
        let solved = client.solve(request).await;
        end.cancel();
        solved
    };
    let (served, solved) = tokio::join!(client.attach(session, end.clone()), solve);
    served.unwrap();
    solved.unwrap();
}

#[tokio::test]
async fn the_cache_is_listed() {
    let Some(address) = daemon() else { return };
    let client = Client::connect(&ConnectOptions::new(address))
        .await
        .unwrap();
    let records = client.disk_usage(&[], Duration::ZERO).await.unwrap();
    assert!(records.windows(2).all(|pair| pair[0].size <= pair[1].size));
    let none = client
        .disk_usage(&["id==no-such-record".to_owned()], Duration::ZERO)
        .await
        .unwrap();
    assert!(none.is_empty());
    // Nothing is removed, because no record has this id.
    let options = solvekit::client::PruneOptions {
        filters: vec!["id==no-such-record".into()],
        ..Default::default()
    };
    let removed: Vec<_> = client
        .prune(&options)
        .await
        .unwrap()
        .map(Result::unwrap)
        .collect()
        .await;
    assert!(removed.is_empty());
}

#[tokio::test]
async fn scratch_for_two_platforms_is_exported() {
    let Some(mut build) = Build::new().await else {
        return;
    };
    build.exporters = vec![image("localhost:5000/client-test/scratch:latest")];
    let outcome = build
        .run(async |bridge| {
            let mut result = BuildResult::default();
            let mut refs = BTreeMap::new();
            let mut platforms = Vec::new();
            for architecture in ["amd64", "arm64"] {
                let id = format!("linux/{architecture}");
                let platform = json!({"os": "linux", "architecture": architecture});
                let config = json!({"os": "linux", "architecture": architecture,
                    "rootfs": {"type": "layers"}});
                platforms.push(json!({"ID": id, "Platform": platform}));
                result.metadata.insert(
                    format!("containerimage.config/{id}"),
                    config.to_string().into(),
                );
                refs.insert(id, Ref::scratch());
            }
            result.refs = Refs::Platforms(refs);
            result.metadata.insert(
                "refs.platforms".into(),
                json!({"Platforms": platforms}).to_string().into(),
            );
            bridge.return_result(&result).await.unwrap();
        })
        .await;
    let response = outcome.solved.unwrap();
    assert!(
        response.exporter["containerimage.digest"].starts_with("sha256:"),
        "{response:?}"
    );
}
