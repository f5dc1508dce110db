//! When a call is over, and how it ended: said in a unary answer's head, in the trailers, or by nobody.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use http_body::{Frame, SizeHint};
use tonic::Code;

use crate::telemetry::histogram::{Histogram, Seconds};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::rpc::{RpcMethod, RpcStatus, RpcSystem};
use crate::telemetry::span::Span;
use crate::telemetry::trace;
use crate::trace_context::TraceContext;

/// Which end of a call this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Server,
    Client,
}

/// A call under way. Whoever drops it without an end has given it up.
#[derive(Debug)]
pub(super) struct Underway {
    side: Side,
    method: RpcMethod,
    began: Instant,
    span: Span,
    is_over: bool,
}

impl Underway {
    pub(super) fn begin(side: Side, method: RpcMethod, span: Span) -> Self {
        if side == Side::Server {
            Metrics::get().rpc_server_active.of((RpcSystem::Grpc,)).add(1);
        }
        Self { side, method, began: Instant::now(), span, is_over: false }
    }

    /// Runs a step of the call as part of its trace.
    pub(super) fn step<T>(&self, step: impl FnOnce() -> T) -> T {
        match self.span.context() {
            Some(trace) => trace::run(trace, step),
            None => step(),
        }
    }

    pub(super) fn end(&mut self, status: RpcStatus) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let metrics = Metrics::get();
        let family = match self.side {
            Side::Server => &metrics.rpc_server_calls,
            Side::Client => &metrics.rpc_client_calls,
        };
        let series: &Histogram<Seconds> = family.of((RpcSystem::Grpc, self.method, status));
        series.observe_traced(self.began.elapsed(), self.span.trace_id());
        if self.side == Side::Server {
            metrics.rpc_server_active.of((RpcSystem::Grpc,)).add(-1);
        }
        self.span.set("rpc.response.status_code", status.name());
        let is_fault = match self.side {
            Side::Server => status.is_server_fault(),
            Side::Client => status.0 != Code::Ok,
        };
        if is_fault {
            self.span.fail(status.name());
        }
        self.span.end();
    }

    /// What the other side is told of the trace.
    pub(super) fn trace(&self) -> Option<TraceContext> {
        self.span.context()
    }

    /// Follows an answer to its end.
    fn answered<B>(mut self, response: http::Response<B>) -> http::Response<Followed<B>> {
        let ended = match RpcStatus::read(response.headers()) {
            Some(status) => Some(status),
            // A server's unary answer is complete once it begins: its handler is done, only the socket is left.
            None if self.side == Side::Server && !self.method.streams() => Some(RpcStatus(Code::Ok)),
            None => None,
        };
        let call = match ended {
            Some(status) => {
                self.end(status);
                None
            }
            None => Some(self),
        };
        response.map(|inner| Followed { inner, call })
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let code = if std::thread::panicking() { Code::Internal } else { Code::Cancelled };
        self.end(RpcStatus(code));
    }
}

/// An answer, watched for its end where that is yet to come.
#[derive(Debug)]
pub struct Followed<B> {
    inner: B,
    call: Option<Underway>,
}

impl<B: http_body::Body + Unpin> http_body::Body for Followed<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let Self { inner, call } = &mut *self;
        let Some(call) = call else { return Pin::new(inner).poll_frame(cx) };
        let polled = call.step(|| Pin::new(inner).poll_frame(cx));
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    call.end(RpcStatus::read(trailers).unwrap_or(RpcStatus(Code::Unknown)));
                }
            }
            Poll::Ready(Some(Err(_))) => call.end(RpcStatus(Code::Unavailable)),
            Poll::Ready(None) => call.end(RpcStatus(Code::Unknown)),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

pin_project_lite::pin_project! {
    /// A call whose answer has not begun.
    #[derive(Debug)]
    pub struct Observed<F> {
        #[pin]
        inner: F,
        call: Option<Underway>,
    }
}

impl<F> Observed<F> {
    pub(super) fn new(inner: F, call: Underway) -> Self {
        Self { inner, call: Some(call) }
    }

    /// Nobody looks.
    pub(super) fn unseen(inner: F) -> Self {
        Self { inner, call: None }
    }
}

impl<F, B, E> Future for Observed<F>
where
    F: Future<Output = Result<http::Response<B>, E>>,
{
    type Output = Result<http::Response<Followed<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(underway) = this.call.as_ref() else {
            return this.inner.poll(cx).map_ok(|response| response.map(|inner| Followed { inner, call: None }));
        };
        let answer = ready!(underway.step(|| this.inner.poll(cx)));
        let mut underway = this.call.take().expect("it was there just now");
        Poll::Ready(match answer {
            Ok(response) => Ok(underway.answered(response)),
            Err(error) => {
                underway.end(RpcStatus(Code::Unavailable));
                Err(error)
            }
        })
    }
}
