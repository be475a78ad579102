//! fsutil packets as gRPC messages.

use bytes::Bytes;
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

use crate::proto::fsutil::types::Packet;
use crate::proto::fsutil::types::packet::PacketType;
use crate::session::stream::{BadFrame, put_header};

/// Appends a packet as a gRPC message.
pub(in crate::session) fn put(buffer: &mut Vec<u8>, packet: &Packet) {
    let length = packet.encoded_len();
    put_header(buffer, length);
    packet.encode_raw(buffer);
}

/// Appends a packet without a payload.
pub(in crate::session) fn put_bare(buffer: &mut Vec<u8>, kind: PacketType, id: u32) {
    put(
        buffer,
        &Packet {
            r#type: kind.into(),
            id,
            ..Packet::default()
        },
    );
}

/// Appends an ERR packet with a message.
pub(in crate::session) fn put_error(buffer: &mut Vec<u8>, message: String) {
    put(
        buffer,
        &Packet {
            r#type: PacketType::PacketErr.into(),
            data: message.into(),
            ..Packet::default()
        },
    );
}

/// Appends a DATA packet without its data; the caller appends `length` bytes.
pub(in crate::session) fn put_data_header(buffer: &mut Vec<u8>, id: u32, length: usize) {
    const DATA: u32 = 4;
    let head = Packet {
        r#type: PacketType::PacketData.into(),
        id,
        ..Packet::default()
    };
    let message = head.encoded_len() + key_len(DATA) + encoded_len_varint(length as u64) + length;
    put_header(buffer, message);
    head.encode_raw(buffer);
    encode_key(DATA, WireType::LengthDelimited, buffer);
    encode_varint(length as u64, buffer);
}

pub(in crate::session) fn read(message: Bytes) -> Result<Packet, BadFrame> {
    Packet::decode(message).map_err(|_| BadFrame("a message that is not a packet"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::stream::FrameReader;

    fn packets(bytes: Vec<u8>) -> Vec<Packet> {
        let mut reader = FrameReader::default();
        reader.push(bytes.into());
        let mut packets = Vec::new();
        while let Some(message) = reader.next().unwrap() {
            packets.push(read(message).unwrap());
        }
        packets
    }

    #[test]
    fn packets_are_read_as_they_were_written() {
        let error = Packet {
            r#type: PacketType::PacketErr.into(),
            data: Bytes::from_static(b"no"),
            ..Packet::default()
        };
        let mut buffer = Vec::new();
        put(&mut buffer, &error);
        put_bare(&mut buffer, PacketType::PacketReq, 300);
        put(&mut buffer, &Packet::default());
        let request = Packet {
            r#type: PacketType::PacketReq.into(),
            id: 300,
            ..Packet::default()
        };
        assert_eq!(packets(buffer), [error, request, Packet::default()]);
    }

    #[test]
    fn data_follows_its_header() {
        for id in [0, 1, 300, u32::MAX] {
            let mut buffer = Vec::new();
            put_data_header(&mut buffer, id, 200);
            buffer.extend_from_slice(&[7; 200]);
            let packet = Packet {
                r#type: PacketType::PacketData.into(),
                id,
                data: vec![7; 200].into(),
                ..Packet::default()
            };
            assert_eq!(packets(buffer), [packet]);
        }
    }

    #[test]
    fn nonsense_is_an_error() {
        assert!(read(Bytes::from_static(b"\xff")).is_err());
    }
}
