//! The endpoints of one service and the choice among them: power of two choices over peak EWMA.
//!
//! Not tower's `Balance`: it needs `&mut`, thus a queue and a task that every call must pass; with no endpoint ready it
//! waits for ever; and an endpoint that failed once is dropped until discovery names it anew.
//!
//! An endpoint that is not connected, or whose breaker is open, is stepped around. Where none is left, a call waits only
//! for those that are connecting; else it fails at once. There is no panic threshold: a breaker is shut for short, each
//! lets a probe through, and an endpoint that gets too much says so by RESOURCE_EXHAUSTED, which opens no breaker.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use holdfast_contracts::common::v1::Reason;
use http::uri::Authority;
use hyper::client::conn::http2::SendRequest;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

use super::answer::Failure;
use super::body::RequestBody;
use super::connector::Connector;
use super::endpoint::{Begun, Endpoint, Fitness};
use super::flight::Flight;
use super::lines::LINES;
use super::link::{self, Signals};
use super::outgoing::Outgoing;
use super::tally::Tally;
use crate::status::Refusal;
use crate::task::spawn_joined;

/// How long a probe is left to the reads, which nobody misses, before a write that may be repeated does it.
const WRITE_PROBES_AFTER: Duration = Duration::from_secs(1);
/// More endpoints than these are not connected to.
const ENDPOINTS_MAX: usize = 1024;

/// See the module.
#[derive(Debug)]
pub(super) struct Pool {
    /// What the service is called, for logs.
    name: String,
    members: ArcSwap<Members>,
    connector: Connector,
    signals: Signals,
    /// Behind one address there may be many servers: what one of them says does not stand for all.
    has_breakers: bool,
    tally: Tally,
}

#[derive(Debug, Default)]
struct Members {
    list: Vec<Member>,
    /// Whether the first set is still to come.
    is_awaited: bool,
}

#[derive(Debug, Clone)]
struct Member {
    endpoint: Arc<Endpoint>,
    /// Ends with the last that knows it.
    _keeper: Arc<Keeper>,
}

/// Keeps an endpoint connected, and counted.
#[derive(Debug)]
struct Keeper {
    endpoint: Arc<Endpoint>,
    _connecting: [AbortOnDropHandle<()>; LINES],
    _telling: AbortOnDropHandle<()>,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.endpoint.forget();
    }
}

/// An endpoint for one sending.
#[derive(Debug)]
pub(super) struct Picked {
    pub(super) flight: Flight,
    pub(super) connection: SendRequest<RequestBody>,
}

/// What a look at the endpoints found.
enum Found {
    One(Arc<Endpoint>),
    /// None now, but some are connecting.
    Coming,
    None,
}

impl Pool {
    pub(super) fn new(name: String, connector: Connector, signals: Signals, has_breakers: bool, tally: Tally) -> Self {
        let members = ArcSwap::from_pointee(Members { list: Vec::new(), is_awaited: true });
        Self { name, members, connector, signals, has_breakers, tally }
    }

    pub(super) fn len(&self) -> usize {
        self.members.load().list.len()
    }

    /// Exactly these from now on; what is known of those that stay is kept.
    /// Calls under way to those that go end on their own.
    pub(super) fn set(&self, addresses: &[Authority], named: impl Fn(&Authority) -> Authority) {
        let old = self.members.load();
        let known: HashMap<&Authority, &Member> =
            old.list.iter().map(|member| (&member.endpoint.address, member)).collect();
        let mut list: Vec<Member> = Vec::new();
        for address in addresses.iter().take(ENDPOINTS_MAX) {
            if list.iter().any(|member| member.endpoint.address == *address) {
                continue;
            }
            list.push(match known.get(address) {
                Some(member) => (*member).clone(),
                None => self.member(address.clone(), named(address)),
            });
        }
        self.members.store(Arc::new(Members { list, is_awaited: false }));
        self.signals.changed.notify_waiters();
    }

