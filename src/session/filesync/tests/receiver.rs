//! Receivers that ask for too much, fail, or do not read.

use super::*;

#[tokio::test]
async fn asking_for_what_was_not_listed_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start(root.path(), CONTEXT).await.unwrap();
    assert!(receiver.next().await.unwrap().stat.is_none());
    receiver.send(PacketType::PacketReq, 7).await;
    assert_eq!(
        receiver.next().await.unwrap().r#type(),
        PacketType::PacketErr
    );
}

#[tokio::test]
async fn asking_again_and_again_ends_the_transfer() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a"), "a").unwrap();
    let mut receiver = Receiver::start(root.path(), CONTEXT).await.unwrap();
    while receiver.next().await.unwrap().stat.is_some() {}
    for _ in 0..3 {
        receiver.send(PacketType::PacketReq, 0).await;
    }
    let error = loop {
        let packet = receiver.next().await.unwrap();
        if packet.r#type() == PacketType::PacketErr {
            break packet;
        }
    };
    let text = "the daemon asked for more files than the 1 that it was told of";
    assert_eq!(error.data, text);
}

#[tokio::test]
async fn an_error_of_the_receiver_ends_the_transfer_with_its_words() {
    let root = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start(root.path(), CONTEXT).await.unwrap();
    assert!(receiver.next().await.unwrap().stat.is_none());
    let error = Packet {
        r#type: PacketType::PacketErr.into(),
        data: Bytes::from_static(b"no space left on device"),
        ..Packet::default()
    };
    receiver.requests.send(error).await.unwrap();
    let packet = receiver.next().await.unwrap();
    assert_eq!(
        packet.data,
        "the daemon failed to receive the files: no space left on device"
    );
}

#[tokio::test]
async fn a_receiver_that_does_not_read_holds_the_sender_and_its_memory() {
    let root = tempfile::tempdir().unwrap();
    let big = fs::File::create(root.path().join("big")).unwrap();
    big.set_len(1 << 30).unwrap();
    let mut receiver = Receiver::start(root.path(), CONTEXT).await.unwrap();
    while receiver.next().await.unwrap().stat.is_some() {}
    receiver.send(PacketType::PacketReq, 0).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    // Health is answered while the transfer is stuck; dropping the receiver ends it, or this test
    // would hang.
    let mut health =
        crate::proto::grpc::health::v1::health_client::HealthClient::new(receiver._channel.clone());
    let check = health.check(crate::proto::grpc::health::v1::HealthCheckRequest::default());
    assert!(
        tokio::time::timeout(Duration::from_secs(5), check)
            .await
            .unwrap()
            .is_ok()
    );
}
