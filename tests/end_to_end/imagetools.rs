//! `solvekit imagetools` with the real registries, compared with docker-buildx: the same text, the
//! same bytes.

use std::process::Command;

use crate::support::{Engine, Finished, buildx, folder_of, solvekit, unique};

const BOTH: &str = "linux/amd64,linux/arm64";

fn imagetools(arguments: &[&str]) -> Finished {
    Finished::of(solvekit(["imagetools"]).args(arguments))
}

/// The output of docker-buildx for the same arguments.
#[track_caller]
fn as_buildx(arguments: &[&str]) -> String {
    let output = buildx(["imagetools"]).args(arguments).output();
    let output = output.expect("docker-buildx is there");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// An image for two platforms with provenance.
fn attested() -> String {
    let name = format!("{}:1", Engine::get().name("inspected"));
    let context = folder_of(&[("Dockerfile", "FROM alpine\nENV word=hello\nCMD [\"<a>\"]\n")]);
    Finished::of(
        solvekit([
            "build",
            "--platform",
            BOTH,
            "--provenance=mode=min",
            "--push",
            "-t",
            &name,
        ])
        .arg(context.path()),
    )
    .succeeded();
    name
}

#[test]
fn inspect_prints_what_buildx_prints() {
    let alpine = format!("{}/library/alpine", Engine::get().registry);
    let attested = attested();
    for name in [&alpine, &attested] {
        for more in [
            &[][..],
            &["--raw"],
            &["--format", "{{json .Manifest}}"],
            &["--format", "{{json .Image}}"],
            &["--format", "{{json .}}"],
            &["--format", "{{json .Provenance}}{{json .SBOM}}"],
            &["--format", "{{json (index .Image \"linux/arm64\")}}"],
            &["--format", "{{.Name}} {{.Manifest.Digest}}"],
            &[
                "--format",
                "{{range .Manifest.Manifests}}{{println .Digest .Platform.OS \
                 .Platform.Architecture}}{{end}}",
            ],
        ] {
            let arguments = [&["inspect", name.as_str()], more].concat();
            let printed = imagetools(&arguments).succeeded().stdout;
            let text = as_buildx(&arguments);
            // Without a template, buildx prints annotations in random order.
            let sorted = |text: &str| {
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                if more.is_empty() {
                    lines.sort();
                }
                lines
            };
            assert_eq!(sorted(&printed), sorted(&text), "{arguments:?}");
        }
    }
}

#[test]
fn inspect_of_one_platform_has_its_config_at_hand() {
    let alpine = format!("{}/library/alpine", Engine::get().registry);
    let format = "{{range .Manifest.Manifests}}{{if eq \
                  .Platform.Architecture \"arm64\"}}{{.Digest}}{{end}}{{end}}";
    let digest = imagetools(&["inspect", &alpine, "--format", format])
        .succeeded()
        .stdout;
    let one = format!("{alpine}@{digest}");
    let found = imagetools(&[
        "inspect",
        &one,
        "--format",
        "{{.Image.Architecture}} {{.Provenance}}",
    ]);
    assert_eq!(found.succeeded().stdout, "arm64 {<nil>}");
}

#[test]
fn mistakes_of_inspect_say_what_there_is() {
    let engine = Engine::get();
    let alpine = format!("{}/library/alpine", engine.registry);
    for (arguments, texts) in [
        (
            &["inspect", &alpine, "--format", "{{.Manfest}}"][..],
            &["did you mean Manifest?", "Provenance"][..],
        ),
        (
            &["inspect", &alpine, "--format", "{{jsn .}}"],
            &["jsn", "did you mean json?"],
        ),
        (
            &["inspect", &alpine, "--format", "{{.Image.Config}}"],
            &[".Image", "linux/arm64"],
        ),
        (
            &["inspect", &format!("{alpine}:none")],
            &["404", "none", "has the tags", "latest"],
        ),
        (&["inspect", "Upper"], &["lower-case"]),
        (&["inspect", "127.0.0.1:1/a"], &["127.0.0.1:1", "refused"]),
        (
            &["inspect", &format!("{}/private/x:1", engine.registry_tls)],
            &[&engine.registry_tls, "UnknownIssuer", "certs.d"],
        ),
    ] {
        let code = if texts.contains(&"refused") { 75 } else { 1 };
        imagetools(arguments).failed_with(code, texts);
    }
}

#[test]
fn the_authority_of_a_registry_is_found_in_certs_d() {
    let engine = Engine::get();
    let name = format!("{}/private/x:1", engine.registry_tls);
    let home = folder_of(&[]);
    let folder = home
        .path()
        .join("docker/certs.d")
        .join(&engine.registry_tls);
    std::fs::create_dir_all(&folder).expect("it can be made");
    std::fs::copy(&engine.ca, folder.join("ca.crt")).expect("it can be copied");
    let run = |command: &mut Command| Finished::of(command.args(["imagetools", "inspect", &name]));
    run(solvekit::<&str>([]).env("XDG_CONFIG_HOME", home.path()))
        .failed_with(77, &["401", "repository:private/x:pull", "log in"]);
    let unchecked = Finished::of(&mut solvekit([
        "imagetools",
        "inspect",
        "--insecure-registry",
        &engine.registry_tls,
        &name,
    ]));
    unchecked.failed_with(77, &["is not checked", "401"]);
}

/// The digests of an image's manifests, by platform.
fn digest_of(name: &str, architecture: &str) -> String {
    let format = format!(
        "{{{{range .Manifest.Manifests}}}}{{{{if eq .Platform.Architecture \
         {architecture:?}}}}}{{{{println .Digest}}}}{{{{end}}}}{{{{end}}}}"
    );
    let found = imagetools(&["inspect", name, "--format", &format]).succeeded();
    let first = found.stdout.lines().next().expect("it has that platform");
    first.to_owned()
}

/// The digest according to skopeo.
fn digest_by_skopeo(name: &str, more: &[&str]) -> String {
    let skopeo = std::env::var_os("SKOPEO").unwrap_or_else(|| "skopeo".into());
    let output = Command::new(skopeo)
        .args(["inspect", "--raw", "--tls-verify=false"])
        .args(more)
        .arg(format!("docker://{name}"))
        .output()
        .expect("skopeo is there");
    assert!(output.status.success(), "{output:?}");
    use sha2::Digest as _;
    format!("sha256:{:x}", sha2::Sha256::digest(&output.stdout))
}

#[test]
fn create_makes_the_index_that_buildx_makes() {
    let alpine = format!("{}/library/alpine", Engine::get().registry);
    let attested = attested();
    let repository = attested.trim_end_matches(":1");
    let amd64 = format!("{alpine}@{}", digest_of(&alpine, "amd64"));
    let arm64 = format!("{alpine}@{}", digest_of(&alpine, "arm64"));
    let built = format!("{repository}@{}", digest_of(&attested, "arm64"));
    let bare = digest_of(&alpine, "386");
    for sources in [
        &[alpine.as_str()][..],
        &[&attested],
        &[&amd64, &arm64],
        &[&amd64, &bare],
        &[&attested, &alpine],
        &[&alpine, &built],
        &[
            "--annotation",
            "index:a=b",
            "--annotation",
            "manifest-descriptor[linux/amd64]:c=<d>",
            &attested,
            &arm64,
        ],
    ] {
        let arguments = [&["create", "--dry-run"], sources].concat();
        let printed = imagetools(&arguments).succeeded().stdout;
        assert_eq!(printed, as_buildx(&arguments), "{sources:?}");
    }
}

#[test]
fn create_pushes_by_every_name_and_says_what() {
    let engine = Engine::get();
    let alpine = format!("{}/library/alpine", engine.registry);
    let name = engine.name("created");
    let (first, second) = (format!("{name}:1"), format!("{name}:2"));
    let other = format!("{}:x", engine.name("also-created"));
    let folder = folder_of(&[]);
    let metadata = folder.path().join("metadata.json");
    let amd64 = format!("{alpine}@{}", digest_of(&alpine, "amd64"));
    let arm64 = format!("{alpine}@{}", digest_of(&alpine, "arm64"));
    let file = metadata.to_str().expect("text");
    imagetools(&[
        "create",
        "-t",
        &first,
        "-t",
        &second,
        "-t",
        &other,
        "--metadata-file",
        file,
        "--progress",
        "plain",
        &amd64,
    ])
    .succeeded();
    let digest = digest_by_skopeo(&first, &[]);
    assert_eq!(digest_by_skopeo(&second, &[]), digest);
    assert_eq!(digest_by_skopeo(&other, &[]), digest);
    let reported: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&metadata).expect("it is there")).expect("JSON");
    assert_eq!(reported["containerimage.descriptor"]["digest"], digest);
    assert_eq!(
        reported["image.name"],
        format!("{},{name}", other.trim_end_matches(":x"))
    );
    // Other tools can read the pushed image.
    assert!(as_buildx(&["inspect", &first]).contains("linux/amd64"));

    let added = imagetools(&["create", "--append", "-t", &first, &arm64]).succeeded();
    assert!(!added.stderr.contains("WARNING"), "{}", added.stderr);
    let platforms = imagetools(&[
        "inspect",
        &first,
        "--format",
        "{{range .Manifest.Manifests}}{{.Platform.Architecture}} {{end}}",
    ]);
    assert_eq!(platforms.succeeded().stdout, "amd64 arm64 ");
    // Another image for a platform that is present already.
    let busybox = format!("{}/library/busybox", engine.registry);
    let busybox = format!("{busybox}@{}", digest_of(&busybox, "arm64"));
    let again = imagetools(&["create", "--append", "-t", &first, &busybox]).succeeded();
    for text in [
        "WARNING: the index has several images for linux/arm64",
        "leave out --append",
        &first,
    ] {
        assert!(again.stderr.contains(text), "{text}: {}", again.stderr);
    }
    imagetools(&["create", "--prefer-index=false", "-t", &second, &arm64]).succeeded();
    assert_eq!(digest_by_skopeo(&second, &[]), digest_of(&alpine, "arm64"));
}

