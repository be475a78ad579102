//! fsutil packets as gRPC messages, written and read without a detour over channels of messages: tens of thousands of
//! them are small and leave together, and file data goes into its frame straight from the read.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

use super::error::TransferError;
use crate::proto::fsutil::types::Packet;
use crate::proto::fsutil::types::packet::PacketType;
use crate::session::MESSAGE_LIMIT;

/// A flag (not compressed) and the length.
const HEADER: usize = 5;

/// Appends a packet as a gRPC message.
pub(super) fn put(buffer: &mut Vec<u8>, packet: &Packet) {
    let length = packet.encoded_len();
    put_header(buffer, length);
    packet.encode_raw(buffer);
}

/// Appends a packet without a payload.
pub(super) fn put_bare(buffer: &mut Vec<u8>, kind: PacketType, id: u32) {
    put(
        buffer,
        &Packet {
            r#type: kind.into(),
            id,
            ..Packet::default()
        },
    );
}

/// Appends a DATA packet up to its data, of which `length` bytes have to follow.
pub(super) fn put_data_header(buffer: &mut Vec<u8>, id: u32, length: usize) {
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

fn put_header(buffer: &mut Vec<u8>, length: usize) {
    buffer.put_u8(0);
    // Messages are far below the limit of 16 MiB.
    buffer.put_u32(length as u32);
}

/// Takes packets out of a request body.
#[derive(Debug, Default)]
pub(super) struct Reader {
    unread: BytesMut,
}

impl Reader {
    /// Adds what arrived.
    pub(super) fn push(&mut self, data: Bytes) {
        self.unread.extend_from_slice(&data);
    }

    /// The next packet, if it has arrived in full.
    pub(super) fn next(&mut self) -> Result<Option<Packet>, TransferError> {
        let Some(mut header) = self.unread.get(..HEADER) else {
            return Ok(None);
        };
        if header.get_u8() != 0 {
            return Err(TransferError::Protocol("a compressed message"));
        }
        let length = header.get_u32() as usize;
        if length > MESSAGE_LIMIT {
            return Err(TransferError::Protocol("a message of more than 16 MiB"));
        }
        if self.unread.len() < HEADER + length {
            return Ok(None);
        }
        self.unread.advance(HEADER);
        let message = self.unread.split_to(length);
        Packet::decode(message)
            .map(Some)
            .map_err(|_| TransferError::Protocol("a message that is no packet"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<Packet> {
        let mut reader = Reader::default();
        let mut packets = Vec::new();
        // One byte at a time: a message can arrive in any pieces.
        for &byte in bytes {
            reader.push(Bytes::copy_from_slice(&[byte]));
            while let Some(packet) = reader.next().unwrap() {
                packets.push(packet);
            }
        }
        assert!(reader.unread.is_empty());
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
        assert_eq!(read(&buffer), [error, request, Packet::default()]);
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
            assert_eq!(read(&buffer), [packet]);
        }
    }

    #[test]
    fn nonsense_is_an_error() {
        for bytes in [&b"\x01\0\0\0\0"[..], b"\0\xff\0\0\0", b"\0\0\0\0\x01\xff"] {
            let mut reader = Reader::default();
            reader.push(Bytes::copy_from_slice(bytes));
            assert!(reader.next().is_err());
        }
    }
}
