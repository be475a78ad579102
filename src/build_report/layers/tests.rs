use super::*;

fn step(name: &str) -> TimelineStep {
    let group = name.strip_prefix('[').and_then(|rest| {
        let words: Vec<&str> = rest.split_once(']')?.0.split(' ').collect();
        let at = words.iter().position(|word| word.starts_with("linux/"))?;
        Some(words[..=at].join(" "))
    });
    TimelineStep {
        digest: name.to_owned(),
        name: name.to_owned(),
        group,
        state: crate::progress::StepState::Done,
        inputs: Vec::new(),
        spans: Vec::new(),
        transferred: 0,
        error: String::new(),
    }
}

/// The layers of an image, as `INSTRUCTION`, and the names of the steps that were found.
fn placed(steps: &[&str], history: &[&str]) -> (Vec<Option<String>>, usize) {
    placed_on(
        &steps
            .iter()
            .map(|name| (*name, &[][..]))
            .collect::<Vec<_>>(),
        history,
    )
}

/// As [`placed`], for steps with their inputs.
fn placed_on(steps: &[(&str, &[&str])], history: &[&str]) -> (Vec<Option<String>>, usize) {
    let mut report = BuildReport::default();
    let steps = steps.iter().map(|(name, inputs)| TimelineStep {
        inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
        ..step(name)
    });
    report.timeline.steps = steps.collect();
    let layers = history.iter().map(|text| LayerReport {
        created_by: (*text).to_owned(),
        size: 10,
        ..LayerReport::default()
    });
    report.images.push(ImageReport {
        target: String::new(),
        platform: "linux/arm64".into(),
        digest: "sha256:1".into(),
        is_unpacked: false,
        layers: layers.collect(),
    });
    let placed = of(&report);
    let names = placed[0]
        .all()
        .map(|(_, step)| step.map(|it| it.name.clone()));
    (names.collect(), placed[0].base)
}

fn names<const N: usize>(names: [&str; N]) -> Vec<Option<String>> {
    let name = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    names.map(name).to_vec()
}

#[test]
fn layers_have_the_steps_of_their_platform() {
    let (found, base) = placed(
        &[
            "[internal] load build context",
            "[linux/arm64 1/3] FROM alpine",
            "[linux/amd64 2/3] RUN make",
            "[linux/arm64 2/3] RUN --mount=type=cache,target=/c make",
            "[linux/arm64 3/3] COPY --chmod=0755 a /b",
            "exporting to image",
        ],
        &[
            "ADD alpine.tar / # buildkit",
            "RUN /bin/sh -c make # buildkit",
            "COPY a /b # buildkit",
        ],
    );
    let expected = [
        "",
        "[linux/arm64 2/3] RUN --mount=type=cache,target=/c make",
        "[linux/arm64 3/3] COPY --chmod=0755 a /b",
    ];
    assert_eq!((found, base), (names(expected), 1));
}

#[test]
fn the_same_text_in_two_stages_is_distinguished_by_its_place() {
    let (found, _) = placed(
        &[
            "[build 1/3] FROM a",
            "[build 2/3] RUN apk add x",
            "[build 3/3] RUN make",
            "[stage-1 1/3] FROM b",
            "[stage-1 2/3] RUN apk add x",
            "[stage-1 3/3] COPY --from=build /x /x",
        ],
        &[
            "RUN /bin/sh -c apk add x # buildkit",
            "COPY /x /x # buildkit",
        ],
    );
    let expected = [
        "[stage-1 2/3] RUN apk add x",
        "[stage-1 3/3] COPY --from=build /x /x",
    ];
    assert_eq!(found, names(expected));
}

#[test]
fn a_stage_on_another_stage_goes_on_with_its_steps() {
    let (found, base) = placed_on(
        &[
            ("[base 1/3] FROM alpine", &[]),
            ("[base 2/3] WORKDIR /app", &["[base 1/3] FROM alpine"]),
            ("[base 3/3] RUN echo 1.2", &["[base 2/3] WORKDIR /app"]),
            ("[other 2/2] RUN echo 1.3", &["[base 1/3] FROM alpine"]),
            (
                "[final 1/2] RUN make",
                &["[base 3/3] RUN echo 1.2", "[other 2/2] RUN echo 1.3"],
            ),
            (
                "[final 2/2] COPY a b",
                &["[final 1/2] RUN make", "[other 2/2] RUN echo 1.3"],
            ),
        ],
        &[
            "ADD base",
            "WORKDIR /app",
            "RUN /bin/sh -c echo $VERSION # buildkit",
            "RUN |1 A=b /bin/sh -c make # buildkit",
            "COPY a b # buildkit",
        ],
    );
    let expected = [
        "",
        "[base 2/3] WORKDIR /app",
        "[base 3/3] RUN echo 1.2",
        "[final 1/2] RUN make",
        "[final 2/2] COPY a b",
    ];
    assert_eq!((found, base), (names(expected), 1));
}