    /// No set will come soon: calls wait for none.
    pub(super) fn give_up_waiting(&self) {
        if self.members.load().is_awaited {
            self.members.store(Arc::default());
            self.signals.changed.notify_waiters();
        }
    }

    fn member(&self, address: Authority, authority: Authority) -> Member {
        let scheme = self.connector.scheme.clone();
        let endpoint = Arc::new(Endpoint::new(address, authority, scheme, self.has_breakers, self.tally));
        let keep = |line| link::keep(Arc::clone(&endpoint), line, self.connector.clone(), self.signals.clone());
        let connecting = std::array::from_fn(|line| AbortOnDropHandle::new(spawn_joined(keep(line))));
        let told = Arc::clone(&endpoint);
        let telling = AbortOnDropHandle::new(spawn_joined(async move { told.tell().await }));
        let keeper = Keeper { endpoint: Arc::clone(&endpoint), _connecting: connecting, _telling: telling };
        Member { endpoint, _keeper: Arc::new(keeper) }
    }

    /// The endpoint to send to.
    ///
    /// # Errors
    /// Where none can serve.
    pub(super) async fn pick(&self, call: &Outgoing) -> Result<Picked, Failure> {
        if let Some(picked) = self.pick_now(call)? {
            return Ok(picked);
        }
        loop {
            // Listens first, looks then: no change in between is missed.
            let mut changed = std::pin::pin!(self.signals.changed.notified());
            changed.as_mut().enable();
            if let Some(picked) = self.pick_now(call)? {
                return Ok(picked);
            }
            changed.await;
        }
    }

    /// None where some are on their way.
    fn pick_now(&self, call: &Outgoing) -> Result<Option<Picked>, Failure> {
        let now = Instant::now();
        match self.look(call, now) {
            Found::One(endpoint) => {
                call.tried(endpoint.number);
                match endpoint.begin(call.kind(), now) {
                    Some(Begun { connection, line, is_probe }) => {
                        let flight = Flight::new(endpoint, call, line, is_probe);
                        Ok(Some(Picked { flight, connection }))
                    }
                    // Lost, or probed by another call, since it was looked at: the call is sent again.
                    None => Err(self.nobody()),
                }
            }
            Found::Coming => Ok(None),
            Found::None => {
                self.signals.stale.notify_one();
                Err(self.nobody())
            }
        }
    }

    fn look(&self, call: &Outgoing, now: Instant) -> Found {
        let members = self.members.load();
        if let [only] = members.list.as_slice() {
            return look_at_one(&only.endpoint, call, now);
        }
        // Nearly always two at random are fit, and no other is looked at.
        if let Some(endpoint) = of_two(&members.list, call, now) {
            return Found::One(endpoint);
        }
        of_all(&members, call, now)
    }

    /// Whether a second sending of the call would go elsewhere than the first.
    pub(super) fn has_another(&self, call: &Outgoing) -> bool {
        let now = Instant::now();
        let members = self.members.load();
        let mut others = members.list.iter().filter(|member| member.endpoint.number != call.last_tried());
        others.any(|member| matches!(member.endpoint.fitness(call.kind(), now), Fitness::Fit { .. }))
    }

    /// Where it should have gone is for logs: browsers see messages.
    fn nobody(&self) -> Failure {
        debug!(service = %self.name, "no endpoint can serve now");
        let refusal = Refusal::new(Reason::Unavailable, "no endpoint of the service can serve now");
        Failure { status: refusal.into(), was_never_processed: true }
    }
}

fn look_at_one(endpoint: &Arc<Endpoint>, call: &Outgoing, now: Instant) -> Found {
    match endpoint.fitness(call.kind(), now) {
        Fitness::Fit { .. } | Fitness::ProbeDue { .. } => Found::One(Arc::clone(endpoint)),
        Fitness::Coming { line } => {
            endpoint.want(line);
            Found::Coming
        }
        Fitness::Unfit => Found::None,
    }
}

