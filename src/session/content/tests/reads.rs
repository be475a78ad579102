//! Reads, and names that are no digests.

use super::*;

#[tokio::test]
async fn what_is_no_digest_reaches_no_file() {
    let mut daemon = daemon().await;
    fs::write(daemon.folder.path().join("secret"), "x").unwrap();
    let long = format!("sha256:{}", "../".repeat(22).trim_end_matches('/'));
    for digest in [
        "",
        "sha256:../../secret",
        "../../secret",
        "sha256:",
        &long,
        "sha256:/etc/passwd",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
    ] {
        let read = daemon.read(digest, 0, 0).await.unwrap_err();
        let info = daemon.info("w", digest).await.unwrap_err();
        assert_eq!(
            [read.code(), info.code()],
            [Code::InvalidArgument; 2],
            "{digest}"
        );
        let mut commit = commit(1, &Digest::sha256(b"x"));
        digest.clone_into(&mut commit.expected);
        if !digest.is_empty() {
            let written = daemon
                .write("w", vec![write(0, b"x"), commit])
                .await
                .unwrap_err();
            assert_eq!(written.code(), Code::InvalidArgument, "{digest}");
        }
    }
    // The name of an upload does not lead outside either.
    let mut named = write(0, b"x");
    "../../../evil".clone_into(&mut named.r#ref);
    daemon.write("w", vec![named]).await.unwrap();
    assert_eq!(daemon.files(), ["secret"]);
}

#[tokio::test]
async fn reads_outside_of_the_blob_are_refused() {
    let mut daemon = daemon().await;
    let digest = put(daemon.folder.path(), b"hello");
    for (offset, code) in [
        (6, Code::OutOfRange),
        (i64::MAX, Code::OutOfRange),
        (-1, Code::InvalidArgument),
        (i64::MIN, Code::InvalidArgument),
    ] {
        let refused = daemon.read(digest.as_str(), offset, 1).await.unwrap_err();
        assert_eq!(refused.code(), code, "{offset}");
    }
    let missing = daemon
        .read(Digest::sha256(b"other").as_str(), 0, 0)
        .await
        .unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    assert_eq!(daemon.stores.failure(), None);
}

#[tokio::test]
async fn a_damaged_manifest_is_not_sent() {
    let mut daemon = daemon().await;
    let digest = put(daemon.folder.path(), b"{}");
    fs::write(
        daemon.folder.path().join("blobs/sha256").join(digest.hex()),
        "[]",
    )
    .unwrap();
    let refused = daemon.read(digest.as_str(), 0, 0).await.unwrap_err();
    assert_eq!(refused.code(), Code::DataLoss);
    assert!(daemon.stores.failure().unwrap().contains(digest.hex()));
}
