//! The pure core's speed: a Dockerfile's text to instructions, and instructions to the bytes of eight platforms' graphs.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use solvekit::dockerfile::{self, Dockerfile};
use solvekit::oci::Platform;
use solvekit::translate::{Options, Outcome, ResolvedImage, ResolvedImages, translate};

const HELLO: &str = include_str!("../examples/hello/Dockerfile");
const GO: &str = include_str!("../tests/fixtures/seeds/go-cross/Dockerfile");
const PLATFORMS: [&str; 8] = [
    "linux/386",
    "linux/amd64",
    "linux/arm/v5",
    "linux/arm/v7",
    "linux/arm64",
    "linux/mips64le",
    "linux/ppc64le",
    "linux/s390x",
];

/// As large as they come: 30 stages of ten instructions, each stage on the one before it.
fn large() -> String {
    let mut text = String::from("ARG VERSION=1.2\nFROM alpine:${VERSION} AS stage0\n");
    for stage in 1..30 {
        text.push_str(&format!(
            "FROM --platform=$BUILDPLATFORM alpine AS tools{stage}\n\
             FROM stage{} AS stage{stage}\n\
             ARG TARGETARCH\n\
             ENV NUMBER={stage} PATH=/opt/{stage}:$PATH\n\
             WORKDIR /src/{stage}\n\
             COPY --chown=1000:1000 src/{stage}/*.c include/ ./\n\
             COPY --from=tools{stage} /bin/busybox /bin/\n\
             RUN --mount=type=cache,target=/var/cache make -j4 ARCH=${{TARGETARCH:-none}} && \\\n    make install\n\
             LABEL stage=\"{stage}\" built.for=$TARGETARCH\n\
             RUN <<END\necho {stage}\nls -l\nEND\n",
            stage - 1
        ));
    }
    text
}

fn benchmarks(criterion: &mut Criterion) {
    let large = large();
    for (name, text) in [("hello", HELLO), ("go", GO), ("large", &large)] {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("parse", |bencher| {
            bencher.iter(|| parse(black_box(text)));
        });
        let dockerfile = parse(text);
        let images = images(&dockerfile);
        group.bench_function("translate for eight platforms", |bencher| {
            bencher.iter(|| translate_all(black_box(&dockerfile), &images));
        });
        group.finish();
    }
}

fn parse(text: &str) -> Dockerfile {
    dockerfile::parse(text.as_bytes()).expect("the Dockerfiles here are right")
}

/// The definitions' bytes of all platforms together.
fn translate_all(dockerfile: &Dockerfile, images: &ResolvedImages) -> usize {
    let graphs = PLATFORMS.map(options);
    let bytes = graphs.iter().map(|options| {
        match translate(dockerfile, options, images).expect("the Dockerfiles here are right") {
            Outcome::Done(done) => done.definition.encode().len(),
            outcome => panic!("all images are there: {outcome:?}"),
        }
    });
    bytes.sum()
}

fn options(platform: &str) -> Options {
    let parse = |text| Platform::parse(text).expect("a platform");
    Options {
        platform: Some(parse(platform)),
        build_platforms: vec![parse("linux/amd64")],
        multi_platform: true,
        ..Options::default()
    }
}

/// Answers every request of every platform with the same small config.
fn images(dockerfile: &Dockerfile) -> ResolvedImages {
    let config = br#"{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/bin:/bin"],"Cmd":["sh"]},
        "rootfs":{"type":"layers","diff_ids":[]}}"#;
    let mut images = ResolvedImages::new();
    for platform in PLATFORMS {
        while let Outcome::NeedsImages(requests) =
            translate(dockerfile, &options(platform), &images)
                .expect("the Dockerfiles here are right")
        {
            for request in requests {
                let image = ResolvedImage::parse(None, config).expect("a config");
                images.insert(request, image);
            }
        }
    }
    images
}

criterion_group!(all, benchmarks);
criterion_main!(all);
