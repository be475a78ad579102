//! Translations of Dockerfiles, checked by their properties; the corpus (`tests/corpus.rs`) has the
//! digests.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::dockerfile::{self, LintConfig};
use crate::llb;

/// Answers a request with an image of the requested platform with one layer and these triggers.
fn image(request: &ImageRequest, triggers: &[&str]) -> ResolvedImage {
    let platform = request.platform.clone().unwrap_or_default();
    let layer = crate::oci::Digest::sha256(b"layer");
    let config = serde_json::json!({
        "architecture": platform.architecture, "os": platform.os,
        "rootfs": {"type": "layers", "diff_ids": [layer]},
        "config": {"Env": ["PATH=/bin", "HOME=/root"], "OnBuild": triggers},
    });
    ResolvedImage::parse(Some(layer), config.to_string().as_bytes()).unwrap()
}

/// Returns the translation, with every image resolved; `triggers` are those of all base images.
fn translated_with(
    source: &str,
    options: &Options,
    triggers: &[&str],
) -> Result<Translation, Error> {
    let dockerfile = dockerfile::parse(source.as_bytes()).unwrap();
    let mut images = ResolvedImages::new();
    loop {
        match translate(&dockerfile, options, &images)? {
            Outcome::Done(done) => return Ok(*done),
            Outcome::NeedsTime(request) => {
                images.insert_time(request.identifier, SourceTime::Seconds(1))
            }
            Outcome::NeedsImages(requests) => {
                for request in requests {
                    let image = image(&request, triggers);
                    images.insert(request, image);
                }
            }
        }
    }
}

fn options() -> Options {
    let platform = |text| Platform::parse(text).unwrap();
    Options {
        platform: Some(platform("linux/arm64")),
        build_platforms: vec![platform("linux/amd64")],
        session_id: "session".into(),
        ..Options::default()
    }
}

fn translated(source: &str) -> Translation {
    translated_with(source, &options(), &[]).unwrap()
}

fn names(done: &Translation) -> Vec<&str> {
    done.definition
        .vertices()
        .iter()
        .filter_map(|vertex| vertex.metadata().name())
        .collect()
}

/// Returns the first lines of an error, and its text.
fn failure(source: &str) -> (Vec<u32>, String) {
    let error = translated_with(source, &options(), &[]).unwrap_err();
    (
        error.spans.iter().map(|span| span.first).collect(),
        error.to_string(),
    )
}

#[test]
fn only_stages_that_the_target_needs_are_built() {
    let done = translated(
        "FROM alpine AS unused\nRUN exit 1\nFROM --platform=$BUILDPLATFORM golang AS build\nRUN \
         make\n\
         FROM scratch\nCOPY --from=build /app /app\n",
    );
    let digest = crate::oci::Digest::sha256(b"layer");
    let from = format!("[build 1/2] FROM docker.io/library/golang:latest@{digest}");
    assert_eq!(
        names(&done),
        [
            from.as_str(),
            "[build 2/2] RUN make",
            "[stage-2 1/1] COPY --from=build /app /app"
        ]
    );
    assert_eq!(done.image.platform.architecture, "arm64");
}

#[test]
fn several_platforms_put_the_platform_in_front_of_names() {
    let options = Options {
        multi_platform: true,
        ..options()
    };
    let done = translated_with(
        "FROM --platform=$BUILDPLATFORM a\nARG TARGETARCH\nRUN x\n",
        &options,
        &[],
    )
    .unwrap();
    assert_eq!(names(&done)[1], "[linux/amd64->arm64 2/2] RUN x");
}

#[test]
fn base_images_are_asked_for_with_the_platform_they_are_for() {
    let dockerfile = dockerfile::parse(
        b"FROM --platform=$BUILDPLATFORM a AS x\nFROM b\nCOPY --from=x / /\nCOPY --from=c / /\n",
    );
    let Ok(Outcome::NeedsImages(requests)) =
        translate(&dockerfile.unwrap(), &options(), &ResolvedImages::new())
    else {
        panic!()
    };
    let asked: Vec<_> = requests
        .iter()
        .map(|request| {
            format!(
                "{} {}",
                request.reference,
                request.platform.as_ref().unwrap()
            )
        })
        .collect();
    assert_eq!(
        asked,
        [
            "docker.io/library/a:latest linux/amd64",
            "docker.io/library/b:latest linux/arm64",
            "docker.io/library/c:latest linux/arm64",
        ]
    );
    assert_eq!(
        requests[0].log_name,
        "[internal] load metadata for docker.io/library/a:latest"
    );
}

