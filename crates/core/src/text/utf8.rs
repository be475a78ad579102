//! Decodes UTF-8 from a stream of bytes.

/// Decodes characters from bytes that may be cut anywhere.
#[derive(Debug, Clone, Default)]
pub struct Utf8Stream {
    /// The incomplete character at the end.
    partial: Vec<u8>,
}

impl Utf8Stream {
    /// Passes the characters of the next piece to `take`, with U+FFFD for bytes that are not UTF-8.
    pub fn read(&mut self, data: &[u8], mut take: impl FnMut(char)) {
        let joined;
        let mut rest = data;
        if !self.partial.is_empty() {
            joined = [std::mem::take(&mut self.partial).as_slice(), data].concat();
            rest = &joined;
        }
        while !rest.is_empty() {
            match std::str::from_utf8(rest) {
                Ok(text) => return text.chars().for_each(take),
                Err(error) => {
                    let (valid, bad) = rest.split_at(error.valid_up_to());
                    String::from_utf8_lossy(valid).chars().for_each(&mut take);
                    let Some(length) = error.error_len() else {
                        self.partial = bad.to_vec();
                        return;
                    };
                    take(char::REPLACEMENT_CHARACTER);
                    rest = &bad[length..];
                }
            }
        }
    }

    /// True if the last character is incomplete.
    pub fn is_within(&self) -> bool {
        !self.partial.is_empty()
    }
}