#[test]
fn create_copies_to_another_registry_byte_for_byte() {
    let engine = Engine::get();
    let attested = attested();
    let name = format!("{}:1", engine.name_tls("copied"));
    let config = folder_of(&[(
        "config.json",
        &format!(
            r#"{{"auths": {{"{}": {{"username": "{}", "password": "{}"}}}}}}"#,
            engine.registry_tls, engine.user, engine.password
        ),
    )]);
    let copy = |sources: &[&str]| {
        Finished::of(
            solvekit(["imagetools", "create", "-t", &name])
                .args(sources)
                .env("DOCKER_CONFIG", config.path())
                .env("SSL_CERT_FILE", &engine.ca),
        )
    };
    copy(&[&attested]).succeeded();
    let credentials = format!("{}:{}", engine.user, engine.password);
    let there = digest_by_skopeo(&name, &["--creds", &credentials]);
    assert_eq!(there, digest_by_skopeo(&attested, &[]));
    // Again, with nothing to send; and for one platform only, with its attestation.
    copy(&[&attested]).succeeded();
    copy(&["--platform", "linux/arm64", &attested]).succeeded();
    let kept = Finished::of(
        solvekit([
            "imagetools",
            "inspect",
            &name,
            "--format",
            "{{json .Provenance.SLSA}}{{.Image.Architecture}}",
        ])
        .env("DOCKER_CONFIG", config.path())
        .env("SSL_CERT_FILE", &engine.ca),
    )
    .succeeded();
    assert!(
        kept.stdout.contains("buildType") && kept.stdout.ends_with("arm64"),
        "{}",
        kept.stdout
    );
    // Without the password.
    Finished::of(
        solvekit(["imagetools", "create", "-t", &name, &attested]).env("SSL_CERT_FILE", &engine.ca),
    )
    .failed_with(77, &[&engine.registry_tls, "401", "pull,push", "log in"]);
}

