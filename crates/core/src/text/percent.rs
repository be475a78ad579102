//! Percent-encoding of URLs (RFC 3986, 2.1).

/// Decodes `%XX`; `None` if two hexadecimal digits do not follow each `%`.
pub fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let value = digit(rest.next())? * 16 + digit(rest.next())?;
        bytes.push(value as u8);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::percent_decoded;

    #[test]
    fn two_digits_follow_each_sign() {
        assert_eq!(percent_decoded("a%2Fb%c3%a9+").unwrap(), "a/bé+".as_bytes());
        for text in ["%", "%2", "%2g", "%+f", "%%20"] {
            assert_eq!(percent_decoded(text), None, "{text}");
        }
    }
}