/// The better of two drawn ones; none where one of them is not fit, or was just tried.
fn of_two(members: &[Member], call: &Outgoing, now: Instant) -> Option<Arc<Endpoint>> {
    if members.len() < 2 {
        return None;
    }
    let first = rand::random_range(0..members.len());
    let second = (first + rand::random_range(1..members.len())) % members.len();
    let (first, second) = (&members[first].endpoint, &members[second].endpoint);
    let tried = call.last_tried();
    if first.number == tried || second.number == tried {
        return None;
    }
    let is_first = is_first_better(first.fitness(call.kind(), now), second.fitness(call.kind(), now), rand::random())?;
    Some(Arc::clone(if is_first { first } else { second }))
}

/// None where one is not fit. `chance` in 0..1 decides whether one that is new gets its turn.
fn is_first_better(first: Fitness, second: Fitness, chance: f64) -> Option<bool> {
    let (Fitness::Fit { cost, share }, Fitness::Fit { cost: other_cost, share: other_share }) = (first, second) else {
        return None;
    };
    Some(match (chance < share, chance < other_share) {
        (true, false) => true,
        (false, true) => false,
        (true, true) | (false, false) => cost <= other_cost,
    })
}

/// The best of all; wakes those that are not connected.
fn of_all(members: &Members, call: &Outgoing, now: Instant) -> Found {
    let mut is_coming = members.is_awaited;
    let (mut fit, mut tried, mut probe) = (Vec::new(), None, None);
    for Member { endpoint, .. } in &members.list {
        match endpoint.fitness(call.kind(), now) {
            Fitness::Fit { .. } if endpoint.number == call.last_tried() => tried = Some(endpoint),
            Fitness::Fit { cost, .. } => fit.push((cost, endpoint)),
            Fitness::ProbeDue { waited } => probe = Some((endpoint, waited)),
            Fitness::Coming { line } => {
                endpoint.want(line);
                is_coming = true;
            }
            Fitness::Unfit => {}
        }
    }
    // Two choices here too: the best of all would get every call until its load is known.
    let drawn = |fit: &[(f64, &Arc<Endpoint>)]| {
        let draw = || fit[rand::random_range(0..fit.len())];
        let (first, second) = (draw(), draw());
        Arc::clone(if first.0 <= second.0 { first.1 } else { second.1 })
    };
    match (probe, fit.is_empty()) {
        // A call that may be repeated loses nothing as a probe but time.
        (Some((probe, waited)), _) if may_probe(call, waited) => Found::One(Arc::clone(probe)),
        (_, false) => Found::One(drawn(&fit)),
        (probe, true) => match tried.or(probe.map(|(probe, _)| probe)) {
            Some(endpoint) => Found::One(Arc::clone(endpoint)),
            None if is_coming => Found::Coming,
            None => Found::None,
        },
    }
}

/// Whether it may be the probe though others would serve it.
fn may_probe(call: &Outgoing, waited: Duration) -> bool {
    call.is_repeatable() && (call.is_read() || waited >= WRITE_PROBES_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cheaper_of_two_gets_the_call_and_a_new_one_only_its_share() {
        let fit = |cost, share| Fitness::Fit { cost, share };
        assert_eq!(is_first_better(fit(1.0, 1.0), fit(2.0, 1.0), 0.5), Some(true));
        assert_eq!(is_first_better(fit(2.0, 1.0), fit(1.0, 1.0), 0.5), Some(false));
        assert_eq!(is_first_better(fit(2.0, 1.0), fit(1.0, 0.1), 0.5), Some(true), "not its turn");
        assert_eq!(is_first_better(fit(2.0, 1.0), fit(1.0, 0.1), 0.05), Some(false), "its turn");
        assert_eq!(is_first_better(fit(2.0, 0.1), fit(1.0, 0.1), 0.5), Some(false), "all are new");
        assert_eq!(is_first_better(fit(1.0, 1.0), Fitness::Unfit, 0.5), None);
    }
}
