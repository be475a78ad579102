//! A Dockerfile and options are translated or rejected, with the same bytes twice, and digests that
//! match the bytes.
//!
//! Input, in parts separated by a line `%%%`, all optional except the first: the Dockerfile;
//! frontend attributes, one `key=value` per line; the base images' config; the `.dockerignore`.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use solvekit::dockerfile::{Dockerfile, LintConfig, Linter, parse_and_lint, parse_ignore};
use solvekit::oci::{Digest, Platform};
use solvekit::translate::{
    Attributes, Context, Error, ImageRequest, Options, Outcome, ResolvedImage, ResolvedImages,
    SourceTime, Translation, check, outline, translate, translate_and_lint,
};

const CONFIG: &str = r#"{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["/bin/sh"],"OnBuild":["ENV A=b"]},
"rootfs":{"type":"layers","diff_ids":["sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]}}"#;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn_by(b"\n%%%\n");
    let source = parts.next().unwrap_or_default();
    let attributes = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let config = parts.next().unwrap_or(CONFIG.as_bytes());
    let ignored = parts.next().unwrap_or_default();

    let lint = LintConfig::of_dockerfile(source).unwrap_or_default();
    let mut linter = Linter::new(lint);
    let Ok(dockerfile) = parse_and_lint(source, &mut linter) else {
        return;
    };
    for options in options(&attributes, ignored) {
        run(&dockerfile, &options, config, &linter);
    }
});

/// Returns options for up to two platforms.
fn options(attributes: &str, ignored: &[u8]) -> Vec<Options> {
    let given: BTreeMap<String, String> = attributes
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let Ok(attributes) = Attributes::read(&given, "session") else {
        return Vec::new();
    };
    let mut options = attributes.options;
    options.build_platforms = Platform::parse("linux/amd64").into_iter().collect();
    if let Context::Local(local) = &mut options.context {
        local.exclude_patterns = parse_ignore(ignored);
    }
    let mut platforms: Vec<_> = attributes.platforms.into_iter().map(Some).collect();
    if platforms.is_empty() {
        platforms.push(None);
    }
    let each = platforms.into_iter().take(2).map(|platform| Options {
        platform,
        ..options.clone()
    });
    each.collect()
}

fn run(dockerfile: &Dockerfile, options: &Options, config: &[u8], linter: &Linter) {
    let once = resolved(config, |images| translate(dockerfile, options, images));
    let mut findings = linter.clone();
    let again = resolved(config, |images| {
        translate_and_lint(dockerfile, options, images, &mut findings)
    });
    match (once, again) {
        // Findings fail the build if the Dockerfile requires it.
        (_, Err(_)) if !findings.violated().is_empty() => {}
        (Ok(once), Ok(again)) => agree(&once, &again),
        (Err(once), Err(again)) => assert_eq!(once.to_json(), again.to_json()),
        (once, again) => panic!("{once:?}\n{again:?}"),
    }
    let mut findings = linter.clone();
    let _ = resolved(config, |images| {
        check(dockerfile, options, images, &mut findings)
    });
    if let Ok(outline) = resolved(config, |images| outline(dockerfile, options, images)) {
        outline.to_json();
    }
}

/// Resolves images and repeats until nothing is missing.
fn resolved<T>(
    config: &[u8],
    mut ask: impl FnMut(&ResolvedImages) -> Result<Outcome<T>, Error>,
) -> Result<Box<T>, Error> {
    let mut images = ResolvedImages::new();
    loop {
        match ask(&images)? {
            Outcome::Done(done) => return Ok(done),
            Outcome::NeedsTime(request) => {
                images.insert_time(request.identifier, SourceTime::Seconds(1_000_000_000));
            }
            Outcome::NeedsImages(requests) => {
                assert!(!requests.is_empty());
                for request in requests {
                    assert!(!images.contains(&request), "asked for twice: {request:?}");
                    answer(&mut images, request, config);
                }
            }
        }
    }
}

fn answer(images: &mut ResolvedImages, request: ImageRequest, config: &[u8]) {
    let digest = Digest::sha256(request.reference.to_string().as_bytes());
    match ResolvedImage::parse(Some(digest), config) {
        Ok(image) => images.insert(request, image),
        Err(error) => images.insert_failure(request, std::sync::Arc::new(error)),
    }
}

fn agree(once: &Translation, again: &Translation) {
    let (first, second) = (once.to_json(), again.to_json());
    assert_eq!(first, second);
    assert_eq!(first.to_string(), second.to_string());
    let definition = &once.definition;
    for vertex in definition.vertices() {
        assert_eq!(vertex.digest(), Digest::sha256(vertex.op()));
        assert!(definition.vertex(vertex.digest_str()).is_some());
    }
    let head = definition.head();
    assert_eq!(head.is_none(), definition.is_empty());
    assert!(head.is_none_or(|head| definition.vertex(head.as_str()).is_some()));
}

trait SplitBy {
    /// Like `str::split`, for bytes.
    fn splitn_by<'a>(&'a self, separator: &'a [u8]) -> impl Iterator<Item = &'a [u8]>;
}

impl SplitBy for [u8] {
    fn splitn_by<'a>(&'a self, separator: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = Some(self);
        std::iter::from_fn(move || {
            let text = rest?;
            let at = text
                .windows(separator.len())
                .position(|part| part == separator);
            rest = at.map(|at| &text[at + separator.len()..]);
            Some(&text[..at.unwrap_or(text.len())])
        })
    }
}
