//! What every answer to one request needs: its id, its trace, and whether only headers are wanted.

use holdfast_platform::layer::request_id::{REQUEST_ID, TRACEPARENT};
use http::{HeaderMap, HeaderValue, Method};
use uuid::Uuid;

/// The longest request id taken from a caller.
const REQUEST_ID_CHARS_MAX: usize = 128;

#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// The caller's `x-request-id`, or a new UUIDv7.
    pub(crate) request_id: HeaderValue,
    /// The caller's W3C trace context, passed on as it is.
    pub(crate) traceparent: Option<HeaderValue>,
    /// HEAD: the answer's headers without its body.
    pub(crate) head: bool,
}

impl Context {
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Self {
        let request_id = headers.get(REQUEST_ID).filter(|id| is_sane_id(id.as_bytes())).cloned();
        Self {
            request_id: request_id.unwrap_or_else(|| {
                HeaderValue::try_from(Uuid::now_v7().to_string()).expect("a UUID is a valid header value")
            }),
            traceparent: headers.get(TRACEPARENT).filter(|value| is_traceparent(value.as_bytes())).cloned(),
            head: method == Method::HEAD,
        }
    }

    pub(crate) fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    /// Echoes the id and the trace.
    pub(crate) fn mark(&self, headers: &mut HeaderMap) {
        headers.insert(REQUEST_ID, self.request_id.clone());
        if let Some(traceparent) = &self.traceparent {
            headers.insert(TRACEPARENT, traceparent.clone());
        }
    }
}

fn is_sane_id(id: &[u8]) -> bool {
    (1..=REQUEST_ID_CHARS_MAX).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte))
}

/// `00-<32 hex>-<16 hex>-<2 hex>`, lower case (W3C Trace Context, level 1).
fn is_traceparent(value: &[u8]) -> bool {
    let lower_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    value.len() == 55
        && value.iter().enumerate().all(|(at, byte)| match at {
            2 | 35 | 52 => *byte == b'-',
            _ => lower_hex(byte),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sane_ids_and_traces_are_passed_on() {
        assert!(is_sane_id(b"order-7/2"));
        for bad in [&b""[..], b"a b", b"a\"b", &[b'a'; 129]] {
            assert!(!is_sane_id(bad), "{bad:?}");
        }
        assert!(is_traceparent(b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        assert!(!is_traceparent(b"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"));
        assert!(!is_traceparent(b"00"));
    }
}
