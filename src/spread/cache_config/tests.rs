//! Merging several caches.

use super::*;

fn piece(layers: &[&str], config: Value) -> Piece {
    let mut entries: Vec<Value> = layers
        .iter()
        .map(|layer| json!({"mediaType": "layer", "digest": layer, "size": 1}))
        .collect();
    entries.push(json!({"mediaType": CONFIG, "digest": "sha256:c", "size": 1}));
    let Value::Object(manifest) =
        json!({"schemaVersion": 2, "mediaType": "index", "manifests": entries})
    else {
        panic!("an object");
    };
    Piece {
        media_type: "index".into(),
        manifest,
        config: config.to_string().into_bytes(),
    }
}

fn merged(pieces: &[Piece]) -> (Value, Value) {
    let merged = merge(pieces).unwrap();
    (
        serde_json::from_slice(&merged.manifest).unwrap(),
        serde_json::from_slice(&merged.config).unwrap(),
    )
}

#[test]
fn one_cache_has_the_layers_and_records_of_all() {
    let one = piece(
        &["base", "amd"],
        json!({
            "layers": [{"blob": "base", "parent": -1}, {"blob": "amd"}],
            "records": [
                {"digest": "run", "inputs": [[{"link": 1, "selector": "/s"}]],
                    "layers": [{"layer": 1, "createdAt": "t"}]},
                {"digest": "from", "layers": [{"createdAt": "t"}]}
            ]
        }),
    );
    let two = piece(
        &["base", "arm"],
        json!({
            "layers": [{"blob": "base", "parent": -1}, {"blob": "arm", "annotations": {"size": 4}}],
            "records": [
                {"digest": "from", "layers": [{"createdAt": "u"}]},
                {"digest": "run-arm", "inputs": [[{}]],
                    "chains": [{"layers": [0, 1], "createdAt": "u"}]}
            ]
        }),
    );
    let (manifest, config) = merged(&[one, two]);
    assert_eq!(
        config,
        json!({
            "layers": [
                {"blob": "base", "parent": -1},
                {"blob": "amd"},
                {"blob": "arm", "annotations": {"size": 4}}
            ],
            "records": [
                {"digest": "from", "layers": [{"layer": 0, "createdAt": "t"}]},
                {"digest": "run", "inputs": [[{"selector": "/s", "link": 0}]],
                    "layers": [{"layer": 1, "createdAt": "t"}]},
                {"digest": "run-arm", "inputs": [[{"link": 0}]],
                    "chains": [{"layers": [0, 2], "createdAt": "u"}]}
            ]
        })
    );
    let digests: Vec<&str> = manifest["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["digest"].as_str().unwrap())
        .collect();
    assert_eq!(digests[..3], ["base", "amd", "arm"]);
    assert_eq!(manifest["manifests"][3]["mediaType"], CONFIG);
}

#[test]
fn the_form_is_that_of_the_first() {
    let mut image = piece(&[], json!({}));
    image.manifest.remove("manifests");
    image
        .manifest
        .insert("layers".into(), json!([{"mediaType": "l", "digest": "x"}]));
    image
        .manifest
        .insert("config".into(), json!({"mediaType": CONFIG}));
    let (manifest, _) = merged(&[image, piece(&["y"], json!({}))]);
    assert_eq!(manifest["layers"][1]["digest"], "y");
    assert_eq!(manifest["config"]["mediaType"], CONFIG);
    assert!(manifest.get("manifests").is_none());
}

#[test]
fn broken_configs_are_refused() {
    for (config, reason) in [
        (
            json!({"records": [{"digest": "a", "inputs": [[{"link": 0}]]}]}),
            "from itself",
        ),
        (
            json!({"records": [{"digest": "a", "inputs": [[{"link": 7}]]}]}),
            "from itself",
        ),
        (
            json!({"records": [{"digest": "a", "layers": [{"layer": 3}]}]}),
            "not there",
        ),
        (
            json!({"layers": [{"blob": "a", "parent": 0}]}),
            "own parent",
        ),
        (
            json!({"layers": [{"blob": "a", "parent": -5}]}),
            "own parent",
        ),
        (json!([1]), ""),
    ] {
        let error = merge(&[piece(&[], config)]).unwrap_err();
        let error = crate::causes::in_one_line(&error);
        assert!(error.contains(reason), "{error}");
    }
    assert!(merge(&[]).is_err());
}
