//! `--report` and `history report`.

use std::fs;

use serde_json::Value;

use crate::support::{Engine, Finished, folder_of, solvekit, unique};

const TWO: &str = "--platform=linux/amd64,linux/arm64";

#[test]
fn a_build_that_fails_is_reported_in_every_format() {
    let word = unique();
    let dockerfile = format!(
        "FROM alpine AS Files\nRUN echo {word}\nRUN echo the '<reason>'; test $(uname -m) = \
         x86_64\n"
    );
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let names = [
        "build.html",
        "build.md",
        "build.json",
        "build.junit",
        "gl-code-quality-report.json",
    ];
    let out = folder_of(&[]);
    let mut build = solvekit(["build", "--progress=plain", TWO]);
    for name in names {
        build.arg("--report").arg(out.path().join(name));
    }
    build.arg(context.path()).env("GITHUB_ACTIONS", "true");
    let failed = Finished::of(&mut build).failed_with(1, &["exit code: 1"]);
    assert!(
        failed
            .stderr
            .contains("::error file=Dockerfile,line=3::linux/arm64, stage Files: RUN echo the"),
        "{}",
        failed.stderr
    );
    let [html, markdown, json, junit, quality] =
        names.map(|name| fs::read_to_string(out.path().join(name)).expect(name));

    assert!(html.contains("the &lt;reason&gt;"), "{html}");
    assert!(html.contains("&gt;&gt;&gt; RUN echo the"), "{html}");
    assert!(markdown.contains("❌ build failed") && markdown.contains("the <reason>"));
    assert!(junit.contains("<testsuite name=\"linux/arm64\""), "{junit}");

    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["status"], "failed");
    assert_eq!(json["failure"]["steps"][0]["exitCode"], 1);
    assert_eq!(json["failure"]["steps"][0]["platform"], "linux/arm64");
    let steps = json["steps"].as_array().expect("steps");
    let ran = steps.iter().filter(|step| {
        let name = step["name"].as_str().unwrap_or_default();
        name.contains(&word) && step["state"] == "done" && step["spans"][0][1].as_u64() > Some(0)
    });
    assert_eq!(ran.count(), 2, "{json:#}");

    let quality: Value = serde_json::from_str(&quality).expect("JSON");
    assert_eq!(quality[0]["check_name"], "StageNameCasing");
    assert_eq!(quality[0]["location"]["lines"]["begin"], 1);
}

#[test]
fn a_build_that_succeeds_has_its_digest_in_the_report() {
    let name = format!("{}:latest", Engine::get().name("reported"));
    let context = folder_of(&[("Dockerfile", "FROM alpine\nLABEL a=b\n")]);
    let file = context.path().join("report.json");
    let mut build = solvekit(["build", "--progress=none", "--push", "-t", &name]);
    build.arg("--report").arg(&file).arg(context.path());
    Finished::of(&mut build).succeeded();
    let report: Value = serde_json::from_slice(&fs::read(&file).expect("a report")).expect("JSON");
    assert_eq!(report["status"], "succeeded");
    assert_eq!(report["names"][0], name);
    assert!(
        report["digest"]
            .as_str()
            .expect("one")
            .starts_with("sha256:")
    );
    let build_ref = report["buildRefs"][0].as_str().expect("a reference");

    // The daemon has the names, also for people on other machines.
    let home = tempfile::tempdir().expect("a folder");
    for home in [None, Some(home.path())] {
        let mut later = solvekit(["history", "report", "--format", "json", build_ref]);
        let mut inspect = solvekit(["history", "inspect", build_ref]);
        if let Some(home) = home {
            later.env("BUILDX_CONFIG", home);
            inspect.env("BUILDX_CONFIG", home);
        }
        let later = Finished::of(&mut later).succeeded().stdout;
        let later: Value = serde_json::from_str(&later).expect("JSON");
        assert_eq!(later["names"], report["names"], "{later:#}");
        let shown = Finished::of(&mut inspect).succeeded().stdout;
        for value in [&name, report["digest"].as_str().expect("one")] {
            assert!(shown.contains(value), "{value}: {shown}");
        }
        let shown = Finished::of(inspect.args(["--format", "json"]))
            .succeeded()
            .stdout;
        let shown: Value = serde_json::from_str(&shown).expect("JSON");
        assert_eq!(shown["ImageNames"], report["names"], "{shown:#}");
    }

    let page = solvekit(["history", "report", "--format", "html", build_ref]);
    let page = Finished::of(&mut { page }).succeeded().stdout;
    assert!(page.starts_with("<!doctype html>"), "{page}");
    assert!(
        page.contains(build_ref) && page.contains("exporting"),
        "{page}"
    );
}

