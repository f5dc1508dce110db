//! Under overload some calls are refused at once, so that the others are answered in good time: RESOURCE_EXHAUSTED with
//! RetryInfo, before anything was done for them. The least critical methods go first; health and reflection are never
//! refused. A stream counts until it is open.

mod controller;
mod limiter;
#[cfg(test)]
mod simulation;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use pin_project_lite::pin_project;
use rand::RngExt as _;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use controller::Outcome;
pub use limiter::Limiter;
use limiter::Place;

use crate::call::Call;
use crate::method::Methods;
use crate::status::Refusal;
use crate::telemetry::metrics::{ShedReason, count_shed};

/// When to try again at the earliest; up to twice that, so that not all come back at once.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// See the module.
#[derive(Debug, Clone)]
pub struct ShedLayer {
    methods: Methods,
    limiter: Arc<Limiter>,
}

impl ShedLayer {
    /// Belongs outside [`super::call::CallLayer`]: a call made within a call of this process was let in with that one.
    pub fn new(methods: Methods, limiter: Arc<Limiter>) -> Self {
        Self { methods, limiter }
    }
}

impl<S> Layer<S> for ShedLayer {
    type Service = Shed<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Shed { inner, layer: self.clone() }
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Shed<S> {
    inner: S,
    layer: ShedLayer,
}

impl<S, B> Service<http::Request<B>> for Shed<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ShedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let method = self.layer.methods.at(request.uri().path());
        let place = match method.index {
            Some(index) if Call::current().is_none() => match self.layer.limiter.enter(index, method.criticality) {
                Some(place) => Some(place),
                None => {
                    count_shed(ShedReason::Concurrency, method.criticality);
                    return ShedFuture::Refused;
                }
            },
            Some(_) | None => None,
        };
        ShedFuture::Admitted { inner: self.inner.call(request), place }
    }
}

pin_project! {
    /// See the module.
    #[project = ShedProjection]
    pub enum ShedFuture<F> {
        Refused,
        Admitted {
            #[pin]
            inner: F,
            place: Option<Place>,
        },
    }
}

impl<F, E> Future for ShedFuture<F>
where
    F: Future<Output = Result<http::Response<Body>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            ShedProjection::Refused => Poll::Ready(Ok(Status::from(overloaded()).into_http())),
            ShedProjection::Admitted { inner, place } => {
                let response = ready!(inner.poll(cx));
                if let Some(place) = place.take()
                    && let Ok(response) = &response
                    && let Some(outcome) = outcome(response)
                {
                    place.answered(outcome);
                }
                Poll::Ready(response)
            }
        }
    }
}

/// What an answer tells of its latency: nothing where it is a refusal, however quick or slow.
fn outcome(response: &http::Response<Body>) -> Option<Outcome> {
    match response.headers().get(Status::GRPC_STATUS).map(|code| Code::from_bytes(code.as_bytes())) {
        None | Some(Code::Ok) => Some(Outcome::Done),
        Some(Code::DeadlineExceeded) => Some(Outcome::Late),
        Some(_) => None,
    }
}

fn overloaded() -> Refusal {
    let delay = RETRY_AFTER.mul_f64(1.0 + rand::rng().random::<f64>());
    Refusal::new(Reason::Overloaded, "more calls are under way than can be answered in good time").retry_after(delay)
}
