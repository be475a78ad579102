use std::time::{Duration, SystemTime};

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::progress::{SourceInfo, SourceRange, StatusUpdate, Vertex, VertexStatus, View};

fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

fn vertex(digest: &str, name: &str, inputs: &[&str], span: (u64, u64)) -> Vertex {
    Vertex {
        digest: digest.into(),
        name: name.into(),
        inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
        started: Some(at(span.0)),
        completed: Some(at(span.1)),
        ..Vertex::default()
    }
}

fn report_of(vertexes: Vec<Vertex>) -> BuildReport {
    let mut view = View::default();
    let update = StatusUpdate {
        vertexes,
        statuses: vec![VertexStatus {
            id: "transferring context".into(),
            vertex: "context".into(),
            current: 1_500_000,
            started: Some(at(0)),
            ..VertexStatus::default()
        }],
        ..StatusUpdate::default()
    };
    view.apply(1, &update, at(100_000));
    BuildReport {
        title: "app:1".into(),
        timeline: view.timeline(at(100_000)),
        platforms: vec!["linux/amd64".into(), "linux/arm64".into()],
        ..BuildReport::default()
    }
}

/// A base image, a context, a quick and a slow step that use them, and an export.
fn sample() -> BuildReport {
    let mut cached = vertex("base", "[linux/arm64 1/3] FROM alpine", &[], (0, 100));
    cached.cached = true;
    report_of(vec![
        cached,
        vertex("context", "[internal] load build context", &[], (0, 2000)),
        vertex("quick", "[linux/arm64 2/3] RUN true", &["base"], (100, 300)),
        vertex(
            "slow",
            "[linux/arm64 3/3] COPY . .",
            &["quick", "context"],
            (2000, 65_000),
        ),
        vertex("export", "exporting to image", &[], (65_000, 66_000)),
    ])
}

fn failed() -> BuildReport {
    let mut step = vertex(
        "bad",
        "[linux/arm64 2/2] RUN echo '<&>' | tee x",
        &[],
        (0, 1000),
    );
    step.error = "process \"x\" did not complete successfully: exit code: 3".into();
    let warning = Warning {
        short: Bytes::from_static(b"StageNameCasing: Stage name 'A' should be lowercase"),
        source: Some(SourceInfo {
            filename: "sub/Dockerfile".into(),
            ..SourceInfo::default()
        }),
        ranges: vec![SourceRange::lines(7, 7)],
        ..Warning::default()
    };
    BuildReport {
        status: Status::Failed,
        warnings: vec![warning],
        failure: Some(FailureReport {
            message: "[linux/arm64] exit code: 3".into(),
            excerpt: "Dockerfile:2\n>>> RUN ```".into(),
            steps: vec![FailedStep {
                digest: "bad".into(),
                name: step.name.clone(),
                error: step.error.clone(),
                log: vec!["0.1 ```".into(), "0.2 <script>".into()],
                ..FailedStep::default()
            }],
        }),
        ..report_of(vec![step])
    }
}

#[test]
fn the_critical_path_goes_from_the_start_to_the_last_end() {
    let report = sample();
    let path: Vec<&str> = report
        .critical_path()
        .iter()
        .map(|step| &*step.digest)
        .collect();
    assert_eq!(path, ["context", "slow", "export"]);
}

#[test]
fn a_graph_with_a_cycle_has_an_end_too() {
    let report = report_of(vec![
        vertex("a", "one", &["b"], (0, 10)),
        vertex("b", "two", &["a"], (0, 10)),
    ]);
    assert!(report.critical_path().len() <= 2);
}

#[test]
fn the_page_shows_when_each_step_ran() {
    let page = sample().render(Format::Html);
    assert!(page.contains("<h3>linux/arm64</h3>"), "{page}");
    assert!(page.contains("class=\"done critical\""), "{page}");
    assert!(page.contains("left:3.03%;width:95.45%"), "{page}");
    assert!(page.contains("1m 03s"), "{page}");
    assert!(page.contains("1.50MB"), "{page}");
    for forbidden in ["http://", "https://", "<script", "url("] {
        assert!(!page.contains(forbidden), "{forbidden}: {page}");
    }
}

