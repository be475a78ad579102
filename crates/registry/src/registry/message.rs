//! Extracts a one-line message from an error's body.

use bytes::Bytes;
use reqwest::Response;
use serde_json::Value;

/// The number of bytes read of an error's body.
const BODY: usize = 64 << 10;
/// The number of characters shown of it.
const SHOWN: usize = 300;

/// Reads the beginning of a body. Read errors are ignored.
pub(super) async fn read_some(mut answer: Response) -> Vec<u8> {
    let mut text = Vec::new();
    while text.len() < BODY
        && let Ok(Ok(Some(chunk))) =
            tokio::time::timeout(super::answer::PIECE, answer.chunk()).await
    {
        let chunk: Bytes = chunk;
        text.extend_from_slice(&chunk[..chunk.len().min(BODY - text.len())]);
    }
    text
}

/// Returns the message in an error's body after a colon: the messages of a registry's `errors`,
/// else their details and codes; the fields of token servers and gateways (`details`, `message`,
/// `error_description`, `detail`, `title`, `error`); or plain text. Returns nothing for HTML pages.
pub(super) fn error_message(body: &[u8]) -> String {
    let messages = match serde_json::from_slice::<Value>(body) {
        Ok(body) => of_json(&body),
        Err(_) => of_text(body),
    };
    let text: Vec<String> = messages.iter().map(|message| one_line(message)).collect();
    let text = text.join("; ");
    match text.is_empty() {
        true => String::new(),
        false => format!(": {}", text.chars().take(SHOWN).collect::<String>()),
    }
}

/// True if the body contains the registry error code for denied access.
pub(super) fn says_denied(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut errors = body["errors"].as_array().into_iter().flatten();
    errors.any(|error| matches!(error["code"].as_str(), Some("DENIED" | "UNAUTHORIZED")))
}

fn of_json(body: &Value) -> Vec<String> {
    let text = |value: &Value| {
        let text = value.as_str().map(str::trim).unwrap_or_default();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let errors = body["errors"].as_array().into_iter().flatten();
    let mut messages: Vec<String> = errors
        .filter_map(|error| {
            let known = ["message", "detail", "code"].iter();
            let mut found = known.filter_map(|&key| text(&error[key]));
            found.next().or_else(|| text(error))
        })
        .collect();
    let known = ["details", "message", "error_description", "detail", "title"];
    messages.extend(known.iter().filter_map(|&key| text(&body[key])));
    if messages.is_empty() {
        let error = &body["error"];
        messages.extend(text(&error["message"]).or_else(|| text(error)));
        messages.extend(text(&body["code"]));
    }
    messages.dedup();
    if messages.is_empty() {
        messages.extend(text(body));
    }
    messages
}

fn of_text(body: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    let is_page = text.starts_with('<') || text.starts_with('{') || text.starts_with('[');
    let first = text.lines().next().filter(|_| !is_page);
    first.map(str::to_owned).into_iter().collect()
}

/// Removes line breaks and control characters.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_control() || c.is_whitespace());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_refusal_is_read() {
        for (body, message) in [
            (
                r#"{"errors":[{"code":"DENIED","message":"no"},{"message":"really"}]}"#,
                ": no; really",
            ),
            (
                r#"{"errors":[{"code":"DENIED","message":"","detail":"quota"}]}"#,
                ": quota",
            ),
            (r#"{"errors":[{"code":"DENIED"}]}"#, ": DENIED"),
            (
                r#"{"errors":[{"code":"DENIED","detail":{"a":1}}]}"#,
                ": DENIED",
            ),
            (r#"{"errors":["no"]}"#, ": no"),
            (r#"{"details":"wrong password"}"#, ": wrong password"),
            (
                r#"{"error":"invalid_grant","error_description":"expired"}"#,
                ": expired",
            ),
            (r#"{"error":"invalid_grant"}"#, ": invalid_grant"),
            (r#"{"error":{"message":"no"}}"#, ": no"),
            (r#"{"title":"Forbidden","status":403}"#, ": Forbidden"),
            (
                r#"{"detail":"not here","title":"Forbidden"}"#,
                ": not here; Forbidden",
            ),
            ("upstream connect error\n\tnext", ": upstream connect error"),
            ("\"denied\"", ": denied"),
            ("a\u{1b}[31mb", ": a [31mb"),
            ("<html><h1>403</h1>", ""),
            ("{\"cut", ""),
            ("", ""),
        ] {
            assert_eq!(error_message(body.as_bytes()), message, "{body}");
        }
        let long = "x".repeat(1000);
        assert_eq!(error_message(long.as_bytes()).len(), SHOWN + 2);
    }
}
