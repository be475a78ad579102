//! Protobuf encoding as Go's deterministic marshaller writes it, for messages that are part of a
//! vertex digest.
//!
//! Scalars with their default value are omitted; messages that are set are written even if empty;
//! map entries always have key and value.

/// Appends protobuf fields to a buffer.
#[derive(Debug, Default)]
pub(super) struct Writer {
    buffer: Vec<u8>,
}

impl Writer {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self {
            buffer: Vec::with_capacity(bytes),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    pub(super) fn since(&self, start: usize) -> &[u8] {
        &self.buffer[start..]
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.buffer.truncate(len);
    }

    /// Appends encoded bytes.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    pub(super) fn into_inner(self) -> Vec<u8> {
        self.buffer
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.buffer.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.buffer.push(value as u8);
    }

    fn key(&mut self, field: u32, wire_type: u32) {
        self.varint(u64::from(field << 3 | wire_type));
    }

    /// Appends an unsigned number, bool or enum; zero is omitted.
    pub(super) fn uint(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.uint_always(field, value);
        }
    }

    /// Appends the same inside a oneof, where zero is written too.
    pub(super) fn uint_always(&mut self, field: u32, value: u64) {
        self.key(field, 0);
        self.varint(value);
    }

    /// Appends an int64 or int32; zero is omitted, a negative number takes ten bytes.
    pub(super) fn int(&mut self, field: u32, value: i64) {
        self.uint(field, value as u64);
    }

    pub(super) fn bool(&mut self, field: u32, value: bool) {
        self.uint(field, u64::from(value));
    }

    /// Appends a string or bytes; empty ones are omitted.
    pub(super) fn bytes(&mut self, field: u32, value: impl AsRef<[u8]>) {
        if !value.as_ref().is_empty() {
            self.bytes_always(field, value);
        }
    }

    /// Appends an element of repeated strings, or a map entry's key or value: written even if
    /// empty.
    pub(super) fn bytes_always(&mut self, field: u32, value: impl AsRef<[u8]>) {
        let value = value.as_ref();
        self.key(field, 2);
        self.varint(value.len() as u64);
        self.buffer.extend_from_slice(value);
    }

    /// Appends a sub-message, even if it is empty.
    pub(super) fn message(&mut self, field: u32, content: impl FnOnce(&mut Self)) {
        self.key(field, 2);
        let start = self.buffer.len();
        // One byte for the length; a longer length moves the content up afterwards.
        self.buffer.push(0);
        content(self);
        let len = self.buffer.len() - start - 1;
        if len < 0x80 {
            self.buffer[start] = len as u8;
            return;
        }
        let prefix = varint_len(len as u64);
        self.buffer.resize(start + prefix + len, 0);
        self.buffer
            .copy_within(start + 1..start + 1 + len, start + prefix);
        let mut rest = len as u64;
        for byte in &mut self.buffer[start..start + prefix] {
            *byte = rest as u8 | 0x80;
            rest >>= 7;
        }
        self.buffer[start + prefix - 1] &= 0x7f;
    }

    /// Appends repeated numbers, packed.
    pub(super) fn packed(&mut self, field: u32, values: impl Iterator<Item = i64>) {
        self.message(field, |list| {
            values.for_each(|value| list.varint(value as u64))
        });
    }

    /// Appends one entry of a `map<string, string>`.
    pub(super) fn entry(&mut self, field: u32, key: &str, value: &str) {
        self.message(field, |entry| {
            entry.bytes_always(1, key);
            entry.bytes_always(2, value);
        });
    }
}

const fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::default();
        write(&mut writer);
        writer.into_inner()
    }

    #[test]
    fn map_entries_keep_empty_values() {
        assert_eq!(
            bytes(|w| w.entry(2, "k", "")),
            [0x12, 0x05, 0x0a, 0x01, 0x6b, 0x12, 0x00]
        );
    }

    #[test]
    fn empty_messages_are_written() {
        assert_eq!(bytes(|w| w.message(11, |_| ())), [0x5a, 0x00]);
    }

    #[test]
    fn negative_numbers_take_ten_bytes() {
        assert_eq!(
            bytes(|w| w.int(4, -1)),
            [
                0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01
            ]
        );
    }

    #[test]
    fn long_messages_get_a_longer_length() {
        for len in [0, 1, 125, 126, 127, 128, 16_380, 16_384, 2_100_000] {
            let text = "x".repeat(len);
            let ours = bytes(|w| {
                w.bytes_always(1, "before");
                w.message(1, |m| m.message(2, |m| m.bytes(1, &text)));
            });
            let inner = bytes(|w| w.bytes(1, &text));
            let middle = bytes(|w| w.bytes_always(2, &inner));
            let whole = bytes(|w| {
                w.bytes_always(1, "before");
                w.bytes_always(1, &middle);
            });
            assert!(ours == whole, "length {len}");
        }
    }
}