#[test]
fn names_and_logs_are_text_in_every_format() {
    let report = failed();
    let page = report.render(Format::Html);
    assert!(page.contains("RUN echo &#39;&lt;&amp;&gt;&#39; | tee x"));
    assert!(page.contains("0.2 &lt;script&gt;") && !page.contains("<script>"));
    let markdown = report.render(Format::Markdown);
    assert!(
        markdown.contains("````\n0.1 ```\n0.2 <script>\n````"),
        "{markdown}"
    );
    assert!(
        markdown.contains("&lt;&amp;&gt;&#39; &#124; tee x</code>"),
        "{markdown}"
    );
    let junit = report.render(Format::Junit);
    assert!(junit.contains("failures=\"1\"") && junit.contains("0.2 &lt;script&gt;</failure>"));
}

#[test]
fn json_is_for_programs() {
    let value: serde_json::Value = serde_json::from_str(&failed().render(Format::Json)).unwrap();
    assert_eq!(value["version"], 1);
    assert_eq!(value["status"], "failed");
    assert_eq!(value["duration"], 1000);
    assert_eq!(value["steps"][0]["spans"], serde_json::json!([[0, 1000]]));
    assert_eq!(value["steps"][0]["group"], "linux/arm64");
    assert_eq!(value["failure"]["steps"][0]["exitCode"], 3);
    assert_eq!(value["warnings"][0]["file"], "sub/Dockerfile");
    assert_eq!(value["warnings"][0]["line"], 7);
}

#[test]
fn layers_and_provenance_are_in_the_reports_for_people_and_programs() {
    let layer = |created_by: &str, size| LayerReport {
        digest: "sha256:1".into(),
        size,
        created_by: created_by.into(),
    };
    let mut report = sample();
    report.images.push(ImageReport {
        target: String::new(),
        platform: "linux/arm64".into(),
        digest: "sha256:image".into(),
        is_unpacked: false,
        layers: vec![
            layer("ADD <base>", 3_000_000),
            layer("RUN /bin/sh -c true # buildkit", 32),
            layer("COPY . . # buildkit", 1_234_000),
        ],
    });
    report.provenance.push(ProvenanceReport {
        platform: "linux/arm64".into(),
        predicate_type: "https://slsa.dev/provenance/v1".into(),
        digest: "sha256:told".into(),
        build_type: "https://example.com/build".into(),
        ..ProvenanceReport::default()
    });
    let page = report.render(Format::Html);
    for part in [
        "<td><code>base image, 1 layer</code></td><td class=\"time\">3.00MB</td>",
        "<td><code>[linux/arm64 2/3] RUN true</code></td><td class=\"time\">32B</td>",
        "<td><code>[linux/arm64 3/3] COPY . .</code></td><td class=\"time\">1.23MB</td>",
        "linux/arm64 sha256:image",
        "sha256:told<br>build type https://example.com/build",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let markdown = report.render(Format::Markdown);
    for part in [
        "### Layers linux/arm64\n",
        "| base image, 1 layer | 3.00MB |\n| <code>&#91;linux/arm64 3/3&#93; COPY . .</code> ",
        "COPY . .</code> | 1.23MB |\n",
        "| **all** | 4.23MB |",
        "<details><summary>Provenance</summary>",
    ] {
        assert!(markdown.contains(part), "{part}: {markdown}");
    }
    let value: serde_json::Value = serde_json::from_str(&report.render(Format::Json)).unwrap();
    assert_eq!(value["images"][0]["size"], 4_234_032);
    assert_eq!(value["images"][0]["layers"][2]["step"], "slow");
    assert_eq!(value["images"][0]["layers"][0]["base"], true);
    assert_eq!(value["steps"][3]["layerSize"], 1_234_000);
    let junit = report.render(Format::Junit);
    for part in [
        "skipped=\"0\" time=\"63.300\">\n    <properties>\n",
        "      <property name=\"image.size\" value=\"4234032\"/>\n",
        "      <property name=\"image.base.size\" value=\"3000000\"/>\n",
        "      <properties>\n        <property name=\"layer.size\" value=\"1234000\"/>\n",
    ] {
        assert!(junit.contains(part), "{part}: {junit}");
    }
    // Each image is described once, each layer at its step.
    for (part, times) in [("image.size", 1), ("layer.size", 2), ("image.digest", 1)] {
        let name = format!("name=\"{part}\"");
        assert_eq!(junit.matches(&name).count(), times, "{junit}");
    }
    assert_eq!(value["provenance"][0]["digest"], "sha256:told");
}

#[test]
fn images_without_a_suite_of_their_own_are_in_the_first_one() {
    let mut report = sample();
    for target in ["a", "b"] {
        report.images.push(ImageReport {
            target: target.into(),
            platform: "linux/amd64".into(),
            digest: format!("sha256:{target}"),
            ..ImageReport::default()
        });
    }
    let junit = report.render(Format::Junit);
    let (first, rest) = junit.split_once("</testsuite>").unwrap();
    for target in ["a", "b"] {
        let property = format!(
            "<property name=\"{target} linux/amd64 image.digest\" value=\"sha256:{target}\"/>"
        );
        assert!(first.contains(&property), "{junit}");
    }
    assert!(!rest.contains("image."), "{junit}");
}

#[test]
fn gitlab_gets_the_warnings_with_their_lines() {
    let text = failed().render(Format::CodeQuality);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value[0]["check_name"], "StageNameCasing");
    assert_eq!(value[0]["location"]["path"], "sub/Dockerfile");
    assert_eq!(value[0]["location"]["lines"]["begin"], 7);
    assert_eq!(value[0]["fingerprint"].as_str().unwrap().len(), 64);
    assert_eq!(sample().render(Format::CodeQuality), "[]\n");
}