#[test]
fn mistakes_of_create_say_what_to_do() {
    let engine = Engine::get();
    let alpine = format!("{}/library/alpine", engine.registry);
    let busybox = format!("{}/library/busybox", engine.registry);
    let digest = digest_of(&alpine, "arm64");
    let files = folder_of(&[
        (
            "size",
            &format!("{{\"digest\": \"{digest}\", \"size\": 1}}"),
        ),
        ("index", "{\"schemaVersion\": 2}"),
    ]);
    let file = |name: &str| files.path().join(name).display().to_string();
    for (arguments, texts) in [
        (&["-t", "x"][..], &["nothing to make an image of"][..]),
        (&[&alpine], &["has no name", "--dry-run"]),
        (
            &["--dry-run", "--platform", "linux/sparc", &alpine],
            &["no image for linux/sparc", "linux/arm64"],
        ),
        (
            &["--dry-run", &alpine, &busybox, &digest],
            &[&digest, "is not known", "REPOSITORY@DIGEST"],
        ),
        (&["--dry-run", &format!("{alpine}:none")], &["404", "none"]),
        (
            &["--dry-run", "-f", &file("size"), &alpine],
            &["bytes and not 1"],
        ),
        (
            &["--dry-run", "-f", &file("index"), &alpine],
            &["a descriptor of one is needed"],
        ),
        (
            &["--dry-run", "-f", &file("nowhere"), &alpine],
            &["cannot read", "nowhere"],
        ),
        (
            &["--dry-run", "--annotation", "manifest:a=b", &alpine],
            &["--annotation", "stay as they are"],
        ),
        (&["--dry-run", "sha256:12"], &["sha256:12", "length"]),
    ] {
        let arguments = [&["create"], arguments].concat();
        let is_wrong = texts.contains(&"bytes and not 1");
        imagetools(&arguments).failed_with(if is_wrong { 65 } else { 1 }, texts);
    }
}

