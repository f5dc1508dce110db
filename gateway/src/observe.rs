//! One request, measured from its head to its answer's head: its metrics, and where its trace is sampled, its span.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Instant;

use holdfast_platform::telemetry::label::Label as _;
use holdfast_platform::telemetry::span::Span;
use holdfast_platform::telemetry::trace;
use holdfast_platform::trace_context::TraceContext;
use http::{HeaderMap, Method, StatusCode};

use crate::metrics::{HttpMethod, HttpRoute, HttpStatus, Metrics, UrlScheme, span_name};

/// See the module. Dropped before its end, its caller went away.
#[derive(Debug)]
pub(crate) struct Observed {
    method: HttpMethod,
    route: AtomicU16,
    began: Instant,
    span: Span,
    is_over: bool,
}

impl Observed {
    pub(crate) fn begin(method: &Method, headers: &HeaderMap) -> Self {
        let method = HttpMethod::of(method);
        let name = HttpMethod::words()[method.place()];
        let mut span = Span::server(name, trace::of_headers(headers));
        span.set("http.request.method", name).set("url.scheme", "http");
        Metrics::get().active.of((UrlScheme::Http, method)).add(1);
        Self { method, route: AtomicU16::default(), began: Instant::now(), span, is_over: false }
    }

    /// What the services asked on its behalf are part of.
    pub(crate) fn trace(&self) -> Option<TraceContext> {
        self.span.context()
    }

    /// Says which route it takes.
    pub(crate) fn takes(&self, template: &str) {
        self.route.store(HttpRoute::of(template).place(), Ordering::Relaxed);
    }

    pub(crate) fn end(mut self, status: StatusCode) {
        self.span.set("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() {
            self.span.fail("server_error");
        }
        self.finish(HttpStatus::of(status));
    }

    fn finish(&mut self, status: HttpStatus) {
        self.is_over = true;
        let route = HttpRoute::at(*self.route.get_mut());
        self.span.set("http.route", route.template()).rename(span_name(self.method, route));
        let metrics = Metrics::get();
        let series = metrics.requests.of((UrlScheme::Http, self.method, route, status));
        series.observe_traced(self.began.elapsed(), self.span.trace_id());
        metrics.active.of((UrlScheme::Http, self.method)).add(-1);
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        if !self.is_over {
            self.finish(HttpStatus::NONE);
        }
    }
}

/// An open event stream, counted while it is.
#[derive(Debug)]
pub(crate) struct OpenStream(());

impl OpenStream {
    pub(crate) fn new() -> Self {
        Metrics::get().streams.add(1);
        Self(())
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        Metrics::get().streams.add(-1);
    }
}
