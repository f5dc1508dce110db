//! Where the running code stands in its trace. Servers set it around their handlers; what those await reads it:
//! outgoing calls, statements, log lines. Spawned tasks do not inherit it: hand it on with [`scope`].

use std::future::Future;

use http::HeaderMap;

use crate::trace_context::{TRACEPARENT, TraceContext};

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// The span this code runs in; none where nobody traces.
pub fn current() -> Option<TraceContext> {
    CURRENT.try_with(|context| *context).ok()
}

/// Runs a future as part of a span, where there is one.
pub async fn scope<F: Future>(context: Option<TraceContext>, future: F) -> F::Output {
    match context {
        Some(context) => CURRENT.scope(context, future).await,
        None => future.await,
    }
}

/// Runs a function as part of a span.
pub(crate) fn run<T>(context: TraceContext, function: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(context, function)
}

/// What a caller says of its trace.
pub fn of_headers(headers: &HeaderMap) -> Option<TraceContext> {
    headers.get(TRACEPARENT).and_then(|value| TraceContext::parse(value.as_bytes()))
}
