//! Visits to the shop, and which of them are like the current one.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasherDefault;
use std::time::Duration;

use super::event::Time;
use super::product::Products;
use super::sums::{SlotHasher, Sums};
use super::table::{Slot, Table};
use super::tuning::SessionTuning;

/// How many sessions are remembered: the most recently active ones.
pub(crate) const SESSIONS_MAX: usize = 500_000;
/// How many products one session remembers.
pub(crate) const SESSION_ITEMS_MAX: usize = 50;
/// How many sessions a product remembers having been seen in.
pub(crate) const PRODUCT_SESSIONS_MAX: usize = 1_000;
/// A shopper who does nothing for so long begins a new session, where the shop names none.
pub(crate) const IDLE_MAX: Duration = Duration::from_secs(30 * 60);
/// How many sessions one answer compares at most, whatever the tuning says.
const COMPARED_MAX: usize = 10_000;

/// The 128-bit hash of who and when: two alike among a billion are one in 10^20.
pub(crate) type SessionKey = u128;

/// A table of sessions; each product's most recent ones are kept with the product.
pub(crate) type Sessions = Table<SessionKey, Session>;

/// What one session saw, oldest first, each product once at its latest time.
#[derive(Debug, Default)]
pub(crate) struct Session {
    items: Vec<(Time, Slot)>,
}

/// How far back in its session the next event leads: people go back and forth between pages.
#[derive(Debug, Default, Hash)]
pub(crate) struct Returns {
    /// How many events led to the product so many steps back: 1 is where one is. At 0, to one new to the session.
    steps: [u64; RETURN_STEPS_MAX + 1],
}

/// Returns from further back count as new.
const RETURN_STEPS_MAX: usize = 20;

impl Returns {
    fn record(&mut self, steps: Option<usize>) {
        let steps = steps.filter(|steps| *steps <= RETURN_STEPS_MAX).unwrap_or(0);
        self.steps[steps] = self.steps[steps].saturating_add(1);
    }

    /// Scores the session's products, oldest first, by how often one returns from so far.
    pub(crate) fn score(&self, visits: &[Slot]) -> Sums {
        let events = self.steps.iter().sum::<u64>().max(1) as f64;
        let mut scores = Sums::default();
        for (item, times) in visits.iter().rev().zip(&self.steps[1..]) {
            scores.add(*item, *times as f64 / events);
        }
        scores
    }
}

impl Returns {
    /// How likely each of the session's products is gone back to, oldest first, beside the likeliest step.
    pub(crate) fn shares(&self, visits: &[Slot]) -> Vec<(Slot, f64)> {
        let most = self.steps[1..].iter().copied().max().filter(|most| *most > 0);
        let share = |steps: usize| {
            let times = self.steps.get(steps).copied().unwrap_or(0);
            most.map_or(1.0, |most| times as f64 / most as f64)
        };
        visits.iter().enumerate().map(|(at, item)| (*item, share(visits.len() - at))).collect()
    }
}

impl Session {
    /// Takes an event in, and whether it leads back. Says whether the product is new to the session.
    pub(crate) fn record(&mut self, item: Slot, time: Time, returns: &mut Returns) -> bool {
        let known = self.items.iter().position(|(_, known)| *known == item);
        if self.last().is_some_and(|last| last <= time) {
            returns.record(known.map(|at| self.items.len() - at));
        }
        let time = match known {
            Some(at) => time.max(self.items.remove(at).0),
            None => time,
        };
        // After those of the same moment: ties stay in the order of the log.
        let at = self.items.partition_point(|(known, _)| *known <= time);
        self.items.insert(at, (time, item));
        if self.items.len() > SESSION_ITEMS_MAX {
            self.items.remove(0);
        }
        known.is_none()
    }

    /// Oldest first.
    pub(crate) fn items(&self) -> &[(Time, Slot)] {
        &self.items
    }