#[test]
fn the_format_follows_the_name() {
    for (name, format) in [
        ("a/report.html", Some(Format::Html)),
        ("REPORT.MD", Some(Format::Markdown)),
        ("x.json", Some(Format::Json)),
        ("gl-code-quality-report.json", Some(Format::CodeQuality)),
        ("x.codequality.json", Some(Format::CodeQuality)),
        ("junit.xml", Some(Format::Junit)),
        ("x.junit", Some(Format::Junit)),
        ("x.txt", None),
        ("x", None),
    ] {
        assert_eq!(Format::of_path(Path::new(name)), format, "{name}");
    }
    for format in Format::ALL {
        assert_eq!(Format::from_name(format.name()), Some(format));
    }
}

proptest! {
    #[test]
    fn anything_can_be_reported(
        steps in proptest::collection::vec(
            (".*", any::<[u8; 2]>(), 0_u64..1000, 0_u64..1000, any::<bool>(), ".*"),
            0..8,
        ),
        title in ".*",
    ) {
        let vertexes = steps.iter().enumerate().map(|(at, step)| {
            let (name, inputs, start, length, cached, error) = step;
            let inputs: Vec<String> = inputs.iter().map(|it| (it % 8).to_string()).collect();
            let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
            let mut made = vertex(&at.to_string(), name, &inputs, (*start, start + length));
            made.cached = *cached;
            made.error.clone_from(error);
            made
        });
        let report = BuildReport { title, ..report_of(vertexes.collect()) };
        for format in [Format::Html, Format::Markdown, Format::Junit] {
            let text = report.render(format);
            prop_assert_eq!(crate::text::lines(&text), &*text);
        }
        let page = report.render(Format::Html);
        // Only the report itself has tags: those in names are escaped.
        prop_assert_eq!(page.matches("<li").count(), steps.len());
        serde_json::from_str::<serde_json::Value>(&report.render(Format::Json)).unwrap();
    }
}