#[test]
fn layouts_of_builds_are_looked_at_and_become_one_image() {
    let engine = Engine::get();
    let parts = tempfile::tempdir().expect("a temporary folder");
    let context = folder_of(&[(
        "Dockerfile",
        "FROM alpine\nARG TARGETARCH\nENV for=$TARGETARCH\n",
    )]);
    let mut sources = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let folder = parts.path().join(architecture);
        let output = format!("type=oci,tar=false,dest={}", folder.display());
        let platform = format!("linux/{architecture}");
        Finished::of(
            solvekit(["build", "--platform", &platform, "-o", &output]).arg(context.path()),
        )
        .succeeded();
        sources.push(format!("oci-layout://{}", folder.display()));
    }
    let format = ["--format", "{{.Image.Architecture}} {{.Image.Config.Env}}"];
    let looked = imagetools(&[&["inspect", sources[1].as_str()], &format[..]].concat());
    let looked = looked.succeeded().stdout;
    assert!(
        looked.starts_with("arm64 ") && looked.contains("for=arm64"),
        "{looked}"
    );
    let text = imagetools(&["inspect", &sources[0]]).succeeded().stdout;
    assert!(
        text.starts_with(&format!("Name:      {}:latest\n", sources[0])),
        "{text}"
    );

    let name = format!("{}:both", engine.name("joined"));
    imagetools(&["create", "-t", &name, &sources[0], &sources[1]]).succeeded();
    let format =
        "{{range .Manifest.Manifests}}{{println .Platform.OS .Platform.Architecture}}{{end}}";
    let joined = as_buildx(&["inspect", &name, "--format", format]);
    assert_eq!(joined.trim(), "linux amd64\nlinux arm64");
    let format = "{{json (index .Image \"linux/arm64\")}}";
    assert!(as_buildx(&["inspect", &name, "--format", format]).contains("for=arm64"));

    // A truncated image is not pushed.
    let blobs = parts.path().join("amd64/blobs/sha256");
    let entries = std::fs::read_dir(&blobs).expect("the folder of the blobs");
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let largest = files.max_by_key(|path| path.metadata().map_or(0, |file| file.len()));
    std::fs::write(largest.expect("a blob"), "cut").expect("it can be written");
    let cut = format!("{}:cut", engine.name("joined-cut"));
    imagetools(&["create", "-t", &cut, &sources[0]]).failed_with(65, &["cannot push to"]);
    imagetools(&["inspect", &cut]).failed_with(1, &["joined-cut"]);

    imagetools(&["inspect", "oci-layout:///nonexistent"]).failed_with(1, &["/nonexistent"]);
}

