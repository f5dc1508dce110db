//! Every outgoing call has a deadline: what its caller waits at most, less a margin, bounded by the method's own times.
//! It is told to the server as what remains when the request leaves, and enforced here for the answer's head and body,
//! whatever the server does: tonic honours it for the head alone and answers CANCELLED.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use holdfast_contracts::common::v1::Reason;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame};
use tokio::time::{Instant, Sleep};
use tonic::Status;

use super::policy::{Policy, Time};
use crate::call::Call;
use crate::deadline::parse_timeout;
use crate::status::Refusal;

/// What a call keeps of its caller's time, to say that this one came too late.
const MARGIN: Duration = Duration::from_millis(5);

/// Until when an answer is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    /// For its head.
    pub(super) opening: Instant,
    /// For all of it; none for streams whose caller gave no time.
    pub(super) whole: Option<Instant>,
}

impl Patience {
    /// What a call of this method, with these headers, made for that call, may take from now on.
    pub(super) fn new(headers: &HeaderMap, policy: &Policy, for_call: Option<&Call>, now: Instant) -> Self {
        let asked = headers.get("grpc-timeout").and_then(|value| value.to_str().ok()).and_then(parse_timeout);
        let callers = for_call.map(|call| call.deadline.instant().checked_sub(MARGIN).unwrap_or(now));
        let within = |instant: Instant| callers.map_or(instant, |callers| callers.min(instant));
        match policy.time {
            Time::Unary { default, max } => {
                let whole = within(now + asked.unwrap_or(default).min(max));
                Self { opening: whole, whole: Some(whole) }
            }
            Time::Opening(opening) => {
                // A handler may pass a stream on: its own deadline ends with its head.
                let whole = asked.map(|asked| now + asked);
                let opening = within(now + opening);
                Self { opening: whole.map_or(opening, |whole| whole.min(opening)), whole }
            }
        }
    }

    pub(super) fn has_passed(&self, now: Instant) -> bool {
        now >= self.opening
    }
}

/// Writes what remains into `grpc-timeout`.
pub(super) fn tell(headers: &mut HeaderMap, patience: Patience) {
    if let Some(whole) = patience.whole {
        headers.insert("grpc-timeout", format_timeout(whole.saturating_duration_since(Instant::now())));
    }
}

/// At most eight digits and a unit, as fine as they allow.
fn format_timeout(timeout: Duration) -> HeaderValue {
    const DIGITS_MAX: u128 = 99_999_999;
    let (amount, unit) = match (timeout.as_micros(), timeout.as_millis()) {
        (us, _) if us <= DIGITS_MAX => (us, 'u'),
        (_, ms) if ms <= DIGITS_MAX => (ms, 'm'),
        _ => (u128::from(timeout.as_secs()).min(DIGITS_MAX), 'S'),
    };
    HeaderValue::try_from(format!("{amount}{unit}")).expect("digits and a letter are a header value")
}

/// What is answered where the time was up before or after sending.
pub(super) fn exceeded() -> Status {
    Refusal::new(Reason::DeadlineExceeded, "the time for this call was up").into()
}

/// Waits for an answer's head until its time is up.
pub(super) async fn within<F: Future>(patience: Patience, answer: F) -> Result<F::Output, Status> {
    tokio::time::timeout_at(patience.opening, answer).await.map_err(|_elapsed| exceeded())
}

/// An answer's body that ends when its time is up.
#[derive(Debug)]
pub(super) struct Timed<B> {
    /// None once its time was up: the server is told by dropping it.
    inner: Option<B>,
    until: Option<Instant>,
    /// Made when first waited for: most bodies are there at once.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<B> Timed<B> {
    pub(super) fn new(inner: B, patience: Patience) -> Self {
        Self { inner: Some(inner), until: patience.whole, sleep: None }
    }
}

impl<B: Body<Data = Bytes, Error = Status> + Unpin> Body for Timed<B> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
        let frame = Pin::new(inner).poll_frame(cx);
        let (Poll::Pending, Some(until)) = (&frame, this.until) else { return frame };
        let sleep = this.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if sleep.as_mut().poll(cx).is_pending() {
            return frame;
        }
        this.inner = None;
        Poll::Ready(Some(Err(exceeded())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deadline::Deadline;
    use crate::peer::Peer;

    const SECOND: Duration = Duration::from_secs(1);

    fn patience(asked: Option<&'static str>, time: Time, callers: Option<Duration>) -> (Patience, Instant) {
        let mut headers = HeaderMap::new();
        if let Some(asked) = asked {
            headers.insert("grpc-timeout", HeaderValue::from_static(asked));
        }
        let policy = Policy { time, retry: None, hedging: None };
        let now = Instant::now();
        let call = callers.map(|left| Call {
            deadline: Deadline::after(left),
            request_id: None,
            trace: None,
            peer: Peer::Anonymous,
        });
        (Patience::new(&headers, &policy, call.as_ref(), now), now)
    }

    #[tokio::test(start_paused = true)]
    async fn the_shortest_of_method_caller_and_request_counts() {
        let unary = Time::Unary { default: 2 * SECOND, max: 10 * SECOND };
        let check = |asked, callers, expect: Duration| {
            let (patience, now) = patience(asked, unary, callers);
            assert_eq!(patience.whole.map(|whole| whole - now), Some(expect), "{asked:?} {callers:?}");
            assert_eq!(patience.opening - now, expect);
        };
        check(None, None, 2 * SECOND);
        check(Some("5S"), None, 5 * SECOND);
        check(Some("60S"), None, 10 * SECOND);
        check(None, Some(SECOND), SECOND - MARGIN);
        check(Some("500m"), Some(SECOND), SECOND / 2);
        check(Some("5S"), Some(SECOND), SECOND - MARGIN);
    }

    #[tokio::test(start_paused = true)]
    async fn streams_are_bound_in_opening_only_unless_asked() {
        let stream = Time::Opening(2 * SECOND);
        let (silent, now) = patience(None, stream, Some(SECOND));
        assert_eq!((silent.opening - now, silent.whole), (SECOND - MARGIN, None));
        let (asked, now) = patience(Some("30S"), stream, None);
        assert_eq!((asked.opening - now, asked.whole.map(|whole| whole - now)), (2 * SECOND, Some(30 * SECOND)));
    }

    #[test]
    fn what_is_told_is_read_back() {
        for timeout in [Duration::ZERO, Duration::from_micros(1), 99 * SECOND, 1000 * SECOND, 100_000_000 * SECOND] {
            let header = format_timeout(timeout);
            let read = parse_timeout(header.to_str().expect("ASCII")).expect("a timeout");
            assert!(read <= timeout && timeout - read <= SECOND * 2, "{timeout:?} {read:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_ends_with_its_time() {
        use http_body_util::BodyExt as _;
        let (_held, channel) = tokio::sync::mpsc::channel::<Result<Frame<Bytes>, Status>>(1);
        let body = http_body_util::StreamBody::new(tokio_stream::wrappers::ReceiverStream::new(channel));
        let until = Instant::now() + SECOND;
        let mut timed = Timed::new(body, Patience { opening: until, whole: Some(until) });
        let error = timed.frame().await.expect("a frame").expect_err("no data came");
        assert_eq!((error.code(), Instant::now()), (tonic::Code::DeadlineExceeded, until));
        assert!(timed.frame().await.is_none());
    }
}
