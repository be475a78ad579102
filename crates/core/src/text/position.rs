//! Finds bytes in long texts.

/// The number of bytes that are compared at once.
const CHUNK: usize = 16;

/// Returns the position of the first byte for which `is_wanted` is true. It is fast for texts with
/// few such bytes, if `is_wanted` compares with `|`: then many bytes are compared at once.
pub(crate) fn position(bytes: &[u8], is_wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let mut start = 0;
    for chunk in bytes.chunks_exact(CHUNK) {
        // There is no early exit, so that this becomes a few instructions for all bytes.
        let found = chunk.iter().fold(false, |any, byte| any | is_wanted(*byte));
        if found {
            break;
        }
        start += CHUNK;
    }
    let mut rest = bytes[start..].iter();
    rest.position(|byte| is_wanted(*byte)).map(|at| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_is_found_anywhere() {
        for len in 0..50 {
            let text = vec![b'a'; len];
            assert_eq!(position(&text, |byte| byte == b'b'), None);
            for at in 0..len {
                let mut text = text.clone();
                text[at..].fill(b'b');
                assert_eq!(position(&text, |byte| byte == b'b'), Some(at));
            }
        }
    }
}
