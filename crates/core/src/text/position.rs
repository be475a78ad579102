//! Finds bytes in long texts.

/// Returns the position of the first byte for which `is_wanted` is true. It is fast for texts with
/// few such bytes, if `is_wanted` compares with `|`: then many bytes are compared at once.
pub(crate) fn position(bytes: &[u8], is_wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let mut start = without::<16>(bytes, &is_wanted);
    start += without::<8>(&bytes[start..], &is_wanted);
    let mut rest = bytes[start..].iter();
    rest.position(|byte| is_wanted(*byte)).map(|at| start + at)
}

/// Returns the number of bytes before the first chunk that contains a wanted one.
fn without<const N: usize>(bytes: &[u8], is_wanted: &impl Fn(u8) -> bool) -> usize {
    let (chunks, _) = bytes.as_chunks::<N>();
    // There is no early exit within a chunk, so that it becomes a few instructions.
    let any = |chunk: &[u8; N]| chunk.iter().fold(false, |any, byte| any | is_wanted(*byte));
    N * chunks.iter().take_while(|chunk| !any(chunk)).count()
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
