//! Uploads: whole, broken, repeated, given up.

use super::*;

#[tokio::test]
async fn uploads_that_do_not_hold_what_they_announce_leave_nothing() {
    let hello = Digest::sha256(b"hello");
    let announced = |total: i64| WriteContentRequest {
        total,
        ..write(0, b"hello")
    };
    for (steps, code) in [
        (
            vec![write(0, b"hellO"), commit(5, &hello)],
            Code::FailedPrecondition,
        ),
        (
            vec![announced(6), commit(5, &hello)],
            Code::FailedPrecondition,
        ),
        (vec![announced(4)], Code::FailedPrecondition),
        (vec![announced(-1)], Code::InvalidArgument),
        (vec![write(0, b"hel"), write(2, b"lo")], Code::OutOfRange),
        (vec![write(0, b"hel"), write(4, b"lo")], Code::OutOfRange),
        (vec![write(7, b"hello")], Code::OutOfRange),
        (
            vec![
                write(0, b"x"),
                WriteContentRequest {
                    offset: -1,
                    ..write(0, b"x")
                },
            ],
            Code::InvalidArgument,
        ),
        // As in the reference, offset 0 restarts the upload.
        (
            vec![write(0, b"hello"), commit(0, &hello)],
            Code::FailedPrecondition,
        ),
        (
            vec![WriteContentRequest {
                action: 9,
                ..write(0, b"x")
            }],
            Code::InvalidArgument,
        ),
        (
            vec![WriteContentRequest {
                r#ref: String::new(),
                ..write(0, b"x")
            }],
            Code::InvalidArgument,
        ),
        (
            vec![WriteContentRequest {
                r#ref: "x".repeat(5000),
                ..write(0, b"x")
            }],
            Code::InvalidArgument,
        ),
    ] {
        let mut daemon = daemon().await;
        let refused = daemon.write("w", steps.clone()).await.unwrap_err();
        assert_eq!(refused.code(), code, "{steps:?}");
        assert_eq!(daemon.files(), [""; 0], "{steps:?}");
        // The name is free again.
        let steps = vec![write(0, b"jello"), write(0, b"hello"), commit(5, &hello)];
        daemon.write("w", steps).await.unwrap();
        assert_eq!(daemon.files().len(), 1);
    }
}

#[tokio::test]
async fn a_blob_that_is_there_is_not_taken_again_unless_it_is_damaged() {
    let mut daemon = daemon().await;
    let digest = put(daemon.folder.path(), b"hello");
    let announced = |total: i64| WriteContentRequest {
        total,
        expected: digest.to_string(),
        ..step(WriteAction::Stat, 0, b"")
    };
    for total in [0, 5] {
        let refused = daemon.write("w", vec![announced(total)]).await.unwrap_err();
        assert_eq!(refused.code(), Code::AlreadyExists);
    }
    assert_eq!(daemon.stores.last_written("w"), Some(digest.clone()));
    for damaged in ["he", "hellO"] {
        let blob = daemon.folder.path().join("blobs/sha256").join(digest.hex());
        fs::write(blob, damaged).unwrap();
        let steps = vec![announced(5), write(0, b"hello"), commit(5, &digest)];
        daemon.write("w", steps).await.unwrap();
        assert_eq!(daemon.read(digest.as_str(), 0, 0).await.unwrap(), b"hello");
    }
}

#[tokio::test]
async fn an_upload_is_seen_by_others_and_can_be_given_up() {
    let mut daemon = daemon().await;
    let (requests, receiver) = mpsc::channel(1);
    requests
        .send(WriteContentRequest {
            total: 9,
            ..write(0, b"hello")
        })
        .await
        .unwrap();
    let mut answers = daemon
        .content
        .write(to("w", ReceiverStream::new(receiver)))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().offset, 5);
    let name = "upload".to_owned();
    let status = daemon
        .content
        .status(to(
            "w",
            api::StatusRequest {
                r#ref: name.clone(),
            },
        ))
        .await
        .unwrap();
    let status = status.into_inner().status.unwrap();
    assert_eq!((status.offset, status.total), (5, 9));
    let all = daemon
        .content
        .list_statuses(to("w", api::ListStatusesRequest::default()))
        .await
        .unwrap();
    assert_eq!(all.into_inner().statuses, [status]);
    let busy = daemon.write("w", vec![write(0, b"x")]).await.unwrap_err();
    assert_eq!(busy.code(), Code::Unavailable);
    assert_eq!(daemon.files().len(), 1);

    daemon
        .content
        .abort(to("w", api::AbortRequest { r#ref: name }))
        .await
        .unwrap();
    assert_eq!(answers.message().await.unwrap_err().code(), Code::Aborted);
    assert_eq!(daemon.files(), [""; 0]);
    drop(requests);
}
