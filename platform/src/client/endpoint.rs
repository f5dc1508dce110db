//! One endpoint as the balancer sees it: whether it is connected and has room, whether its breaker lets calls pass, how loaded it is.

use std::sync::atomic::{AtomicU64, Ordering};
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
use super::lines::{CALLS, Kind, LINES, Lines, Link, Room};
use super::load::Load;
use super::tally::{Counted, Tally};
use crate::telemetry::metrics::BreakerState;

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
    /// Somebody waits for a connection, by its line.
    wanted: [Notify; LINES],
    /// The breaker opened.
    opened: Notify,
}

#[derive(Debug)]
struct State {
    lines: Lines,
    /// Streams that got no answer yet: as much load as a call. Those that did are none.
    opening: usize,
    breaker: Breaker,
    counted: Counted,
    load: Load,
    /// Since when it gets calls.
    ready_since: Instant,
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
    /// May become fit while the call waits, once this line is connected.
    Coming {
        line: usize,
    },
    Unfit,
}

/// A call that is under way from now on.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) connection: SendRequest<RequestBody>,
    pub(super) line: usize,
    pub(super) is_probe: bool,
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
        let state =
            State { lines: Lines::default(), opening: 0, breaker, counted, load: Load::new(now), ready_since: now };
        Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            address,
            authority,
            scheme,
            has_breaker,
            tally,
            state: Mutex::new(state),
            wanted: Default::default(),
            opened: Notify::new(),
        }
    }

    pub(super) fn set_link(&self, line: usize, link: Link) {
        let mut state = self.state();
        if line == CALLS && matches!(link, Link::Ready(_)) {
            state.ready_since = Instant::now();
        }
        state.lines.set(line, link);
        state.count();
    }

    /// Asks for a connection.
    pub(super) fn want(&self, line: usize) {
        self.wanted[line].notify_one();
    }

    /// Waits until somebody does.
    pub(super) async fn wanted(&self, line: usize) {
        self.wanted[line].notified().await;
    }

    pub(super) fn fitness(&self, kind: Kind, now: Instant) -> Fitness {
        let state = self.state();
        match state.lines.room(kind, now) {
            Room::On(_) => {}
            Room::Coming(line) => return Fitness::Coming { line },
            Room::None => return Fitness::Unfit,
        }
        match state.breaker.admission(now) {
            Admission::Admitted => {
                let age = now.saturating_duration_since(state.ready_since).as_secs_f64();
                let share = (age / SLOW_START.as_secs_f64()).clamp(SHARE_MIN, 1.0);
                Fitness::Fit { cost: state.load.cost(state.under_way(kind), now), share }
            }
            Admission::ProbeDue { since } => Fitness::ProbeDue { waited: now.saturating_duration_since(since) },
            Admission::Refused => Fitness::Unfit,
        }
    }

    /// Its connection, for one call, which is its probe where one is due; none where it was lost, filled or shut just now.
    /// Whoever takes it must [`end`](Self::end) the call.
    pub(super) fn begin(&self, kind: Kind, now: Instant) -> Option<Begun> {
        let mut state = self.state();
        let Room::On(line) = state.lines.room(kind, now) else { return None };
        let is_probe = match state.breaker.admission(now) {
            Admission::Admitted => false,
            Admission::ProbeDue { .. } => true,
            Admission::Refused => return None,
        };
        let connection = state.lines.take(line)?;
        if is_probe {
            state.breaker.begin_probe(now);
            state.count();
        }
        if kind == Kind::Stream {
            state.opening += 1;
        }
        Some(Begun { connection, line, is_probe })
    }

    /// The head of a stream came: once.
    pub(super) fn open(&self) {
        self.state().opening -= 1;
    }

    pub(super) fn end(&self, line: usize) {
        self.state().lines.give(line);
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
                self.opened.notify_one();
                warn!(endpoint = %self.address, "an endpoint fails and gets no calls for a while");
            }
            Change::Closed => info!(endpoint = %self.address, "an endpoint serves again"),
        }
    }

    /// Tells, though nobody calls, that a breaker is no longer open. Runs until it is dropped.
    pub(super) async fn tell(&self) {
        loop {
            self.opened.notified().await;
            let until = self.state().breaker.shut_until();
            if let Some(until) = until {
                tokio::time::sleep_until(until).await;
                self.state().count();
            }
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
        let breaker = self.breaker.state(Instant::now());
        self.counted.set(if self.lines.is_cut_off() { BreakerState::Disconnected } else { breaker });
    }

    /// What one more of the kind is compared by: calls by what works for an answer, streams by how many there are.
    fn under_way(&self, kind: Kind) -> usize {
        match kind {
            Kind::Call => self.lines.used(Kind::Call) + self.opening,
            Kind::Stream => self.lines.used(Kind::Stream),
        }
    }
}

fn absolute(scheme: &Scheme, authority: &Authority, path: http::uri::PathAndQuery) -> Uri {
    let mut parts = http::uri::Parts::default();
    (parts.scheme, parts.authority, parts.path_and_query) = (Some(scheme.clone()), Some(authority.clone()), Some(path));
    Uri::from_parts(parts).expect("scheme, authority and path make a URI")
}
