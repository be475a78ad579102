//! The stores: their rights, and their lists of blobs.

use super::*;

#[tokio::test]
async fn stores_are_distinguished_and_keep_their_rights() {
    let mut daemon = daemon().await;
    let digest = put(daemon.folder.path(), b"x");
    let refused = daemon.write("r", vec![write(0, b"x")]).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let unknown = daemon.info("x", digest.as_str()).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let delete = api::DeleteContentRequest {
        digest: digest.to_string(),
    };
    let refused = daemon.content.delete(to("w", delete)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let nameless = daemon
        .content
        .info(api::InfoRequest::default())
        .await
        .unwrap_err();
    assert_eq!(nameless.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn blobs_are_listed_and_labels_taken() {
    let mut daemon = daemon().await;
    for number in 0..150 {
        put(daemon.folder.path(), format!("{number}").as_bytes());
    }
    fs::write(daemon.folder.path().join("blobs/sha256/notes.txt"), "").unwrap();
    let mut blocks = daemon
        .content
        .list(to("r", api::ListContentRequest::default()))
        .await
        .unwrap()
        .into_inner();
    let mut listed = 0;
    while let Some(block) = blocks.message().await.unwrap() {
        listed += block.info.len();
    }
    assert_eq!(listed, 150);
    let info = api::Info {
        digest: Digest::sha256(b"7").to_string(),
        labels: [("a".to_owned(), "b".to_owned())].into(),
        ..Default::default()
    };
    let request = api::UpdateRequest {
        info: Some(info),
        update_mask: None,
    };
    let updated = daemon
        .content
        .update(to("w", request))
        .await
        .unwrap()
        .into_inner()
        .info
        .unwrap();
    assert_eq!((updated.size, updated.labels["a"].as_str()), (1, "b"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let stores = ContentStores::new().with_writable("w", "/proc/nowhere");
    let session = Session::builder().content(stores.clone()).build().unwrap();
    let (channel, _served) = connect(session, CancellationToken::new()).await;
    let request = to("w", stream::iter([write(0, b"x")]));
    let mut answers = ContentClient::new(channel)
        .write(request)
        .await
        .unwrap()
        .into_inner();
    let refused = answers.message().await.unwrap_err();
    assert!(refused.message().contains("/proc/nowhere"), "{refused}");
    assert!(stores.failure().unwrap().contains("/proc/nowhere"));
}
