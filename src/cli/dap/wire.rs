//! Messages of the protocol: a header with the length, followed by JSON.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

/// The longest header in bytes.
const HEADER: u64 = 8 << 10;
/// The longest message in bytes.
const MESSAGE: usize = 16 << 20;

/// Reads the next message; `None` at the end.
///
/// # Errors
/// The message is invalid or truncated.
pub(super) async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Value>> {
    let mut length = None;
    let mut header = from.take(HEADER);
    loop {
        let mut line = Vec::new();
        header.read_until(b'\n', &mut line).await?;
        if line.is_empty() && length.is_none() && header.limit() == HEADER {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') {
            return Err(invalid("the header of a message does not end"));
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(invalid("a line of a header has no name"));
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse::<usize>().ok();
        }
    }
    let length = length.ok_or_else(|| invalid("a message has no length"))?;
    if length > MESSAGE {
        return Err(invalid("a message is longer than 16 MiB"));
    }
    let mut body = Vec::new();
    from.take(length as u64).read_to_end(&mut body).await?;
    if body.len() < length {
        return Err(invalid("a message ends in the middle"));
    }
    let message = serde_json::from_slice(&body);
    Ok(Some(message.map_err(|_| invalid("a message is no JSON"))?))
}

/// Encodes a message with its header.
pub(super) fn write(message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn all(mut bytes: &[u8]) -> (Vec<Value>, Option<String>) {
        let mut messages = Vec::new();
        loop {
            match read(&mut bytes).await {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => return (messages, None),
                Err(error) => return (messages, Some(error.to_string())),
            }
        }
    }

    #[tokio::test]
    async fn messages_survive_the_wire() {
        let mut bytes = write(&json!({"seq": 1, "text": "ü"}));
        bytes.extend(b"content-LENGTH:2\nX-Other: y\r\n\r\n{}");
        let expected = vec![json!({"seq": 1, "text": "ü"}), json!({})];
        assert_eq!(all(&bytes).await, (expected, None));
    }

    #[tokio::test]
    async fn garbage_is_refused_and_never_waited_for() {
        for (bytes, reason) in [
            (&b"garbage\r\n\r\n"[..], "has no name"),
            (b"X: y\r\n\r\n{}", "has no length"),
            (b"Content-Length: -1\r\n\r\n{}", "has no length"),
            (
                b"Content-Length: 99999999999\r\n\r\n{}",
                "longer than 16 MiB",
            ),
            (b"Content-Length: 5\r\n\r\n{}", "ends in the middle"),
            (b"Content-Length: 2\r\n\r\n}{", "is no JSON"),
            (b"Content-Length: 2", "does not end"),
        ] {
            let (messages, error) = all(bytes).await;
            assert!(messages.is_empty());
            assert!(
                error.as_deref().is_some_and(|it| it.contains(reason)),
                "{error:?}"
            );
        }
        let endless = vec![b'a'; 20_000];
        assert!(all(&endless).await.1.is_some());
    }
}
