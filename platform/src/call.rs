//! The call under way: who asked, until when, as part of which trace. The server's layers set it around the handler;
//! whatever the handler awaits reads it: outgoing calls, statements, log lines. Spawned tasks do not inherit it.

use std::future::Future;
use std::sync::Arc;

use http::HeaderValue;
use tokio::task::futures::TaskLocalFuture;

use crate::deadline::Deadline;
use crate::peer::Peer;
use crate::trace_context::TraceContext;

tokio::task_local! {
    static CALL: Arc<Call>;
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Call {
    /// When its caller stops waiting.
    pub deadline: Deadline,
    /// The caller's `x-request-id`, where it gave one.
    pub request_id: Option<HeaderValue>,
    /// The caller's W3C trace context, where it gave one.
    pub trace: Option<TraceContext>,
    /// Who asked, as far as the connection proves it.
    pub peer: Peer,
}

impl Call {
    /// The call this code runs for; none in a worker.
    pub fn current() -> Option<Arc<Self>> {
        CALL.try_with(Arc::clone).ok()
    }

    /// Runs a future as part of this call.
    pub fn scope<F: Future>(self: Arc<Self>, future: F) -> TaskLocalFuture<Arc<Self>, F> {
        CALL.scope(self, future)
    }

    /// Runs a function as part of this call.
    pub fn within<T>(self: Arc<Self>, run: impl FnOnce() -> T) -> T {
        CALL.sync_scope(self, run)
    }
}