#[test]
fn a_last_layer_with_a_variable_is_that_of_the_step_that_nothing_needs() {
    let (found, _) = placed_on(
        &[
            ("[base 2/2] RUN echo 1.2", &["[base 1/2] FROM alpine"]),
            ("[final 1/1] RUN echo 1.3", &["[base 2/2] RUN echo 1.2"]),
        ],
        &[
            "ADD base",
            "RUN echo $A # buildkit",
            "RUN echo $B # buildkit",
        ],
    );
    let expected = ["", "[base 2/2] RUN echo 1.2", "[final 1/1] RUN echo 1.3"];
    assert_eq!(found, names(expected));
}

/// A daemon runs a step once for all builds that need it, and calls it as the first one did.
#[test]
fn a_base_image_that_another_build_named_is_no_last_step() {
    let (found, _) = placed_on(
        &[
            ("[1/1] FROM alpine", &[]),
            ("[linux/amd64 2/2] RUN echo 1.2", &["[1/1] FROM alpine"]),
            ("[linux/arm64 1/2] FROM alpine", &[]),
            (
                "[linux/arm64 2/2] RUN echo 1.2",
                &["[linux/arm64 1/2] FROM alpine"],
            ),
        ],
        &["ADD base", "RUN echo $A # buildkit"],
    );
    assert_eq!(found, names(["", "[linux/arm64 2/2] RUN echo 1.2"]));
}

#[test]
fn a_folder_that_exists_makes_no_layer() {
    let (found, _) = placed(
        &["[2/4] RUN echo 1.2", "[3/4] WORKDIR /tmp", "[4/4] COPY a b"],
        &["ADD base", "RUN echo $A # buildkit", "COPY a b # buildkit"],
    );
    assert_eq!(found, names(["", "[2/4] RUN echo 1.2", "[4/4] COPY a b"]));
}

#[test]
fn linked_copies_have_the_history_of_copies() {
    let (found, _) = placed_on(
        &[
            ("[base 2/2] RUN echo 1", &["[base 1/2] FROM alpine"]),
            ("[build 2/2] RUN make", &["[base 1/2] FROM alpine"]),
            (
                "[final 1/2] LINK COPY --link --from=build /x /x",
                &["[base 2/2] RUN echo 1", "[build 2/2] RUN make"],
            ),
            (
                "[final 2/2] COPY --link $A /y",
                &["[final 1/2] LINK COPY --link --from=build /x /x"],
            ),
        ],
        &[
            "ADD base",
            "RUN echo $B # buildkit",
            "COPY /x /x # buildkit",
            "COPY c /y # buildkit",
        ],
    );
    let expected = [
        "",
        "[base 2/2] RUN echo 1",
        "[final 1/2] LINK COPY --link --from=build /x /x",
        "[final 2/2] COPY --link $A /y",
    ];
    assert_eq!(found, names(expected));
}

#[test]
fn targets_have_their_own_last_steps() {
    let step = |target: &str| format!("[{target} linux/arm64 2/2] RUN echo 1");
    let (a, b) = (step("a"), step("b"));
    let mut report = BuildReport::default();
    report.timeline.steps = [&a, &b].map(|name| self::step(name)).to_vec();
    report.images.push(ImageReport {
        target: "b".into(),
        platform: "linux/arm64".into(),
        layers: vec![LayerReport {
            created_by: "RUN echo $A # buildkit".into(),
            ..LayerReport::default()
        }],
        ..ImageReport::default()
    });
    let placed = of(&report);
    let found = placed[0].all().next().and_then(|(_, step)| step);
    assert_eq!(found.map(|step| &step.name), Some(&b));
}

#[test]
fn variables_and_here_documents_are_found_by_their_place() {
    let (found, _) = placed(
        &[
            "[2/4] RUN echo 1.2",
            "[3/4] RUN <<EOF (make...)",
            "[4/4] COPY a b",
        ],
        &[
            "RUN |1 V=1.2 /bin/sh -c echo $V # buildkit",
            "RUN |1 V=1.2 /bin/sh -c make\n # buildkit",
            "COPY a b # buildkit",
        ],
    );
    let expected = [
        "[2/4] RUN echo 1.2",
        "[3/4] RUN <<EOF (make...)",
        "[4/4] COPY a b",
    ];
    assert_eq!(found, names(expected));
}

#[test]
fn an_image_without_a_step_has_no_base() {
    let (found, base) = placed(&["exporting to image"], &["ADD a", "CMD b"]);
    assert_eq!((found, base), (names(["", ""]), 0));
}

#[test]
fn a_history_of_another_length_says_nothing() {
    let manifest = r#"{"schemaVersion":2,
        "config":{"mediaType":"c","digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000","size":1},
        "layers":[{"mediaType":"l","digest":"sha256:1111111111111111111111111111111111111111111111111111111111111111","size":7}]}"#;
    let manifest: Manifest = serde_json::from_str(manifest).unwrap();
    let config = |history: &str| -> Image {
        let text = format!(r#"{{"os":"linux","architecture":"arm64","history":[{history}]}}"#);
        serde_json::from_str(&text).unwrap()
    };
    let made = r#"{"created_by":"x"},{"created_by":"ENV","empty_layer":true}"#;
    let image = ImageReport::new("sha256:2", &manifest, &config(made));
    assert_eq!((&*image.platform, image.size()), ("linux/arm64", 7));
    assert_eq!(image.layers[0].created_by, "x");
    let image = ImageReport::new("sha256:2", &manifest, &config(""));
    assert_eq!(image.layers[0].created_by, "");
}
