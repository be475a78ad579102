//! Files that change between the list and the request.

use super::*;

/// Requests the only file after `change` was applied; returns the error that the daemon gets.
async fn reported_after(change: impl Fn(&Path)) -> (String, Status) {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "0123456789").unwrap();
    let mut receiver = Receiver::start(root.path(), CONTEXT).await.unwrap();
    while receiver.next().await.unwrap().stat.is_some() {}
    change(&file);
    receiver.send(PacketType::PacketReq, 0).await;
    loop {
        let packet = receiver.next().await.unwrap();
        if packet.r#type() == PacketType::PacketErr {
            let message = String::from_utf8(packet.data.into()).unwrap();
            return (message, receiver.next().await.unwrap_err());
        }
    }
}

#[tokio::test]
async fn a_file_that_vanished_is_named() {
    let (message, status) = reported_after(|file| fs::remove_file(file).unwrap()).await;
    assert!(
        message.starts_with("cannot open file: No such file"),
        "{message}"
    );
    assert_eq!(
        (status.code(), status.message()),
        (Code::Unknown, message.as_str())
    );
}

#[tokio::test]
async fn a_file_that_shrank_is_named_with_its_sizes() {
    let (message, _) = reported_after(|file| fs::write(file, "0123").unwrap()).await;
    assert_eq!(
        message,
        "file changed while it was sent: 10 bytes when it was listed, 4 when it was read"
    );
}

#[tokio::test]
async fn a_file_that_became_a_link_or_a_pipe_is_not_read() {
    for link in [true, false] {
        let (message, _) = reported_after(|file| {
            fs::remove_file(file).unwrap();
            match link {
                true => std::os::unix::fs::symlink("/etc/passwd", file).unwrap(),
                false => {
                    rustix::fs::mknodat(
                        rustix::fs::CWD,
                        file,
                        rustix::fs::FileType::Fifo,
                        0o600.into(),
                        0,
                    )
                    .unwrap();
                }
            }
        })
        .await;
        assert_eq!(message, "file is not a regular file any more");
    }
}

#[tokio::test]
async fn a_folder_that_became_a_link_after_it_was_listed_is_not_read() {
    let root = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("d")).unwrap();
    fs::write(root.path().join("d/key"), "inside").unwrap();
    fs::write(outside.path().join("key"), "hunter").unwrap();
    let mut receiver = Receiver::start(root.path(), CONTEXT).await.unwrap();
    while receiver.next().await.unwrap().stat.is_some() {}
    fs::rename(root.path().join("d"), root.path().join("moved")).unwrap();
    std::os::unix::fs::symlink(outside.path(), root.path().join("d")).unwrap();
    receiver.send(PacketType::PacketReq, 1).await;
    let packet = receiver.next().await.unwrap();
    assert_eq!(packet.r#type(), PacketType::PacketErr, "{packet:?}");
    assert_eq!(packet.data, "d/key is not a regular file any more");
}

#[tokio::test]
async fn what_takes_the_place_of_the_root_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("mine"), "").unwrap();
    let directories = Directories::new().with("context", &root).unwrap();
    fs::rename(&root, folder.path().join("moved")).unwrap();
    std::os::unix::fs::symlink("/etc", &root).unwrap();
    let received = Receiver::of(directories, CONTEXT).await.unwrap();
    let received = received.receive(|_| false).await.unwrap();
    assert_eq!(received.paths(), ["mine"]);
}

#[tokio::test]
async fn what_a_file_grew_by_is_not_sent() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "0123456789").unwrap();
    let mut receiver = Receiver::start(root.path(), CONTEXT).await.unwrap();
    while receiver.next().await.unwrap().stat.is_some() {}
    fs::write(&file, "0123456789abc").unwrap();
    receiver.send(PacketType::PacketReq, 0).await;
    assert_eq!(receiver.next().await.unwrap().data, "0123456789");
    assert!(receiver.next().await.unwrap().data.is_empty());
}
