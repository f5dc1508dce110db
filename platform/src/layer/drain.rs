//! Streams have no end of their own: when the server is drained, those still open are ended with UNAVAILABLE and a hint
//! when to open them again.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use pin_project_lite::pin_project;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::ending::Ending;
use crate::method::Methods;
use crate::status::Refusal;
use crate::telemetry::metrics::{ShedReason, count_shed};

/// When an ended stream may be opened again: almost at once, but elsewhere.
const RESUME_AFTER: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug, Clone)]
pub struct DrainLayer {
    methods: Methods,
    ending: CancellationToken,
}

impl DrainLayer {
    /// Streams end once `ending` is cancelled; those opened later, at once.
    pub fn new(methods: Methods, ending: CancellationToken) -> Self {
        Self { methods, ending }
    }
}

impl<S> Layer<S> for DrainLayer {
    type Service = Drain<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Drain { inner, layer: self.clone() }
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Drain<S> {
    inner: S,
    layer: DrainLayer,
}

impl<S, B> Service<http::Request<B>> for Drain<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = DrainFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let method = self.layer.methods.at(request.uri().path());
        let ending = method.is_stream.then(|| self.layer.ending.clone());
        let comes_too_late = ending.as_ref().is_some_and(CancellationToken::is_cancelled);
        if comes_too_late && method.index.is_some() {
            count_shed(ShedReason::Draining, method.criticality);
        }
        DrainFuture { inner: self.inner.call(request), ending }
    }
}

pin_project! {
    /// See the module.
    pub struct DrainFuture<F> {
        #[pin]
        inner: F,
        // For streams.
        ending: Option<CancellationToken>,
    }
}

impl<F, E> Future for DrainFuture<F>
where
    F: Future<Output = Result<http::Response<Body>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let Some(ending) = this.ending.take() else { return Poll::Ready(Ok(response)) };
        let end = async move {
            ending.cancelled().await;
            Status::from(stopping())
        };
        Poll::Ready(Ok(response.map(|body| Ending::of(body, end))))
    }
}

fn stopping() -> Refusal {
    Refusal::new(Reason::Unavailable, "this server stops: open the stream again where it ended")
        .retry_after(RESUME_AFTER)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use holdfast_contracts::options::v1::Criticality;
    use tower::{ServiceExt as _, service_fn};

    use super::*;
    use crate::method::Method;
    use crate::telemetry::metrics::{Metrics, Weight};

    #[tokio::test]
    async fn a_stream_that_comes_once_others_have_ended_is_counted_as_turned_away() {
        let method = |is_stream, index| Method {
            timeout_default: Duration::from_secs(1),
            timeout_max: Duration::from_secs(1),
            criticality: Criticality::Sheddable,
            is_stream,
            index: Some(index),
        };
        let methods = [("/a.A/Watch".to_owned(), method(true, 0)), ("/a.A/Get".to_owned(), method(false, 1))];
        let ending = CancellationToken::new();
        let answer = |_: http::Request<Body>| async { Ok::<_, Infallible>(http::Response::new(Body::empty())) };
        let service = DrainLayer::new(Methods::from_iter(methods), ending.clone()).layer(service_fn(answer));
        let told = || Metrics::get().calls_shed.of((ShedReason::Draining, Weight::Sheddable)).get();
        let call = async |path: &str| {
            let request = http::Request::builder().uri(path).body(Body::empty()).expect("a request");
            service.clone().oneshot(request).await.expect("an answer");
            told()
        };
        assert_eq!(call("/a.A/Watch").await, 0, "it is open to streams");
        ending.cancel();
        assert_eq!(call("/a.A/Get").await, 0, "what is no stream is let in to the end");
        assert_eq!(call("/a.A/Watch").await, 1);
    }
}
