//! One endpoint as the balancer sees it: whether it is connected, whether its breaker lets calls pass, how loaded it is.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::uri::{Authority, Scheme};
use http::{Request, Uri};
use hyper::client::conn::http2::SendRequest;
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::{info, warn};

use super::body::RequestBody;
use super::breaker::{Admission, Breaker, Change};
use super::load::Load;
use super::tally::{Counted, Tally};

/// How many calls one endpoint may have under way, waiting for a free stream included.
const CALLS_MAX: usize = 8192;
/// A new endpoint gets its full share after this.
const SLOW_START: Duration = Duration::from_secs(2);
/// What it gets at first.
const SHARE_MIN: f64 = 0.1;
/// A lost endpoint is tried again for a waiting call if the last attempt is as long ago as this.
pub(super) const RECONNECT_PAUSE_MIN: Duration = Duration::from_millis(50);

/// See the module.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// Tells endpoints apart; never zero.
    pub(super) number: u64,
    /// The address to dial.
    pub(super) address: Authority,
    /// What the server is called.
    authority: Authority,
    scheme: Scheme,
    has_breaker: bool,
    tally: Tally,
    state: Mutex<State>,
    calls: AtomicUsize,
    /// Somebody waits for a connection.
    pub(super) wanted: Notify,
}

#[derive(Debug)]
struct State {
    link: Link,
    breaker: Breaker,
    counted: Counted,
    load: Load,
    /// Since when it gets calls.
    ready_since: Instant,
}

/// How far its connection is.
#[derive(Debug)]
pub(super) enum Link {
    Idle,
    Connecting,
    Ready(SendRequest<RequestBody>),
    Failed { at: Instant },
}

/// What it is good for, for one call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fitness {
    /// `share` in 0..=1 of what a warm one gets.
    Fit {
        cost: f64,
        share: f64,
    },
    /// Connected, and a call is needed, for so long, to find out whether it serves again.
    ProbeDue {
        waited: Duration,
    },
    /// May become fit while the call waits.
    Coming,
    Unfit,
}

/// How one sending went, as far as it says something about the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Served,
    /// It answered that it has too much to do, or that it broke down: alive, but not to be preferred.
    Unwell,
    Failed,
    /// Nobody waited for the end.
    Abandoned,
}

impl Endpoint {
    pub(super) fn new(
        address: Authority,
        authority: Authority,
        scheme: Scheme,
        has_breaker: bool,
        tally: Tally,
    ) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let now = Instant::now();
        let breaker = Breaker::default();
        let counted = Counted::new(tally, breaker.state(now));
        let state = State { link: Link::Idle, breaker, counted, load: Load::new(now), ready_since: now };
        Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            address,
            authority,
            scheme,
            has_breaker,
            tally,
            state: Mutex::new(state),
            calls: AtomicUsize::new(0),
            wanted: Notify::new(),
        }
    }

    pub(super) fn set_link(&self, link: Link) {
        let mut state = self.state();
        if let Link::Ready(_) = link {
            state.ready_since = Instant::now();
        }
        state.link = link;
    }

    pub(super) fn fitness(&self, now: Instant) -> Fitness {
        let state = self.state();
        match &state.link {
            Link::Idle | Link::Connecting => return Fitness::Coming,
            Link::Failed { at } if now >= *at + RECONNECT_PAUSE_MIN => return Fitness::Coming,
            Link::Failed { .. } => return Fitness::Unfit,
            // It knows of its closing before its keeper does.
            Link::Ready(connection) if connection.is_closed() => return Fitness::Coming,
            Link::Ready(_) => {}
        }
        let calls = self.calls.load(Ordering::Relaxed);
        match state.breaker.admission(now) {
            _ if calls >= CALLS_MAX => Fitness::Unfit,
            Admission::Admitted => {
                let age = now.saturating_duration_since(state.ready_since).as_secs_f64();
                let share = (age / SLOW_START.as_secs_f64()).clamp(SHARE_MIN, 1.0);
                Fitness::Fit { cost: state.load.cost(calls, now), share }
            }
            Admission::ProbeDue { since } => Fitness::ProbeDue { waited: now.saturating_duration_since(since) },
            Admission::Refused => Fitness::Unfit,
        }
    }

    /// Its connection, for one call, which is its probe where one is due; none where it was lost or shut just now.
    /// Whoever takes it must [`end`](Self::end) the call.
    pub(super) fn begin(&self, now: Instant) -> Option<(SendRequest<RequestBody>, bool)> {
        let mut state = self.state();
        let Link::Ready(connection) = &state.link else { return None };
        let connection = connection.clone();
        let is_probe = match state.breaker.admission(now) {
            Admission::Admitted => false,
            Admission::ProbeDue { .. } => true,
            Admission::Refused => return None,
        };
        if is_probe {
            state.breaker.begin_probe(now);
            state.count();
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        Some((connection, is_probe))
    }

    pub(super) fn end(&self) {
        self.calls.fetch_sub(1, Ordering::Relaxed);
    }

    /// What a call of that long told.
    pub(super) fn record(&self, outcome: Outcome, took: Duration, is_probe: bool) {
        let now = Instant::now();
        let mut state = self.state();
        match outcome {
            Outcome::Served | Outcome::Abandoned => state.load.observe(took, now),
            Outcome::Unwell | Outcome::Failed => state.load.observe_failure(took, now),
        }
        let change = match outcome {
            Outcome::Served | Outcome::Unwell => state.breaker.record_success(now, is_probe),
            Outcome::Failed if self.has_breaker => state.breaker.record_failure(now, rand::random(), is_probe),
            Outcome::Failed => Change::None,
            Outcome::Abandoned => {
                if is_probe {
                    state.breaker.forget_probe(now);
                }
                Change::None
            }
        };
        if change == Change::Closed {
            state.ready_since = now;
        }
        state.count();
        drop(state);
        match change {
            Change::None => {}
            Change::Opened => {
                self.tally.count_trip();
                warn!(endpoint = %self.address, "an endpoint fails and gets no calls for a while");
            }
            Change::Closed => info!(endpoint = %self.address, "an endpoint serves again"),
        }
    }

    /// It is none of the service's any more.
    pub(super) fn forget(&self) {
        self.state().counted.forget();
    }

    /// Where to dial it.
    pub(super) fn uri(&self) -> Uri {
        absolute(&self.scheme, &self.address, http::uri::PathAndQuery::from_static("/"))
    }

    /// Points a request at it.
    pub(super) fn direct<B>(&self, request: &mut Request<B>) {
        let path = std::mem::take(request.uri_mut()).into_parts().path_and_query;
        let path = path.unwrap_or_else(|| http::uri::PathAndQuery::from_static("/"));
        *request.uri_mut() = absolute(&self.scheme, &self.authority, path);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&mut self) {
        self.counted.set(self.breaker.state(Instant::now()));
    }
}

fn absolute(scheme: &Scheme, authority: &Authority, path: http::uri::PathAndQuery) -> Uri {
    let mut parts = http::uri::Parts::default();
    (parts.scheme, parts.authority, parts.path_and_query) = (Some(scheme.clone()), Some(authority.clone()), Some(path));
    Uri::from_parts(parts).expect("scheme, authority and path make a URI")
}
