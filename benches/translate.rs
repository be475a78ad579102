//! Measures the pure core on one thread: parsing a Dockerfile, and translating it to the bytes of
//! one platform's graph.
//!
//! Five shapes: a few lines; one long stage, like in the official images of languages; and projects
//! of 20, 45 and 60 stages.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use solvekit::dockerfile::{self, Dockerfile};
use solvekit::oci::Platform;
use solvekit::translate::{Options, Outcome, ResolvedImage, ResolvedImages, translate};

const FEW_LINES: &str =
    "FROM alpine:3.20\nRUN apk add --no-cache curl\nCMD [\"curl\", \"--version\"]\n";

/// Returns a stage with comments, ENV, and RUN over dozens of lines.
fn one_stage() -> String {
    let mut text =
        String::from("#\n# NOTE: this file is generated\n#\nFROM buildpack-deps:bookworm\n\n");
    for number in 0..4 {
        text.push_str(&format!(
            "# ensure local binary {number} is preferred over the distribution's\n\
             ENV PATH /usr/local/bin:$PATH\nENV LANG C.UTF-8\nENV VERSION_{number} \
             3.12.{number}\n\n"
        ));
        text.push_str(
            "RUN set -eux; \\\n\tapt-get update; \\\n\tapt-get install -y \
                       --no-install-recommends \\\n",
        );
        for package in 0..10 {
            text.push_str(&format!("\t\tlibrary{package}-dev \\\n"));
        }
        text.push_str("\t; \\\n\trm -rf /var/lib/apt/lists/*; \\\n\t\\\n");
        for step in 0..8 {
            text.push_str(&format!(
                "\twget -O file{step}.tar.xz \"https://example.org/ftp/${{VERSION_{number}%%[a-z]*}}/file-$VERSION_{number}.tar.xz\"; \\\n"
            ));
        }
        text.push_str("\tldconfig\n\n");
    }
    text.push_str("CMD [\"python3\"]\n");
    text
}

/// Returns a project: tools, sources and their builds in many stages; the last one needs most of
/// them.
fn project(stages: usize) -> String {
    let mut text = String::from(
        "# syntax=docker/dockerfile:1\nARG VERSION=1.2\nARG ALPINE=3.20\nFROM \
         --platform=$BUILDPLATFORM alpine:${ALPINE} AS base\nRUN apk add git make\nFROM \
         alpine:${ALPINE} AS stage0\n",
    );
    for stage in 1..stages {
        text.push_str(&format!(
            "\n# what stage {stage} needs\nFROM base AS tools{stage}\nARG TARGETPLATFORM\n\
             RUN --mount=type=cache,target=/root/.cache --mount=type=bind,target=/src <<EOT\n  set \
             -e\n  make tool{stage} VERSION=$VERSION\nEOT\n\n\
             FROM stage{} AS stage{stage}\nARG VERSION\nENV NUMBER={stage} OPTS=\"-v \
             ${{VERSION:-none}}\"\n\
             COPY --from=tools{stage} --link /out/tool{stage} /usr/bin/\n",
            stage - 1
        ));
    }
    text.push_str("FROM stage0 AS release\n");
    for stage in (1..stages).step_by(3) {
        text.push_str(&format!(
            "COPY --from=stage{stage} /usr/bin/tool{stage} /usr/bin/\n"
        ));
    }
    text.push_str("ENTRYPOINT [\"/usr/bin/tool1\"]\n");
    text
}

fn benchmarks(criterion: &mut Criterion) {
    for (name, text) in [
        ("few lines", FEW_LINES.to_owned()),
        ("one long stage", one_stage()),
        ("20 stages", project(10)),
        ("45 stages", project(23)),
        ("60 stages", project(30)),
    ] {
        let lines = text.lines().count();
        let mut group = criterion.benchmark_group(format!("{name} ({lines} lines)"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("parse", |bencher| {
            bencher.iter(|| parse(black_box(&text)));
        });
        let options = options();
        let images = images(&parse(&text), &options);
        group.bench_function("parse, translate, marshal", |bencher| {
            bencher.iter(|| graph(&parse(black_box(&text)), &options, &images));
        });
        group.finish();
    }
}

fn parse(text: &str) -> Dockerfile {
    dockerfile::parse(text.as_bytes()).expect("the Dockerfiles here are right")
}

/// Returns the number of bytes of the definition.
fn graph(dockerfile: &Dockerfile, options: &Options, images: &ResolvedImages) -> usize {
    match translate(dockerfile, options, images).expect("the Dockerfiles here are right") {
        Outcome::Done(done) => done.definition.encode().len(),
        outcome => panic!("all images are there: {outcome:?}"),
    }
}

fn options() -> Options {
    let platform = Platform::parse("linux/amd64").expect("a platform");
    Options {
        platform: Some(platform.clone()),
        build_platforms: vec![platform],
        ..Options::default()
    }
}

/// Answers every request with the same small config.
fn images(dockerfile: &Dockerfile, options: &Options) -> ResolvedImages {
    let config = br#"{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/bin:/bin"],"Cmd":["sh"]},
        "rootfs":{"type":"layers","diff_ids":[]}}"#;
    let mut images = ResolvedImages::new();
    while let Outcome::NeedsImages(requests) =
        translate(dockerfile, options, &images).expect("the Dockerfiles here are right")
    {
        for request in requests {
            let image = ResolvedImage::parse(None, config).expect("a config");
            images.insert(request, image);
        }
    }
    images
}

criterion_group!(all, benchmarks);
criterion_main!(all);