    pub(crate) fn last(&self) -> Option<Time> {
        self.items.last().map(|(time, _)| *time)
    }
}

/// Remembers that a product was seen in a session.
pub(crate) fn remember_session(sessions: &mut VecDeque<Slot>, session: Slot) {
    if sessions.len() == PRODUCT_SESSIONS_MAX {
        sessions.pop_front();
    }
    sessions.push_back(session);
}

/// A session that shares something with the current one.
#[derive(Debug, Clone, Copy)]
struct Likeness {
    weight: f64,
    /// The latest product of the current session that both have.
    shared: Slot,
}

/// Scores what sessions like this one saw. `visits` is the current session, oldest first; `own` is what is remembered of
/// it, which is like itself in nothing that helps.
///
/// Cost: at most [`COMPARED_MAX`] sessions looked at, and the products of `neighbours_max` of them.
pub(crate) fn score_sessions(
    visits: &[Slot],
    own: Option<Slot>,
    now: Time,
    products: &Products,
    sessions: &Sessions,
    tuning: &SessionTuning,
) -> Sums {
    let mut scores = Sums::default();
    for (neighbour, likeness) in nearest(visits, own, now, products, sessions, tuning) {
        let Some(session) = sessions.get(neighbour) else { continue };
        let Some(anchor) = session.items.iter().position(|(_, item)| *item == likeness.shared) else { continue };
        for (at, (_, item)) in session.items.iter().enumerate() {
            let side = if at < anchor { tuning.backward } else { 1.0 };
            let steps = i32::try_from(at.abs_diff(anchor)).unwrap_or(i32::MAX);
            scores.add(*item, likeness.weight * side * tuning.distance_step.powi(steps));
        }
    }
    if tuning.idf > 0.0 {
        favour_rare(&mut scores, products, sessions.len(), tuning.idf);
    }
    scores
}

fn favour_rare(scores: &mut Sums, products: &Products, sessions: usize, power: f64) {
    let items: Vec<Slot> = scores.iter().map(|(item, _)| item).collect();
    for item in items {
        let seen = products.get(item).map_or(1, |product| product.sessions.len().max(1));
        let idf = (sessions.max(1) as f64 / seen as f64).ln().max(0.0);
        scores.scale(item, (1.0 + idf).powf(power));
    }
}

/// The most alike sessions, best first.
fn nearest(
    visits: &[Slot],
    own: Option<Slot>,
    now: Time,
    products: &Products,
    sessions: &Sessions,
    tuning: &SessionTuning,
) -> Vec<(Slot, Likeness)> {
    let mut alike: HashMap<Slot, Likeness, BuildHasherDefault<SlotHasher>> = HashMap::default();
    let mut weight = 1.0;
    let mut compared = 0;
    for item in visits.iter().rev().take(tuning.visits_max) {
        let seen_in = products.get(*item).map(|product| &product.sessions).into_iter().flatten();
        for session in seen_in.rev().take(tuning.sample_max.min(COMPARED_MAX - compared)) {
            compared += 1;
            alike.entry(*session).or_insert(Likeness { weight: 0.0, shared: *item }).weight += weight;
        }
        weight *= tuning.recency_step;
    }
    let mut alike: Vec<_> = alike
        .into_iter()
        .filter(|(slot, _)| Some(*slot) != own)
        .filter_map(|(slot, likeness)| {
            let session = sessions.get(slot)?;
            let age = now.gap(session.last()?).as_secs_f64() / tuning.age_scale.as_secs_f64().max(1.0);
            let length = (session.items.len() as f64).powf(tuning.length_power);
            Some((slot, Likeness { weight: likeness.weight * (-age).exp() / length, ..likeness }))
        })
        .collect();
    alike.sort_unstable_by(|a, b| b.1.weight.total_cmp(&a.1.weight).then(a.0.cmp(&b.0)));
    alike.truncate(tuning.neighbours_max);
    alike
}
