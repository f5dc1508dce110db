//! One call on its way out, as every decision of the stack sees it: by reference, however often it is sent.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tonic::Status;
use tonic::body::Body;

use super::body::RequestBody;
use super::deadline::{self, Patience};
use super::lines::Kind;
use super::policy::{Policy, Time};

/// Requests up to this are kept so that they can be sent again.
const REPLAY_BYTES_MAX: usize = 1 << 20;

/// See the module.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) head: http::request::Parts,
    body: Payload,
    pub(super) policy: Arc<Policy>,
    pub(super) patience: Patience,
    /// Where it was last sent to, so that a repetition goes elsewhere: an endpoint's number.
    last_tried: AtomicU64,
    /// Sendings that failed or were given up, for `grpc-previous-rpc-attempts`.
    pub(super) previous_attempts: AtomicU64,
}

#[derive(Debug)]
enum Payload {
    /// All of it: can be sent again.
    Whole(Bytes),
    /// Can be sent once.
    Once(Mutex<Option<RequestBody>>),
}

impl Outgoing {
    /// Reads the request as far as it can be kept.
    ///
    /// # Errors
    /// Where the request's own body fails.
    pub(super) async fn read(
        request: http::Request<Body>,
        policy: Arc<Policy>,
        patience: Patience,
    ) -> Result<Self, Status> {
        let (head, body) = request.into_parts();
        let body = match policy.time {
            Time::Unary { .. } => read_whole(body).await?,
            Time::Opening(_) => Payload::once(RequestBody::Stream(body)),
        };
        let (last_tried, previous_attempts) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { head, body, policy, patience, last_tried, previous_attempts })
    }

    /// The request as it goes out now: with the time that is left now. None where its body is gone.
    pub(super) fn request(&self) -> Option<http::Request<RequestBody>> {
        let body = match &self.body {
            Payload::Whole(bytes) => RequestBody::Whole(Some(bytes.clone())),
            Payload::Once(body) => body.lock().unwrap_or_else(PoisonError::into_inner).take()?,
        };
        let mut head = self.head.clone();
        deadline::tell(&mut head.headers, self.patience);
        let previous = self.previous_attempts.load(Ordering::Relaxed);
        if previous > 0 {
            head.headers.insert("grpc-previous-rpc-attempts", previous.into());
        }
        Some(http::Request::from_parts(head, body))
    }

    /// A body that was never sent.
    pub(super) fn give_back(&self, unsent: RequestBody) {
        if let Payload::Once(body) = &self.body {
            *body.lock().unwrap_or_else(PoisonError::into_inner) = Some(unsent);
        }
    }

    /// Whether there is a body to send (again).
    pub(super) fn can_be_sent(&self) -> bool {
        match &self.body {
            Payload::Whole(_) => true,
            Payload::Once(body) => body.lock().unwrap_or_else(PoisonError::into_inner).is_some(),
        }
    }

    /// Whether it may reach a server twice.
    pub(super) fn is_repeatable(&self) -> bool {
        self.policy.retry.is_some() && matches!(self.body, Payload::Whole(_))
    }

    pub(super) fn kind(&self) -> Kind {
        match self.policy.time {
            Time::Unary { .. } => Kind::Call,
            // Of a method we do not know, it is not known that it ends.
            Time::Opening(_) => Kind::Stream,
        }
    }

    /// Whether it changes nothing: what may be sent twice at once.
    pub(super) fn is_read(&self) -> bool {
        self.policy.hedging.is_some()
    }

    pub(super) fn last_tried(&self) -> u64 {
        self.last_tried.load(Ordering::Relaxed)
    }

    pub(super) fn tried(&self, endpoint: u64) {
        self.last_tried.store(endpoint, Ordering::Relaxed);
    }
}

impl Payload {
    fn once(body: RequestBody) -> Self {
        Self::Once(Mutex::new(Some(body)))
    }
}

/// Most requests are one frame, which is kept as it is.
async fn read_whole(mut body: Body) -> Result<Payload, Status> {
    let mut whole = Bytes::new();
    while let Some(frame) = body.frame().await.transpose()? {
        // A request has no trailers in gRPC.
        let Ok(data) = frame.into_data() else { continue };
        whole = if whole.is_empty() { data } else { joined(&whole, &data) };
        if whole.len() > REPLAY_BYTES_MAX {
            return Ok(Payload::once(RequestBody::Begun(Some(whole), body)));
        }
    }
    Ok(Payload::Whole(whole))
}

fn joined(start: &[u8], rest: &[u8]) -> Bytes {
    let mut all = BytesMut::with_capacity(start.len() + rest.len());
    all.extend_from_slice(start);
    all.extend_from_slice(rest);
    all.freeze()
}