/// The layers that have a step, as the start of its instruction and the size.
fn layers_with_steps(image: &Value, report: &Value) -> Vec<(String, u64)> {
    let steps = report["steps"].as_array().expect("steps");
    let layers = image["layers"].as_array().expect("layers").iter();
    let placed = layers.filter_map(|layer| {
        let step = steps.iter().find(|step| step["digest"] == layer["step"])?;
        let name = step["name"].as_str()?.split_once("] ")?.1;
        let name = name.chars().take(8).collect();
        assert_eq!(step["layerSize"], layer["size"], "{step:#}");
        Some((name, layer["size"].as_u64()?))
    });
    placed.collect()
}

#[test]
fn a_report_has_the_size_of_the_layer_that_each_step_made() {
    let name = format!("{}:latest", Engine::get().name("layers"));
    let dockerfile = "FROM alpine AS build\nRUN echo the same\n\
                      RUN head -c 300000 /dev/urandom > /x\n\
                      FROM alpine\nARG COUNT=100000\nWORKDIR /app\nRUN echo the same\n\
                      RUN head -c $COUNT /dev/urandom > /y\nENV A=b\nCOPY --from=build /x /x\n";
    let context = folder_of(&[("Dockerfile", dockerfile)]);
    let [json, page, markdown] = ["r.json", "r.html", "r.md"].map(|it| context.path().join(it));
    let mut build = solvekit(["build", "--progress=none", TWO, "--push", "-t", &name]);
    for file in [&json, &page, &markdown] {
        build.arg("--report").arg(file);
    }
    Finished::of(build.arg(context.path())).succeeded();
    let report = fs::read(&json).expect("a report");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    check_layers(&report);
    assert_eq!(
        report["provenance"].as_array().map(Vec::len),
        Some(2),
        "{report:#}"
    );
    let page = fs::read_to_string(&page).expect("a page");
    assert!(
        page.contains("<h2>Layers</h2>") && page.contains("base image, "),
        "{page}"
    );
    let markdown = fs::read_to_string(&markdown).expect("a text");
    assert!(markdown.contains("### Layers linux/arm64"), "{markdown}");

    // The daemon still has it later.
    let build_ref = report["buildRefs"][0].as_str().expect("a reference");
    let mut later = solvekit(["history", "report", "--format", "json", build_ref]);
    let later = Finished::of(&mut later).succeeded().stdout;
    let later: Value = serde_json::from_str(&later).expect("JSON");
    check_layers(&later);
    for field in ["digest", "images", "provenance", "sources"] {
        assert_eq!(later[field], report[field], "{field}");
    }
    let build_type = later["provenance"][0]["buildType"].as_str();
    assert!(
        build_type.is_some_and(|it| it.contains("buildkit")),
        "{later:#}"
    );
    let source = later["sources"][0]["digest"].as_str();
    assert!(
        source.is_some_and(|it| it.starts_with("sha256:")),
        "{later:#}"
    );
}

fn check_layers(report: &Value) {
    let images = report["images"].as_array().expect("images");
    let platforms: Vec<&str> = images
        .iter()
        .filter_map(|it| it["platform"].as_str())
        .collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    for image in images {
        assert_eq!(image["layers"][0]["base"], true, "{image:#}");
        let layers = layers_with_steps(image, report);
        let names: Vec<&str> = layers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["WORKDIR ", "RUN echo", "RUN head", "COPY --f"],
            "{image:#}"
        );
        let sizes: Vec<u64> = layers.iter().map(|(_, size)| size / 100_000).collect();
        assert_eq!(sizes, [0, 0, 1, 3], "{image:#}");
    }
}

