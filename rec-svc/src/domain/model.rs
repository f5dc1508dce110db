//! Everything learnt from the log: who did what lately, what goes with what, what trends.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::hash::{Hash as _, Hasher as _};
use std::time::Duration;

use holdfast_contracts::ProductId;
use xxhash_rust::xxh3::Xxh3;

use super::bounded::BoundedMap;
use super::decay::{Decayed, fade};
use super::event::{Event, Shopper};
use super::history::{History, Visit};
use super::neighbours::Neighbours;

/// How many shoppers' histories are kept: the most recently active ones.
pub(crate) const SHOPPERS_MAX: usize = 100_000;
/// How many products are known: those most recently seen.
pub(crate) const PRODUCTS_MAX: usize = 100_000;
/// Co-visitation follows the season.
const COVISIT_HALF_LIFE: Duration = Duration::from_secs(30 * 86_400);
/// Trends follow the week.
const TREND_HALF_LIFE: Duration = Duration::from_secs(2 * 86_400);
/// Two visits count less for each other the further they are apart.
const PAIR_HALF_LIFE: Duration = Duration::from_secs(86_400);
/// What leads from the later product back to the earlier one, of what leads onward.
const BACKWARD: f64 = 0.5;

/// A pure function of the log: folding the same events in the same order makes the same state, bit for bit.
#[derive(Debug)]
pub(crate) struct Model {
    pub(super) shoppers: BoundedMap<Shopper, History>,
    pub(super) products: BoundedMap<ProductId, Product>,
    /// Every product with heat, hottest first, ties by id.
    pub(super) trending: BTreeSet<(Reverse<Decayed>, ProductId)>,
    events: u64,
}

/// What is known of one product.
#[derive(Debug, Default)]
pub(super) struct Product {
    pub(super) heat: Decayed,
    pub(super) neighbours: Neighbours,
}

impl Model {
    pub(crate) fn new() -> Self {
        Self::bounded(SHOPPERS_MAX, PRODUCTS_MAX)
    }

    fn bounded(shoppers_max: usize, products_max: usize) -> Self {
        Self {
            shoppers: BoundedMap::new(shoppers_max),
            products: BoundedMap::new(products_max),
            trending: BTreeSet::new(),
            events: 0,
        }
    }

    /// Takes one event in. Events may come in any order of time; what they say is dated by their own time.
    pub(crate) fn fold(&mut self, event: &Event) {
        self.events += 1;
        // The log's copy of the id would be one allocation an event: share the one already known.
        let product = self.products.key(&event.product).unwrap_or(&event.product).clone();
        let visit = Visit { time: event.time, product, kind: event.kind };
        let paired = self.shoppers.touch(&event.actor.shopper()).record(&visit);
        self.shoppers.pop_excess();
        let Some(paired) = paired else { return };
        self.heat(&visit);
        for other in &paired {
            self.pair(&visit, other);
        }
    }

    /// How many events were folded.
    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    /// One number for the whole state. Cost: a pass over it.
    pub(crate) fn digest(&self) -> u64 {
        let mut hash = Xxh3::new();
        self.events.hash(&mut hash);
        for (shopper, history) in self.shoppers.iter() {
            shopper.hash(&mut hash);
            history.hash(&mut hash);
        }
        for (product, known) in self.products.iter() {
            product.hash(&mut hash);
            known.heat.bits().hash(&mut hash);
            for (neighbour, sum) in known.neighbours.iter() {
                (neighbour, sum.bits()).hash(&mut hash);
            }
        }
        hash.finish()
    }

    fn heat(&mut self, visit: &Visit) {
        let weight = Decayed::new(visit.kind.weight(), visit.time, TREND_HALF_LIFE);
        let known = self.products.touch(&visit.product);
        let (before, after) = (known.heat, known.heat.plus(weight));
        known.heat = after;
        self.trending.remove(&(Reverse(before), visit.product.clone()));
        self.trending.insert((Reverse(after), visit.product.clone()));
        self.forget_excess();
    }

    /// Each way carries the weight of what was done with the product it leads to; of two at the same moment, neither
    /// came first.
    fn pair(&mut self, a: &Visit, b: &Visit) {
        let (earlier, later) = if a.time <= b.time { (a, b) } else { (b, a) };
        let nearness = fade(a.time.gap(b.time), PAIR_HALF_LIFE);
        let backward = if a.time == b.time { 1.0 } else { BACKWARD };
        for (from, to, share) in [(earlier, later, 1.0), (later, earlier, backward)] {
            let weight = Decayed::new(to.kind.weight() * nearness * share, later.time, COVISIT_HALF_LIFE);
            self.products.touch(&from.product).neighbours.add(&to.product, weight);
            self.forget_excess();
        }
    }

    fn forget_excess(&mut self) {
        while let Some((product, known)) = self.products.pop_excess() {
            self.trending.remove(&(Reverse(known.heat), product));
        }
    }
}

#[cfg(test)]
mod tests;
