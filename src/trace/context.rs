//! The trace context that one program passes to another: W3C Trace Context.

use http::{HeaderMap, HeaderValue};

/// The longest `tracestate` that is passed on; the specification asks for 512 characters.
const STATE_LIMIT: usize = 4096;

/// A span's place in a trace, as in the header `traceparent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
    pub(super) flags: u8,
    pub(super) state: String,
}

impl TraceContext {
    /// Parses the values of `traceparent` and `tracestate`. `None` if the first is malformed; a
    /// malformed state is left out.
    pub fn parse(parent: &str, state: Option<&str>) -> Option<Self> {
        let mut parts = parent.trim().split('-');
        let [version] = hex(parts.next()?)?;
        let trace_id: [u8; 16] = hex(parts.next()?)?;
        let span_id: [u8; 8] = hex(parts.next()?)?;
        let [flags] = hex(parts.next()?)?;
        // Later versions may have more parts.
        let is_valid = match version {
            0 => parts.next().is_none(),
            version => version != 0xff,
        };
        if !is_valid || trace_id == [0; 16] || span_id == [0; 8] {
            return None;
        }
        let state = state.map(str::trim).filter(|state| {
            state.len() <= STATE_LIMIT && state.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        });
        Some(Self {
            trace_id,
            span_id,
            flags: flags & 1,
            state: state.unwrap_or_default().to_owned(),
        })
    }

    /// Returns the value of `traceparent`.
    pub fn to_header(&self) -> String {
        let (trace, span) = (to_hex(&self.trace_id), to_hex(&self.span_id));
        format!("00-{trace}-{span}-{:02x}", self.flags)
    }

    /// True if the trace is recorded.
    pub fn is_sampled(&self) -> bool {
        self.flags & 1 == 1
    }

    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::try_from(self.to_header()) {
            headers.insert("traceparent", value);
        }
        if let (false, Ok(value)) = (self.state.is_empty(), HeaderValue::from_str(&self.state)) {
            headers.insert("tracestate", value);
        }
    }
}

/// Lower-case digits only, as the specification demands.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 2 * N || !text.bytes().all(is_hex) {
        return None;
    }
    let mut bytes = [0; N];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_parent_is_written_as_it_was_read() {
        let context = TraceContext::parse(PARENT, Some("a=b,c=d")).unwrap();
        assert_eq!(context.to_header(), PARENT);
        assert!(context.is_sampled());
        let mut headers = HeaderMap::new();
        context.add_to(&mut headers);
        assert_eq!(headers["traceparent"], PARENT);
        assert_eq!(headers["tracestate"], "a=b,c=d");
        let newer = format!("cc{}-more", &PARENT[2..]);
        let context = TraceContext::parse(&newer, Some("a\u{1}")).unwrap();
        assert_eq!(
            (context.to_header(), context.state),
            (PARENT.into(), String::new())
        );
        let unsampled = PARENT.replace("-01", "-00");
        assert!(!TraceContext::parse(&unsampled, None).unwrap().is_sampled());
    }

    #[test]
    fn a_malformed_parent_is_none() {
        for text in [
            "",
            "x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319é-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceContext::parse(text, None), None, "{text}");
        }
    }
}
