//! What a call passes on of the call it is made for: its request id and its place in the trace.

use http::HeaderMap;

use crate::call::Call;
use crate::layer::call::REQUEST_ID;
use crate::trace_context::TRACEPARENT;

/// Headers that the caller set itself stay.
pub(super) fn pass_on(headers: &mut HeaderMap, for_call: Option<&Call>) {
    let Some(call) = for_call else { return };
    if let Some(id) = &call.request_id {
        headers.entry(REQUEST_ID).or_insert_with(|| id.clone());
    }
    if let Some(trace) = &call.trace {
        headers.entry(TRACEPARENT).or_insert_with(|| trace.header());
    }
}