#[test]
fn an_image_goes_into_a_folder_with_what_refers_to_it() {
    let engine = Engine::get();
    let repository = engine.name("to-folder");
    let build = |tag: &str| {
        let dockerfile = format!("FROM busybox\nLABEL word={}\n", unique());
        let context = folder_of(&[("Dockerfile", &dockerfile)]);
        let name = format!("{repository}:{tag}");
        Finished::of(solvekit(["build", "--push", "-t", &name]).arg(context.path())).succeeded();
        let manifest = imagetools(&["inspect", &name, "--format", "{{json .Manifest}}"]);
        let manifest = manifest.succeeded().stdout;
        serde_json::from_str::<serde_json::Value>(&manifest).expect("JSON")
    };
    let (image, signature) = (build("1"), build("signature"));
    // The registry has no referrers API, so they are in an index with this tag.
    let index = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": signature["mediaType"],
            "artifactType": "application/vnd.dev.cosign.artifact.sig.v1+json",
            "digest": signature["digest"],
            "size": signature["size"],
        }],
    });
    let digest = image["digest"].as_str().expect("a digest");
    let url = repository.replacen('/', "/v2/", 1);
    let url = format!("http://{url}/manifests/{}", digest.replace(':', "-"));
    let put = std::process::Command::new("curl")
        .args(["-fsS", "-X", "PUT", "-H"])
        .arg("Content-Type: application/vnd.oci.image.index.v1+json")
        .args(["--data-binary", &index.to_string(), &url])
        .output()
        .expect("curl is there");
    assert!(put.status.success(), "{put:?}");

    let folder = tempfile::tempdir().expect("a temporary folder");
    let layout = format!("oci-layout://{}", folder.path().join("new").display());
    let (first, again) = (format!("{layout}:x"), format!("{layout}:y"));
    let source = format!("{repository}:1");
    imagetools(&["create", "-t", &first, "-t", &again, &source]).succeeded();
    let text = std::fs::read(folder.path().join("new/index.json")).expect("an index");
    let text: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    let entries = text["manifests"].as_array().expect("a list");
    let subject = |entry: &&serde_json::Value| {
        entry["annotations"]["io.containerd.manifest.subject"] == digest
    };
    let referrers: Vec<_> = entries.iter().filter(subject).collect();
    assert_eq!(referrers.len(), 1, "{text:#}");
    assert_eq!(referrers[0]["digest"], signature["digest"]);
    assert_eq!(entries.len(), 3, "{text:#}");
    let looked = imagetools(&["inspect", &again, "--format", "{{json .Manifest}}"]).succeeded();
    assert!(looked.stdout.contains(digest), "{}", looked.stdout);

    // buildx reads the same folder, and the copy back includes the signature.
    let back = format!("{}:1", engine.name("from-folder"));
    imagetools(&["create", "-t", &back, &first]).succeeded();
    let name = back.strip_suffix(":1").expect("its tag");
    let signature = signature["digest"].as_str().expect("a digest");
    for digest in [digest, signature] {
        imagetools(&["inspect", &format!("{name}@{digest}")]).succeeded();
    }
    let blobs = folder.path().join("new/blobs");
    std::fs::remove_dir_all(&blobs).expect("it is ours");
    std::fs::write(&blobs, "no folder").expect("it can be written");
    imagetools(&["create", "-t", &first, &source]).failed_with(1, &["cannot push to", "blobs"]);
}

#[test]
fn the_artifact_type_of_a_descriptor_is_kept() {
    let name = format!("{}:1", Engine::get().name("artifact-type"));
    let context = folder_of(&[("Dockerfile", "FROM busybox\nLABEL a=b\n")]);
    Finished::of(solvekit(["build", "--push", "-t", &name]).arg(context.path())).succeeded();
    let shown = imagetools(&["inspect", &name, "--format", "{{json .Manifest}}"]).succeeded();
    let mut part: serde_json::Value = serde_json::from_str(&shown.stdout).expect("JSON");
    part["artifactType"] = "application/x.kind".into();
    let made = imagetools(&["create", "--dry-run", "-t", &name, &part.to_string()]).succeeded();
    let made: serde_json::Value = serde_json::from_str(&made.stdout).expect("JSON");
    assert_eq!(made["manifests"][0]["artifactType"], "application/x.kind");
}
