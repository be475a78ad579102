//! Digests of sources, computed with the Go client of BuildKit v0.32.2 for the same graphs.

use super::*;
use crate::llb::{Exec, MarshalOptions, State};
use crate::oci::Image as ImageConfig;

const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const ALPINE: &str = "sha256:3861cab1510438e488fbff5720a309280d0aff92bb59d39be969ac77cfbfb298";

fn digests(state: &State) -> Vec<String> {
    let options = MarshalOptions {
        unique_id: "unique".to_owned(),
        ..MarshalOptions::default()
    };
    let definition = state.marshal(&options).unwrap();
    let vertices = definition.vertices().iter();
    vertices.map(|it| it.digest_str().to_owned()).collect()
}

fn alpine() -> State {
    image(
        "docker.io/library/alpine:3",
        ResolveMode::Default,
        Constraints::new(),
    )
}

#[test]
fn an_image_with_every_option() {
    let options = Image {
        resolve_mode: ResolveMode::ForcePull,
        layer_limit: Some(2),
        checksum: EMPTY.to_owned(),
        internal: true,
    };
    let made = image("docker.io/library/alpine:3", options, Constraints::new());
    assert_eq!(
        digests(&made),
        ["sha256:a79403217a0e043ba7162b7419129ea651762fd73eb3114c5fcbb1461aea123c"]
    );
}

#[test]
fn a_layout_with_every_option() {
    let layout = OciLayout {
        session: "s".to_owned(),
        store: "t".to_owned(),
        layer_limit: Some(3),
    };
    assert_eq!(
        digests(&oci_layout("example.com/a:1", &layout, Constraints::new())),
        ["sha256:229d8b4074b1daec3fcc17dc28fd40a6e8780273f53788fd40895076af9d09fa"]
    );
}

#[test]
fn blobs_of_registries_and_layouts() {
    let blob = Blob {
        filename: "f".to_owned(),
        mode: 0o644,
        uid: 1,
        gid: 2,
    };
    let reference = format!("docker.io/library/alpine@{EMPTY}");
    assert_eq!(
        digests(&image_blob(&reference, &blob, Constraints::new())),
        ["sha256:286830aaa6799b489b9d6b2f5bfadd3b28a7ed8c4a83f9e6e21f029f6452a1c0"]
    );
    let reference = format!("example.com/a@{EMPTY}");
    let made = oci_layout_blob(&reference, "s", "t", &Blob::default(), Constraints::new());
    assert_eq!(
        digests(&made),
        ["sha256:66cc8051b71448d5cc442f6244f094e79363b89301848b988c4948fbaecc8e9d"]
    );
}

#[test]
fn a_download_with_every_option() {
    let file = Http {
        filename: "f".to_owned(),
        checksum: EMPTY.to_owned(),
        mode: 0o755,
        uid: 3,
        gid: 4,
        auth_header_secret: "S".to_owned(),
        accept: "a/b".to_owned(),
        user_agent: "u".to_owned(),
        signature: Some(HttpSignature {
            public_keys: "K".to_owned(),
            signature: "G".to_owned(),
        }),
    };
    assert_eq!(
        digests(&http("https://example.com/x", &file, Constraints::new())),
        ["sha256:a7c6461741b957b64965e12e43cb20d0cb8e4931ccfcdb1efdba13063ae4f5d0"]
    );
}

#[test]
fn a_repository_from_a_bundle_and_one_over_ssh() {
    let bundled = Git {
        host: "example.com".to_owned(),
        path: "a.git".to_owned(),
        url: "https://example.com/a.git".to_owned(),
        reference: "main".to_owned(),
        checksum: "c0ffee".to_owned(),
        auth: Some(GitAuth {
            token_secret: "T".to_owned(),
            header_secret: "H".to_owned(),
        }),
        bundle: Some(Bundle {
            locator: format!("oci-layout+blob://x@{EMPTY}"),
            session: "s".to_owned(),
            store: "t".to_owned(),
        }),
        checkout_bundle: true,
        ..Git::default()
    };
    assert_eq!(
        digests(&git(&bundled, Constraints::new())),
        ["sha256:4e84637f9b27c3bb39a25f72825542aef5855b23d74a91e1efb4caded1ed9bd0"]
    );
    let over_ssh = Git {
        host: "example.com".to_owned(),
        path: "a.git".to_owned(),
        url: "ssh://git@example.com/a.git".to_owned(),
        ssh: true,
        known_ssh_hosts: "k\n".to_owned(),
        ssh_agent: "other".to_owned(),
        ..Git::default()
    };
    assert_eq!(
        digests(&git(&over_ssh, Constraints::new())),
        ["sha256:eabedae23d3589b95f2e0ba4dae1ce8f85b72c960f178f79a3d83ebf96b10af6"]
    );
}

#[test]
fn a_folder_without_contents() {
    let only = Local {
        metadata_only: Some(MetadataOnly {
            exceptions: vec!["a".to_owned(), "b".to_owned()],
        }),
        ..Local::default()
    };
    assert_eq!(
        digests(&local("ctx", &only, Constraints::new())),
        ["sha256:6d5d156e20de2e7f8b4bb189b2ad042e5d0129c424608281e5ce04958a4461c8"]
    );
}

#[test]
fn a_state_that_requires_others() {
    let other = |name: &str| image(name, ResolveMode::Default, Constraints::new());
    let others = [
        other("docker.io/library/busybox:1"),
        other("docker.io/library/debian:12"),
    ];
    let made = alpine().requires("tests", &others, Constraints::new());
    assert_eq!(
        digests(&made),
        [
            ALPINE,
            "sha256:9d25d7334626d6291baad754b92c8f365a2ba54338bfbf41736f93aca9d098a6",
            "sha256:f03372276b48fdb0570611f2d69a5c6b703b5d65b69404590351d597906e19f4",
            "sha256:53e1c2e3dfd00c4b6af7b78cf0b85d01b78e13c0311682c2c779a7a17925ec56",
        ]
    );
    assert_eq!(
        digests(&alpine().requires("tests", &[], Constraints::new())),
        [ALPINE]
    );
}

#[test]
fn a_state_with_the_config_of_its_image() {
    let json = r#"{"architecture":"arm64","os":"linux",
        "config":{"Env":["A=1","B"],"WorkingDir":"/w","User":"app"}}"#;
    let config: ImageConfig = serde_json::from_str(json).unwrap();
    let made = alpine().with_environment_of(&config);
    assert_eq!(
        digests(&made.run(Exec::new(["make"])).root()),
        [
            ALPINE,
            "sha256:67ac76d1311034f09c83e34bdd767ea18dbef6617c7bbc8dd900ced0a249d41a"
        ]
    );
    let user = alpine().with_image_config(&config);
    assert_eq!((user.dir(), user.env().get("A")), ("/w", Some("1")));
    assert_ne!(
        digests(&user.run(Exec::new(["make"])).root()),
        digests(&made.run(Exec::new(["make"])).root())
    );
}
