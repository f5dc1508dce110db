//! What every answer to one request needs: its id, its trace, and whether only headers are wanted.

use holdfast_platform::layer::call::{REQUEST_ID, request_id};
use holdfast_platform::trace_context::{TRACEPARENT, TraceContext};
use http::{HeaderMap, HeaderValue, Method};
use uuid::Uuid;

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
        Self {
            request_id: request_id(headers).unwrap_or_else(|| {
                HeaderValue::try_from(Uuid::now_v7().to_string()).expect("a UUID is a valid header value")
            }),
            traceparent: headers
                .get(TRACEPARENT)
                .filter(|value| TraceContext::parse(value.as_bytes()).is_some())
                .cloned(),
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
