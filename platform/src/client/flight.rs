//! A call under way at an endpoint: whatever becomes of it, it is counted out once, when its answer ends.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use tokio::time::Instant;
use tonic::{Code, Status};

use super::answer::{Verdict, is_outage};
use super::deadline::Patience;
use super::endpoint::{Endpoint, Outcome};
use super::failure;
use super::lines::Kind;
use super::outgoing::Outgoing;

/// An endpoint that did not answer in this time, and not before the deadline, failed.
const HUNG_AFTER: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Flight {
    endpoint: Arc<Endpoint>,
    started: Instant,
    patience: Patience,
    line: usize,
    /// A stream whose head has not come.
    is_opening: bool,
    is_probe: bool,
    is_recorded: bool,
}

impl Flight {
    /// Of a call that was begun there.
    pub(super) fn new(endpoint: Arc<Endpoint>, call: &Outgoing, line: usize, is_probe: bool) -> Self {
        let (patience, is_opening) = (call.patience, call.kind() == Kind::Stream);
        Self { endpoint, started: Instant::now(), patience, line, is_opening, is_probe, is_recorded: false }
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Only the first counts.
    pub(super) fn record(&mut self, outcome: Outcome) {
        if !std::mem::replace(&mut self.is_recorded, true) {
            self.endpoint.record(outcome, self.started.elapsed(), self.is_probe);
        }
    }

    /// A head came. A stream has served by opening; how long it is listened to says nothing, and is no load.
    pub(super) fn opened(&mut self, head: &http::response::Parts) {
        let is_stream = self.end_opening();
        match Verdict::of_head(head.status, &head.headers).map(outcome) {
            Some(outcome) => self.record(outcome),
            None if is_stream => self.record(Outcome::Served),
            None => {}
        }
    }

    fn end_opening(&mut self) -> bool {
        let was_opening = std::mem::take(&mut self.is_opening);
        if was_opening {
            self.endpoint.open();
        }
        was_opening
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let now = Instant::now();
        let is_hung = now >= self.patience.opening && now - self.started >= HUNG_AFTER;
        self.record(if is_hung { Outcome::Failed } else { Outcome::Abandoned });
        self.end_opening();
        self.endpoint.end(self.line);
    }
}

/// What a status says about the endpoint.
fn outcome(verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::Refused { code: Code::Unavailable, reason, .. } if is_outage(reason) => Outcome::Failed,
        // Fast, but no reason to send it more. One method's crash says nothing about the others: no failure either.
        Verdict::Refused {
            code: Code::ResourceExhausted | Code::Internal | Code::Unknown | Code::Unimplemented | Code::DataLoss,
            ..
        } => Outcome::Unwell,
        Verdict::Refused { .. } | Verdict::Committed => Outcome::Served,
    }
}

/// An answer's body, which ends its flight.
#[derive(Debug)]
pub(super) struct Landing {
    body: Incoming,
    /// None once it ended.
    flight: Option<Flight>,
}

impl Landing {
    pub(super) fn new(body: Incoming, flight: Flight) -> Self {
        Self { body, flight: Some(flight) }
    }

    fn end(&mut self, outcome: Outcome) {
        if let Some(mut flight) = self.flight.take() {
            flight.record(outcome);
        }
    }
}

impl Body for Landing {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.end(Verdict::of(trailers).map_or(Outcome::Failed, outcome));
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                this.end(Outcome::Failed);
                Poll::Ready(Some(Err(failure::broken_off(error))))
            }
            // A stream that was reset: no trailers came.
            None => {
                this.end(Outcome::Failed);
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}