#[test]
fn triggers_of_the_base_image_run_first_and_may_need_other_stages() {
    let triggers = ["RUN one", "COPY --from=tool /t /t"];
    let source = "FROM scratch AS tool\nCOPY tool /t\nFROM base\nRUN own\n";
    let done = translated_with(source, &options(), &triggers).unwrap();
    assert_eq!(
        names(&done)[1..],
        [
            "[stage-1 2/4] ONBUILD RUN one",
            "[internal] load build context",
            "[tool 1/1] COPY tool /t",
            "[stage-1 3/4] ONBUILD COPY --from=tool /t /t",
            "[stage-1 4/4] RUN own",
        ]
    );
    assert!(done.image.config.on_build.is_empty());
    let error = translated_with("FROM base\n", &options(), &["NOSUCH x"]).unwrap_err();
    assert_eq!((error.spans[0].first, error.spans.len()), (1, 1));
}

#[test]
fn the_context_holds_what_is_used_of_it() {
    let followed = |source: &str| {
        let done = translated(source);
        let context = done
            .definition
            .vertices()
            .iter()
            .find(|vertex| vertex.metadata().name() == Some("[internal] load build context"));
        String::from_utf8_lossy(context.unwrap().op()).into_owned()
    };
    let some = followed("FROM scratch\nCOPY b /\nADD ./a/*.c x/../y /\n");
    assert!(some.contains(r#"["a/*.c","b","y"]"#), "{some}");
    assert!(!followed("FROM scratch\nCOPY a /\nCOPY . /\n").contains("local.followpaths"));
}

#[test]
fn errors_tell_their_lines_and_the_nearest_name() {
    let cases: &[(&str, &[u32], &str)] = &[
        (
            "FROM scratch AS a\nCOPY --from=b / /\nFROM scratch AS b\nCOPY --from=a / /\n",
            &[2, 4],
            "needs itself",
        ),
        (
            "FROM scratch\nCOPY --from=late / /\nFROM scratch AS late\n",
            &[],
            "",
        ),
        (
            "FROM scratch AS late\nFROM scratch\nCOPY --from=3 / /\n",
            &[3],
            "there are only 2",
        ),
        ("FROM scratch\nCOPY --from=$x / /\n", &[2], "variable"),
        ("ARG X\nFROM $X\n", &[2], "is empty"),
        ("FROM UPPER\n", &[1], "neither an earlier stage"),
        (
            "FROM --platform=$TARGETPLATFROM a\n",
            &[1],
            "did you mean TARGETPLATFORM?",
        ),
        ("FROM --platform=linux/a/b/c a\n", &[1, 1], "cannot be used"),
        ("FROM a\nRUN []\n", &[2], "no command"),
        ("FROM a\nEXPOSE 80/foo\n", &[2], "protocol"),
        ("FROM a\nSTOPSIGNAL SIGFOO\n", &[2], "not a signal"),
        ("FROM a\nCOPY --chmod=999 a b\n", &[2], "--chmod=999"),
        ("FROM a\nCOPY https://x/y /\n", &[2], "ADD can"),
        ("FROM a\nADD https://x/y.git?x=y /\n", &[2], "unknown key"),
        ("FROM a\nADD --checksum=sha256:1 file /\n", &[2], "neither"),
        ("FROM a\nUSER ${X?no user}\n", &[2], "no user"),
        (
            "FROM a\nRUN --mount=type=tmpfs,target=/ x\n",
            &[2],
            "target other than /",
        ),
    ];
    for (source, lines, text) in cases.iter().filter(|(_, _, text)| !text.is_empty()) {
        let (found, message) = failure(source);
        assert!(message.contains(text), "{source}: {message}");
        assert_eq!(found, *lines, "{source}: {message}");
    }
}

#[test]
fn a_stage_that_comes_later_cannot_be_copied_from() {
    let (lines, message) = failure("FROM scratch AS a\nCOPY --from=b / /\nFROM a AS b\nFROM a\n");
    assert_eq!((lines, message.contains("move it up")), (vec![2], true));
}

#[test]
fn an_unknown_target_is_answered_with_the_nearest_and_all_names() {
    let options = Options {
        target: Some("biuld".into()),
        ..options()
    };
    let error = translated_with("FROM a AS build\nFROM a AS test\n", &options, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no stage \"biuld\" to build (did you mean build?); the stages are: build, test"
    );
}

#[test]
fn an_image_that_is_not_found_fails_where_it_is_named() {
    let dockerfile = dockerfile::parse(b"FROM scratch\nFROM alpin\n").unwrap();
    let mut images = ResolvedImages::new();
    let Ok(Outcome::NeedsImages(requests)) = translate(&dockerfile, &options(), &images) else {
        panic!()
    };
    let failure: Box<dyn std::error::Error + Send + Sync> = "not there".into();
    images.insert_failure(requests[0].clone(), failure.into());
    let error = translate(&dockerfile, &options(), &images).unwrap_err();
    assert_eq!(error.spans[0].first, 2);
    assert!(error.to_string().contains("did you mean alpine?"));
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "not there"
    );
}

#[test]
fn an_image_that_copies_from_itself_when_built_on_is_an_error() {
    let source = "FROM scratch\nRUN x\nFROM a\nRUN x\n";
    let error = translated_with(source, &options(), &["COPY --from=b / /"]).unwrap_err();
    assert_eq!(error.spans[0].first, 3);
    let Reason::TriggersWithoutEnd { reference, .. } = &*error.reason else {
        panic!("{error:?}")
    };
    assert!(reference.starts_with("docker.io/library/b:latest@"));
}

#[test]
fn findings_come_once_though_the_translation_is_asked_twice() {
    let source = b"FROM base\nWORKDIR rel\nENV PASSWORD=$NOSUCH\nCMD x\nCMD y\nEXPOSE 80/TCP \
        1:2\nCOPY ign /\n";
    let mut options = options();
    options.context = Context::Local(LocalContext {
        exclude_patterns: vec!["ign".into()],
        ..LocalContext::new("context")
    });
    let mut linter = Linter::new(LintConfig::default());
    let dockerfile = dockerfile::parse_and_lint(source, &mut linter).unwrap();
    let mut images = ResolvedImages::new();
    while let Outcome::NeedsImages(requests) =
        translate_and_lint(&dockerfile, &options, &images, &mut linter).unwrap()
    {
        for request in requests {
            let image = image(&request, &[]);
            images.insert(request, image);
        }
    }
    let found: Vec<_> = linter
        .findings()
        .iter()
        .map(|finding| (finding.rule.name(), finding.span.first))
        .collect();
    assert_eq!(
        found,
        [
            ("WorkdirRelativePath", 2),
            ("UndefinedVar", 3),
            ("SecretsUsedInArgOrEnv", 3),
            ("JSONArgsRecommended", 4),
            ("MultipleInstructionsDisallowed", 4),
            ("JSONArgsRecommended", 5),
            ("ExposeInvalidFormat", 6),
            ("ExposeProtoCasing", 6),
            ("CopyIgnoredFile", 7),
        ]
    );
}

#[test]
fn linked_copies_are_merged_in_one_progress_group() {
    let done = translated("FROM a\nCOPY --link x /\n");
    let copy = &done.definition.vertices()[2..];
    let group = |at: usize| copy[at].metadata().progress_group.clone().unwrap();
    assert_eq!((group(0).weak, group(1).weak), (true, false));
    assert_eq!(group(0).id, group(1).id);
    assert_eq!(
        copy[1].metadata().name(),
        Some("[2/2] LINK COPY --link x /")
    );
    let old = Options {
        caps: options().caps.without(crate::llb::Cap::MergeOp),
        ..options()
    };
    let plain = translated_with("FROM a\nCOPY --link x /\n", &old, &[]).unwrap();
    assert_eq!(plain.definition.vertices().len(), 3);
}

#[test]
fn bytes_that_are_no_text_stop_only_what_llb_keeps_as_text() {
    let parsed = |source: &[u8]| {
        let dockerfile = dockerfile::parse(source).unwrap();
        translate(&dockerfile, &options(), &ResolvedImages::new())
    };
    let file = b"FROM scratch\nENV A=\xff\nCOPY <<'E' /f\nJ\xf6rg\nE\nLABEL b=\xff\n";
    let Ok(Outcome::Done(done)) = parsed(file) else {
        panic!("not translated")
    };
    let has = |bytes: &[u8]| {
        let ops = done.definition.ops();
        ops.flat_map(|op| op.windows(bytes.len()))
            .any(|part| part == bytes)
    };
    assert!(has(b"J\xf6rg\n"));
    assert_eq!(done.image.config.labels["b"], "\u{fffd}");
    let error = parsed(b"FROM scratch\nRUN echo \xff\n").unwrap_err();
    assert!(matches!(*error.reason, Reason::InvalidUtf8));
}

#[test]
fn a_context_can_take_the_place_of_a_stage_or_image() {
    let made = translated("FROM a\nRUN inner\n");
    let target = NamedContext::Target {
        state: Box::new(made.state.clone()),
        image: Some(Arc::new(made.image)),
    };
    let local = NamedContext::Local(LocalContext::new("folder"));
    let contexts = BTreeMap::from([("base".to_owned(), target), ("src".to_owned(), local)]);
    let options = Options {
        contexts,
        ..options()
    };
    let done = translated_with(
        "FROM base\nCOPY --from=src /x /\nRUN outer\n",
        &options,
        &[],
    )
    .unwrap();
    assert_eq!(
        names(&done)[1..],
        [
            "[2/2] RUN inner",
            "[context src] load from client",
            "[stage-0 1/3] COPY --from=src /x /",
            "[stage-0 2/3] RUN outer",
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Meaningful words in any order: no panic, and the same bytes twice.
    #[test]
    fn any_dockerfile_is_translated_or_refused_in_the_same_way_twice(text in dockerfiles()) {
        if dockerfile::parse(text.as_bytes()).is_ok() {
            let made = || translated_with(&text, &options(), &["ENV A=1", "COPY --from=b x y"]);
            let shown = |made: Result<Translation, Error>| match made {
                Ok(done) => done.to_json().to_string(),
                Err(error) => error.to_json().to_string(),
            };
            prop_assert_eq!(shown(made()), shown(made()));
        }
    }

    #[test]
    fn digests_are_those_of_the_bytes(text in dockerfiles()) {
        if dockerfile::parse(text.as_bytes()).is_ok()
            && let Ok(done) = translated_with(&text, &options(), &["ENV A=1"])
        {
            let mut known = Vec::new();
            for vertex in done.definition.vertices() {
                prop_assert_eq!(vertex.digest(), crate::oci::Digest::sha256(vertex.op()));
                prop_assert!(!known.contains(&vertex.digest()));
                known.push(vertex.digest());
            }
            prop_assert!(done.definition.head().is_none_or(|head| known.contains(&head)));
        }
    }

    /// The bodies of heredocs keep their line ends, all other text loses them.
    #[test]
    fn line_ends_and_a_byte_order_mark_change_nothing(text in dockerfiles()) {
        let other = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        let parsed = [&text, &other].map(|text| dockerfile::parse(text.as_bytes()).is_ok());
        prop_assert_eq!(parsed[0], parsed[1], "{:?}", text);
        if parsed[0] && !text.contains("<<") {
            let digests = [&text, &other].map(|text| {
                let done = translated_with(text, &options(), &[]).ok()?;
                Some((done.definition.head(), done.image))
            });
            prop_assert_eq!(&digests[0], &digests[1], "{:?}", text);
        }
    }
}

/// Meaningful words in any order.
fn dockerfiles() -> impl Strategy<Value = String> {
    let word = prop::sample::select(WORDS.to_vec());
    let line = prop::collection::vec(word, 1..7).prop_map(|words| words.concat());
    prop::collection::vec(line, 1..12)
        .prop_map(|lines| format!("FROM a AS b\n{}\n", lines.join("\n")))
}

const WORDS: &[&str] = &[
    "FROM ",
    "a ",
    "AS b",
    "AS c",
    "RUN ",
    "COPY ",
    "ADD ",
    "--from=",
    "b ",
    "c ",
    "0 ",
    "--link ",
    "--parents ",
    "--chmod=u+x ",
    "--chown=1:x ",
    "--mount=type=cache,target=x ",
    "--mount=type=bind,from=b,rw,target=/y ",
    "--mount=type=secret,id=s,env=S ",
    "--mount=type=ssh ",
    "ENV ",
    "A=$B ",
    "B=${A:-x} ",
    "ARG ",
    "TARGETARCH ",
    "WORKDIR ",
    "../x ",
    "C:\\ ",
    "USER ",
    "EXPOSE ",
    "80-90/udp ",
    "$",
    "{",
    "}",
    "\\\n",
    "<<E\n#!x\nE",
    "scratch ",
    "--platform=windows ",
    "--platform=$BUILDPLATFORM ",
    "ONBUILD ",
    "https://x/y.git#z ",
    "git@h:p ",
    "http://x/y ",
    "[",
    "\"x\"",
    "]",
    ". ",
    "/ ",
    "HEALTHCHECK CMD x",
    "SHELL [\"s\"]",
    "VOLUME /v ",
    "LABEL x=y ",
    "CMD x",
    "\u{e9}",
    "'",
    "\"",
];

/// The capabilities of BuildKit 0.13: without the ones that came later.
fn older() -> llb::CapSet {
    use llb::Cap::*;
    let unknown = [
        SourceImageChecksum,
        SourceMetadataTransfer,
        SourceGitChecksum,
        SourceGitSkipSubmodules,
        SourceGitMtime,
        SourceGitFetchByCommit,
        ExecMetaCdi,
        ExecMetaRemoveMountStubsRecursive,
        ExecMetaLinuxResources,
        ExecValidExitCode,
        FileCopyRequiredPaths,
        FileCopyModeString,
        FileSymlinkCreate,
        PassthroughOp,
    ];
    unknown
        .into_iter()
        .fold(llb::CapSet::all(), llb::CapSet::without)
}

#[test]
fn an_older_daemon_is_asked_for_nothing_that_it_does_not_know() {
    let source = "FROM a AS one\nRUN --mount=type=cache,target=/c,sharing=locked \
                  --mount=type=tmpfs,target=/t,size=1m \\\n  \
                  --mount=type=secret,id=s,env=S --mount=type=ssh --mount=type=bind,rw,target=/b \
                  x\n\
                  RUN --network=none --security=insecure y\nCOPY --link --chmod=644 --exclude=*.o \
                  a* /d/\n\
                  ADD https://example.com/x https://example.com/y.git#main /e/\nFROM a\nCOPY \
                  --from=one --parents /d/*/ /\n";
    let limits = llb::LinuxResources {
        memory: 1 << 30,
        ..llb::LinuxResources::default()
    };
    let limit = llb::Ulimit {
        name: "nofile".into(),
        soft: 1,
        hard: 1,
    };
    let options = Options {
        caps: older(),
        linux_resources: Some(limits.into()),
        ulimits: [limit].into(),
        shm_size: 1 << 20,
        cgroup_parent: Some("parent".into()),
        devices: vec![llb::Device {
            name: "vendor.com/gpu=all".into(),
            optional: false,
        }],
        ..options()
    };
    let done = translated_with(source, &options, &[]).unwrap();
    for vertex in done.definition.vertices() {
        let asked: Vec<_> = vertex
            .caps()
            .iter()
            .filter(|cap| !options.caps.contains(*cap))
            .collect();
        assert_eq!(asked, [], "{:?}", vertex.metadata().name());
    }
    let newer = Options {
        caps: llb::CapSet::all(),
        ..options
    };
    let all = translated_with(source, &newer, &[]).unwrap();
    let asks = |cap| {
        all.definition
            .vertices()
            .iter()
            .any(|vertex| vertex.caps().contains(cap))
    };
    assert!(asks(llb::Cap::ExecMetaCdi) && asks(llb::Cap::ExecMetaLinuxResources));
}

#[test]
fn devices_of_run_are_asked_for_where_the_daemon_knows_devices() {
    let source = "FROM a\nRUN --device=v.com/c=x,required --device=v.com/c=y z\n";
    let devices = |caps| {
        let options = Options { caps, ..options() };
        let done = translated_with(source, &options, &[]).unwrap();
        let shown = done.to_json();
        shown["vertices"][1]["op"]["exec"]["cdiDevices"].clone()
    };
    let expected =
        serde_json::json!([{"name": "v.com/c=x"}, {"name": "v.com/c=y", "optional": true}]);
    assert_eq!(devices(llb::CapSet::all()), expected);
    assert_eq!(devices(older()), serde_json::Value::Null);
}

#[test]
fn errors_have_lines_also_where_the_reference_has_none() {
    for (source, line) in [
        ("FROM a\nRUN --mount=from=BAD:: x\n", 2),
        ("FROM a\nCOPY --from=${A^} b c\n", 2),
        ("FROM a\nCOPY --from=$A b c\n", 2),
        ("FROM a\nFROM a AS x..y\n", 2),
        ("FROM a\nRUN []\n", 2),
        ("ARG SOURCE_DATE_EPOCH=nothing\nFROM a\n", 1),
    ] {
        let error = translated_with(source, &options(), &[]).unwrap_err();
        let shown = error.to_json();
        assert_eq!(shown["errorLines"][0], line, "{source}");
        assert_eq!(shown["errorRanges"], serde_json::Value::Null, "{source}");
    }
    let trigger = translated_with("FROM a AS b\n", &options(), &["COPY --from=$A b c"]);
    let shown = trigger.unwrap_err().to_json();
    assert_eq!(shown["errorRanges"][0][0][0], 1);
}

#[test]
fn words_of_expose_are_expanded_before_any_is_read() {
    let found = |source: &str| {
        let dockerfile = dockerfile::parse(source.as_bytes()).unwrap();
        let mut linter = Linter::default();
        let images = ResolvedImages::new();
        let refused = translate_and_lint(&dockerfile, &options(), &images, &mut linter);
        assert!(refused.is_err(), "{source}");
        let findings = linter.findings().iter();
        findings
            .map(|finding| finding.rule.name())
            .collect::<Vec<_>>()
    };
    let reported = ["ExposeProtoCasing", "ExposeInvalidFormat"];
    assert_eq!(found("FROM scratch\nEXPOSE a.b:80:80/UDP\n"), reported);
    let unset = "FROM scratch\nEXPOSE a.b:80:80/UDP ${X:?gone}\n";
    assert_eq!(found(unset), [""; 0]);
}

#[test]
fn the_time_of_a_source_is_asked_for_however_it_is_used() {
    let asked = |context: Context| {
        let options = Options {
            context,
            build_args: BTreeMap::from([("SOURCE_DATE_EPOCH".into(), "context".into())]),
            ..options()
        };
        let dockerfile = dockerfile::parse(b"FROM scratch\n").unwrap();
        match translate(&dockerfile, &options, &ResolvedImages::new()).unwrap() {
            Outcome::NeedsTime(request) => Some(request.identifier),
            _ => None,
        }
    };
    let git = Context::Git {
        url: "https://h/r.git".into(),
        keep_git_dir: false,
        subdir: Some("sub".into()),
    };
    assert_eq!(asked(git).as_deref(), Some("git://h/r.git"));
    let archive = Context::Http {
        url: "https://h/a.tar".into(),
        archive: true,
        subdir: Some("sub".into()),
    };
    assert_eq!(asked(archive).as_deref(), Some("https://h/a.tar"));
    assert_eq!(asked(Context::default()), None);
}

#[test]
fn the_epoch_of_a_context_that_is_no_source_is_an_error() {
    let made = |specifier: &str, found: bool| {
        let context = NamedContext::from_specifier(specifier);
        let options = Options {
            contexts: BTreeMap::from([("x".to_owned(), context)]),
            build_args: BTreeMap::from([("SOURCE_DATE_EPOCH".into(), "x".into())]),
            ..options()
        };
        let dockerfile = dockerfile::parse(b"FROM scratch\n").unwrap();
        let mut images = ResolvedImages::new();
        let mut asked = 0;
        loop {
            match translate(&dockerfile, &options, &images) {
                Ok(Outcome::NeedsImages(requests)) => {
                    for request in requests {
                        asked += 1;
                        assert_eq!(request.platform, None);
                        match found {
                            true => images.insert(request.clone(), image(&request, &[])),
                            false => images.insert_failure(request, Arc::new(std::fmt::Error)),
                        }
                    }
                }
                other => return (asked, other.map(|_| ()).map_err(|error| error.to_string())),
            }
        }
    };
    assert_eq!(made("docker-image://a", true), (1, Ok(())));
    assert_eq!(made("local:a", true), (0, Ok(())));
    let (asked, refused) = made("docker-image://a", false);
    assert!(asked == 1 && refused.is_err());
    for specifier in ["input:a", "what:a", "oci-layout://store:tag", "what"] {
        let (_, refused) = made(specifier, true);
        assert!(refused.unwrap_err().contains("\"x\""), "{specifier}");
    }
}

#[test]
fn an_epoch_beyond_the_years_that_json_has_fails_last() {
    let built = |source: &str| {
        let epoch = "999999999999".to_owned();
        let options = Options {
            build_args: BTreeMap::from([("SOURCE_DATE_EPOCH".to_owned(), epoch)]),
            ..options()
        };
        translated_with(source, &options, &[]).unwrap_err().reason
    };
    let used = built("FROM scratch\nUSER a\n");
    assert!(matches!(*used, Reason::Epoch { .. }));
    let other = built("FROM scratch\nUSER a\nEXPOSE x\n");
    assert!(matches!(*other, Reason::Port { .. }));
}

#[test]
fn a_context_that_a_policy_replaces_is_that_then() {
    let context = NamedContext::from_specifier("docker-image://a");
    let options = Options {
        contexts: BTreeMap::from([("x".to_owned(), context)]),
        ..options()
    };
    let translated = |source: &[u8]| {
        let dockerfile = dockerfile::parse(source).unwrap();
        let mut images = ResolvedImages::new();
        loop {
            match translate(&dockerfile, &options, &images) {
                Ok(Outcome::NeedsImages(requests)) => {
                    for request in requests {
                        let mut folder = LocalContext::new("folder");
                        folder.exclude_patterns = vec!["hidden".to_owned()];
                        let folder = NamedContext::Local(folder);
                        images.insert_context(request, folder, Arc::new(std::fmt::Error));
                    }
                }
                Ok(Outcome::Done(done)) => return Ok(*done),
                Ok(Outcome::NeedsTime(_)) => panic!("no time is needed"),
                Err(error) => return Err(error),
            }
        }
    };
    let done = translated(b"FROM scratch\nCOPY --from=x /a /b\n").unwrap();
    let shown = done.to_json();
    let source = &shown["vertices"][0]["op"]["source"];
    assert_eq!(source["identifier"], "local://folder");
    assert_eq!(source["attrs"]["local.excludepatterns"], "[\"hidden\"]");
    let refused = translated(b"FROM b\n").unwrap_err();
    assert!(matches!(*refused.reason, Reason::BaseImage { .. }));
}

#[test]
fn an_exclusion_of_what_a_wildcard_matches_is_reported_and_fails_nothing() {
    let found = |copy: &str| {
        let source = format!("# check=error=true\nFROM scratch\nCOPY {copy} ./\n");
        let dockerfile = dockerfile::parse(source.as_bytes()).unwrap();
        let config = LintConfig::of_dockerfile(source.as_bytes()).unwrap();
        let mut linter = Linter::new(config);
        let images = ResolvedImages::new();
        let done = translate_and_lint(&dockerfile, &options(), &images, &mut linter).unwrap();
        assert!(matches!(done, Outcome::Done(_)));
        let findings = linter.findings().iter();
        findings
            .map(|finding| finding.rule.name())
            .collect::<Vec<_>>()
    };
    assert_eq!(found("--exclude=a *"), ["CopyExcludedMatch"]);
    assert_eq!(found("--exclude=a ."), [""; 0]);
    assert_eq!(found("--exclude=**/a *"), [""; 0]);
    assert_eq!(found("--exclude=a --parents *"), [""; 0]);
}

#[test]
fn a_name_of_arg_that_is_not_expanded_is_reported_and_fails_nothing() {
    let found = |source: &str| {
        let config = LintConfig::of_dockerfile(source.as_bytes()).unwrap();
        let mut linter = Linter::new(config);
        let dockerfile = dockerfile::parse_and_lint(source.as_bytes(), &mut linter).unwrap();
        let images = ResolvedImages::new();
        let done = translate_and_lint(&dockerfile, &options(), &images, &mut linter).unwrap();
        assert!(matches!(done, Outcome::Done(_)));
        let findings = linter.findings().iter();
        findings
            .map(|finding| (finding.rule.name(), finding.span.first))
            .collect::<Vec<_>>()
    };
    const RULE: &str = "UnexpandedArgName";
    let both = "# check=error=true\nARG a${x}=1\nFROM scratch\nARG b=1 ${b}= 'c'=d\n";
    assert_eq!(found(both), [(RULE, 2), (RULE, 4), (RULE, 4)]);
    let escaped = "# escape=`\nFROM scratch\nARG a`b=1 a\\b=1 c=$a\n";
    assert_eq!(found(escaped)[0], (RULE, 3));
    assert_eq!(found("ARG a-b.c=$x\nFROM scratch\nARG a_B\n"), [("", 0); 0]);
    let skipped = "FROM scratch\n# check=skip=UnexpandedArgName\nARG ${x}=\n";
    assert_eq!(found(skipped), [("", 0); 0]);
}

#[test]
fn variables_of_the_config_keep_their_places() {
    let source = "FROM a\nENV A=1 B=2\nENV A=3 PATH=/x\nENV C=4\nENV C=5\n";
    let done = translated(source);
    let env = &done.image.config.env;
    let from = env.iter().position(|known| known == "A=3").unwrap();
    assert_eq!(env[from..], ["A=3", "B=2", "C=5"], "{env:?}");
    assert!(env.contains(&"PATH=/x".to_owned()), "{env:?}");
}

#[test]
fn what_is_found_before_the_time_of_a_source_fails_stays_found() {
    let source =
        "ARG V\nARG SOURCE_DATE_EPOCH=src\nFROM a:$V\nFROM scratch AS src\nADD https://h/a /\n";
    let dockerfile = dockerfile::parse(source.as_bytes()).unwrap();
    let mut linter = Linter::default();
    let mut images = ResolvedImages::new();
    images.insert_time_failure("https://h/a", Arc::new(std::fmt::Error));
    let refused = translate_and_lint(&dockerfile, &options(), &images, &mut linter).unwrap_err();
    assert!(matches!(*refused.reason, Reason::EpochSource { .. }));
    assert_eq!(linter.findings()[0].rule.name(), "InvalidDefaultArgInFrom");
}

#[test]
fn a_malformed_ignore_pattern_is_an_error_even_if_nothing_is_copied() {
    let dockerfile = crate::dockerfile::parse(b"FROM scratch\n").unwrap();
    for pattern in ["[", "a\\", "!"] {
        let options = Options {
            context: Context::Local(LocalContext {
                exclude_patterns: vec![pattern.into()],
                ..LocalContext::new("context")
            }),
            ..Options::default()
        };
        let error = translate(&dockerfile, &options, &ResolvedImages::new()).unwrap_err();
        assert!(matches!(*error.reason, Reason::IgnorePattern(_)), "{error}");
    }
}
