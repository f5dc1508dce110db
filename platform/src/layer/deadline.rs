//! Every call ends by its deadline ([`crate::call::Call`] has it): what is late already is refused before its handler
//! runs, and when time runs out the handler is dropped and its caller told DEADLINE_EXCEEDED. A stream must open by then;
//! it goes on for as long as its caller said, or for ever where it did not.
//!
//! The gRPC runtime's own server says CANCELLED instead, and lets every stream go on.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use holdfast_contracts::common::v1::Reason;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::ending::Ending;
use crate::call::Call;
use crate::deadline::timeout_of;
use crate::method::Methods;
use crate::status::Refusal;
use crate::telemetry::metrics::{ShedReason, count_shed};

/// See the module.
#[derive(Debug, Clone)]
pub struct DeadlineLayer {
    methods: Methods,
}

impl DeadlineLayer {
    /// Belongs inside [`super::call::CallLayer`], which decides the deadline.
    pub fn new(methods: Methods) -> Self {
        Self { methods }
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = Timed<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Timed { inner, methods: self.methods.clone() }
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Timed<S> {
    inner: S,
    methods: Methods,
}

impl<S, B> Service<http::Request<B>> for Timed<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = TimedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let Some(call) = Call::current() else { return TimedFuture::Untimed { inner: self.inner.call(request) } };
        let method = self.methods.at(request.uri().path());
        if call.deadline.has_passed() {
            count_shed(ShedReason::Expired, method.criticality);
            return TimedFuture::Late;
        }
        let stream_until =
            if method.is_stream { timeout_of(request.headers()).map(|left| Instant::now() + left) } else { None };
        let until = call.deadline.instant();
        TimedFuture::Timed { inner: Some(self.inner.call(request)), until, timer: None, stream_until }
    }
}

pin_project! {
    /// See the module.
    #[project = TimedProjection]
    pub enum TimedFuture<F> {
        // Its time was up before it began.
        Late,
        Timed {
            // None once time has run out.
            #[pin]
            inner: Option<F>,
            until: Instant,
            // Set only where the handler has to wait.
            #[pin]
            timer: Option<Sleep>,
            // For a stream whose caller said how long it listens.
            stream_until: Option<Instant>,
        },
        // Outside any call: nothing says until when.
        Untimed {
            #[pin]
            inner: F,
        },
    }
}

impl<F, E> Future for TimedFuture<F>
where
    F: Future<Output = Result<http::Response<Body>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            TimedProjection::Late => Poll::Ready(Ok(Status::from(late("it had none left when it came")).into_http())),
            TimedProjection::Untimed { inner } => inner.poll(cx),
            TimedProjection::Timed { mut inner, until, mut timer, stream_until } => {
                let Some(handler) = inner.as_mut().as_pin_mut() else { return Poll::Pending };
                if let Poll::Ready(response) = handler.poll(cx)? {
                    return Poll::Ready(Ok(until_told(response, *stream_until)));
                }
                if timer.is_none() {
                    timer.set(Some(sleep_until(*until)));
                }
                let timer = timer.as_pin_mut().expect("it was set just now");
                ready!(timer.poll(cx));
                // The handler goes before its caller hears of it: nothing it holds outlives the answer.
                inner.set(None);
                Poll::Ready(Ok(Status::from(late("whether it took effect is not known")).into_http()))
            }
        }
    }
}

/// Ends a stream when its caller stops listening.
fn until_told(response: http::Response<Body>, until: Option<Instant>) -> http::Response<Body> {
    let Some(until) = until else { return response };
    let end = async move {
        sleep_until(until).await;
        Status::from(late("the stream was asked for no longer than this"))
    };
    response.map(|body| Ending::of(body, end))
}

fn late(what: &str) -> Refusal {
    Refusal::new(Reason::DeadlineExceeded, format!("the call's time ran out: {what}"))
}