#[test]
fn layers_of_parent_stages_and_linked_copies_have_their_steps() {
    let name = format!("{}:latest", Engine::get().name("parents"));
    let dockerfile = "FROM alpine AS one\nARG COUNT=100000\n\
                      RUN head -c $COUNT /dev/urandom > /one\n\
                      FROM one AS two\nARG COUNT=200000\nWORKDIR /tmp\n\
                      RUN head -c $COUNT /dev/urandom > /two\nFROM alpine AS other\n\
                      RUN head -c 300000 /dev/urandom > /other\nFROM two\nENV TO=/three\n\
                      COPY --link --from=other /other $TO\n\
                      ARG COUNT=400000\nRUN head -c $COUNT /dev/urandom > /four\n";
    let context = folder_of(&[("Dockerfile", dockerfile)]);
    let [json, junit] = ["r.json", "r.junit"].map(|it| context.path().join(it));
    let mut build = solvekit(["build", "--progress=none", TWO, "--push", "-t", &name]);
    build.arg("--report").arg(&json).arg("--report").arg(&junit);
    Finished::of(build.arg(context.path())).succeeded();
    let report = fs::read(&json).expect("a report");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    let images = report["images"].as_array().expect("images");
    assert_eq!(images.len(), 2, "{report:#}");
    for image in images {
        let layers = layers_with_steps(image, &report);
        let runs = layers.iter().filter(|(_, size)| *size > 50_000);
        let runs: Vec<(&str, u64)> = runs.map(|(name, size)| (&**name, size / 100_000)).collect();
        let expected = [
            ("RUN head", 1),
            ("RUN head", 2),
            ("COPY --l", 3),
            ("RUN head", 4),
        ];
        let steps = report["steps"].as_array().expect("steps").iter();
        let graph =
            steps.map(|step| format!("{} {} {}", step["digest"], step["name"], step["inputs"]));
        assert_eq!(
            runs,
            expected,
            "{image:#}\n{}",
            graph.collect::<Vec<_>>().join("\n")
        );
    }
    let junit = fs::read_to_string(&junit).expect("a report");
    assert!(
        junit.matches("<property name=\"layer.size\"").count() >= 8,
        "{junit}"
    );
    assert_eq!(junit.matches("name=\"image.size\"").count(), 2, "{junit}");
}

#[test]
fn targets_of_a_bake_file_share_a_report() {
    let bake = "target \"a\" {\n  dockerfile-inline = \"FROM alpine\\nRUN true\"\n}\n\
                target \"b\" {\n  dockerfile-inline = \"FROM alpine\\nRUN exit 4\"\n}\n";
    let folder = folder_of(&[("docker-bake.hcl", bake)]);
    let mut command = solvekit(["bake", "--progress=plain", "--report", "out/r.md", "a", "b"]);
    let failed = Finished::of(command.current_dir(folder.path()));
    let failed = failed.failed_with(1, &["exit code: 4"]);
    let row = "\nb       failed: the command did not complete successfully: exit code: 4\n";
    assert!(failed.stderr.contains(row), "{}", failed.stderr);
    let report = fs::read_to_string(folder.path().join("out/r.md")).expect("a report");
    assert!(report.contains("❌ bake a b failed"), "{report}");
    assert!(report.contains("exit 4"), "{report}");
}

#[test]
fn a_report_that_cannot_be_written_is_reported_before_the_build() {
    let context = folder_of(&[("Dockerfile", "FROM alpine\n")]);
    for (report, parts) in [
        ("report.txt", ["says no format", "--report"]),
        ("type=pdf,dest=x", ["there are html, md", "--report"]),
        ("/proc/no/report.html", ["/proc/no", "cannot write"]),
    ] {
        let mut build = solvekit(["build", "--progress=plain", "--report", report]);
        let run = Finished::of(build.arg(context.path()));
        assert!(matches!(run.code, Some(1 | 2)), "{:?}", run.code);
        for part in parts {
            assert!(run.stderr.contains(part), "{report}: {}", run.stderr);
        }
        assert!(!run.stderr.contains("[internal]"), "{}", run.stderr);
    }
}
