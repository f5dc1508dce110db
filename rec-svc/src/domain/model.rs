//! Everything learnt from the log: who did what, what goes with what, what trends.

use std::hash::{Hash as _, Hasher as _};

use holdfast_contracts::ProductId;
use xxhash_rust::xxh3::{Xxh3, xxh3_128_with_seed};

use super::content::{FEATURES_MAX, Facts, Feature, Features, Field};
use super::decay::{Decayed, fade};
use super::event::{Event, Kind, Time};
use super::history::{History, ORDER_GAP_MAX, Visit};
use super::long_term::LongTerm;
use super::product::{PRODUCTS_MAX, Products};
use super::session::{Returns, SESSIONS_MAX, SessionKey, Sessions, remember_session};
use super::table::{Slot, Table};
use super::trend::Trends;
use super::tuning::{TUNING_VERSION, Tuning};

/// How many shoppers' histories are kept: the most recently active ones.
pub(crate) const SHOPPERS_MAX: usize = 1_000_000;

/// A pure function of the log: folding the same events in the same order makes the same state, bit for bit.
#[derive(Debug)]
pub(crate) struct Model {
    pub(super) shoppers: Table<u128, History>,
    pub(super) products: Products,
    pub(super) sessions: Sessions,
    pub(super) returns: Returns,
    pub(super) features: Features,
    pub(super) trends: Trends,
    pub(super) long_term: LongTerm,
    pub(super) tuning: Tuning,
    events: u64,
}

/// What the tables hold at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) shoppers_max: usize,
    pub(crate) products_max: usize,
    pub(crate) sessions_max: usize,
    pub(crate) features_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            shoppers_max: SHOPPERS_MAX,
            products_max: PRODUCTS_MAX,
            sessions_max: SESSIONS_MAX,
            features_max: FEATURES_MAX,
        }
    }
}

impl Model {
    pub(crate) fn new() -> Self {
        Self::tuned(Tuning::default(), Bounds::default())
    }

    pub(crate) fn tuned(tuning: Tuning, bounds: Bounds) -> Self {
        Self {
            shoppers: Table::new(bounds.shoppers_max),
            products: Table::new(bounds.products_max),
            sessions: Table::new(bounds.sessions_max),
            returns: Returns::default(),
            features: Features::new(bounds.features_max),
            trends: Trends::default(),
            long_term: LongTerm::default(),
            tuning,
            events: 0,
        }
    }

    /// Takes one event in. Events may come in any order of time; what they say is dated by their own time.
    pub(crate) fn fold(&mut self, event: &Event) {
        self.events += 1;
        let visit = Visit { time: event.time, product: self.touch_product(&event.product), kind: event.kind };
        let key = event.actor.shopper().key();
        let shopper = self.shoppers.touch(&key).slot;
        let Some(history) = self.shoppers.get_mut(shopper) else { return };
        let news = history.record(&visit);
        let session = match event.actor.session() {
            Some(session) => xxh3_128_with_seed(session.as_str().as_bytes(), NAMED),
            None => implied_session(key, history.current.record(event.time)),
        };
        let session = self.fold_session(session, &visit);
        if let Some(history) = self.shoppers.get_mut(shopper) {
            history.session = Some(session);
        }
        if event.kind == Kind::Purchase {
            self.fold_purchase(shopper, &visit);
        }
        let Some(news) = news else { return };
        if news.counts {
            self.heat(&visit);
        }
        self.fold_pairs(&visit, &news.pairs);
    }

    /// Takes in what the catalogue says of a product, in place of what it said before.
    pub(crate) fn describe(&mut self, id: &ProductId, facts: &Facts) {
        let item = self.touch_product(id);
        let features = self.features.describe(item, facts);
        let Some(product) = self.products.get_mut(item) else { return };
        let old = std::mem::replace(&mut product.features, features);
        self.trends.change(item, &categories(&old), product.heat, Decayed::ZERO);
        self.trends.change(item, &categories(&product.features), Decayed::ZERO, product.heat);
        self.features.forget(&old);
    }

    /// How many events were folded.
    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    /// Where a product lies; None for one never heard of.
    pub(crate) fn slot(&self, product: &ProductId) -> Option<Slot> {
        self.products.find(product)
    }

    /// Every product heard of, in order of slots.
    pub(crate) fn catalogue(&self) -> Vec<Slot> {
        let mut all: Vec<Slot> = self.products.iter().map(|(slot, _, _)| slot).collect();
        all.sort_unstable();
        all
    }

    pub(crate) fn tuning_mut(&mut self) -> &mut Tuning {
        &mut self.tuning
    }

    fn touch_product(&mut self, id: &ProductId) -> Slot {
        let touched = self.products.touch(id);
        if let Some((_, slot, product)) = touched.forgotten {
            self.trends.change(slot, &categories(&product.features), product.heat, Decayed::ZERO);
            self.trends.change_demand(slot, product.demand, Decayed::ZERO);
            self.features.forget(&product.features);
        }
        touched.slot
    }

    fn fold_session(&mut self, key: SessionKey, visit: &Visit) -> Slot {
        let slot = self.sessions.touch(&key).slot;
        let Self { sessions, returns, .. } = self;
        let is_new = sessions.get_mut(slot).is_some_and(|session| session.record(visit.product, visit.time, returns));
        if let Some(product) = self.products.get_mut(visit.product).filter(|_| is_new) {
            remember_session(&mut product.sessions, slot);
        }
        slot
    }

    fn fold_purchase(&mut self, shopper: Slot, visit: &Visit) {
        let Some(history) = self.shoppers.get_mut(shopper) else { return };
        let Some(product) = self.products.get_mut(visit.product) else { return };
        let is_new = history.purchases.get(visit.product).is_none();
        if let Some(before) = history.purchases.record(visit.product, visit.time, &self.tuning.personal) {
            product.cycle.record(before.gap(visit.time));
        }
        if is_new {
            let before = product.demand;
            product.demand = before.plus(Decayed::new(1.0, visit.time, self.tuning.demand_half_life));
            self.trends.change_demand(visit.product, before, product.demand);
        }
        let tuning = &self.tuning.profile;
        for feature in &product.features {
            let weight = Decayed::new(1.0, visit.time, tuning.half_life);
            history.profile.add(feature.slot, weight, PROFILE_FEATURES_MAX);
        }
        self.features.record_purchase(&product.features);
        let tuning = &self.tuning.same_order;
        let weight = Decayed::new(1.0, visit.time, tuning.half_life);
        let Some(others) = history.order.record(visit.product, visit.time) else { return };
        product.same_order.seen = product.same_order.seen.plus(weight);
        for other in others {
            for (from, to) in [(visit.product, *other), (*other, visit.product)] {
                let Some(from) = self.products.get_mut(from) else { continue };
                from.same_order.row.add(to, weight, tuning.neighbours_max);
            }
        }
    }

    fn heat(&mut self, visit: &Visit) {
        let weight = Decayed::new(visit.kind.weight(), visit.time, self.tuning.trend_half_life);
        let Some(product) = self.products.get_mut(visit.product) else { return };
        let before = product.heat;
        product.heat = before.plus(weight);
        self.trends.change(visit.product, &categories(&product.features), before, product.heat);
    }

    /// Each way carries the weight of what was done with the product it leads to; of two at the same moment, neither
    /// came first. Lines of one order go together in a channel of their own.
    fn fold_pairs(&mut self, visit: &Visit, others: &[Visit]) {
        let Self { products, tuning, .. } = self;
        let bought = visit.kind == Kind::Purchase;
        if let Some(product) = products.get_mut(visit.product) {
            let once = |half_life| Decayed::new(1.0, visit.time, half_life);
            product.covisit.seen = product.covisit.seen.plus(once(tuning.covisit.half_life));
            if bought {
                product.view_buy.seen = product.view_buy.seen.plus(once(tuning.view_buy.half_life));
            }
        }
        let one_order =
            |other: &Visit| bought && other.kind == Kind::Purchase && visit.time.gap(other.time) <= ORDER_GAP_MAX;
        for other in others.iter().filter(|other| !one_order(other)) {
            let (earlier, later) = if visit.time <= other.time { (visit, other) } else { (other, visit) };
            let gap = visit.time.gap(other.time);
            let backward = if gap.is_zero() { 1.0 } else { tuning.covisit.backward };
            let nearness = fade(gap, tuning.covisit.gap_half_life);
            for (from, to, share) in [(earlier, later, 1.0), (later, earlier, backward)] {
                let weight = to.kind.weight() * nearness * share;
                let weight = Decayed::new(weight, later.time, tuning.covisit.half_life);
                let Some(from) = products.get_mut(from.product) else { continue };
                from.covisit.row.add(to.product, weight, tuning.covisit.neighbours_max);
            }
            if bought && other.time <= visit.time {
                let nearness = fade(gap, tuning.view_buy.gap_half_life);
                let weight = Decayed::new(nearness, visit.time, tuning.view_buy.half_life);
                let Some(from) = products.get_mut(other.product) else { continue };
                from.view_buy.row.add(visit.product, weight, tuning.view_buy.neighbours_max);
            }
        }
    }

    /// Fits the long-term model to all that is known now. A pure function of the state; costs seconds to minutes, so it
    /// runs beside the answers, and [`Self::install`] puts it in at a place of the log.
    pub(crate) fn fit_long_term(&self) -> LongTerm {
        let purchases = self.shoppers.iter().map(|(_, _, history)| &history.purchases);
        LongTerm::fit(purchases, &self.products, &self.tuning.long_term)
    }

    pub(crate) fn install(&mut self, long_term: LongTerm) {
        self.long_term = long_term;
    }

    /// One number for the whole state. Cost: a pass over it.
    pub(crate) fn digest(&self) -> u64 {
        let mut hash = Xxh3::new();
        (TUNING_VERSION, self.events).hash(&mut hash);
        for (_, shopper, history) in self.shoppers.iter() {
            (shopper, history.visits(), &history.order, history.current, history.session).hash(&mut hash);
            history.purchases.iter().for_each(|bought| bought.bits().hash(&mut hash));
            history.profile.iter().for_each(|(feature, sum)| (feature, sum.bits()).hash(&mut hash));
        }
        self.returns.hash(&mut hash);
        for (_, session, seen) in self.sessions.iter() {
            (session, seen.items()).hash(&mut hash);
        }
        for (_, id, product) in self.products.iter() {
            (
                id,
                product.heat.bits(),
                product.demand.bits(),
                product.cycle.bits(),
                &product.features,
                &product.sessions,
            )
                .hash(&mut hash);
            for channel in [&product.covisit, &product.view_buy, &product.same_order] {
                channel.seen.bits().hash(&mut hash);
                channel.row.iter().for_each(|(item, sum)| (item, sum.bits()).hash(&mut hash));
            }
        }
        for (slot, feature, known) in self.features.iter() {
            (slot, feature, known.products, known.bought).hash(&mut hash);
        }
        self.long_term.hash(&mut hash);
        hash.finish()
    }
}

/// How many features a shopper's profile keeps.
pub(crate) const PROFILE_FEATURES_MAX: usize = 1_024;

/// Sessions the shop names and those we imply never share a key.
const NAMED: u64 = 3;
const IMPLIED: u64 = 4;

fn implied_session(shopper: u128, began: Time) -> SessionKey {
    let mut bytes = [0; 24];
    bytes[..16].copy_from_slice(&shopper.to_le_bytes());
    bytes[16..].copy_from_slice(&began.ms().to_le_bytes());
    xxh3_128_with_seed(&bytes, IMPLIED)
}

/// Every level of the product's category, so that a wide one has what its narrow ones have.
fn categories(features: &[Feature]) -> Vec<Slot> {
    features.iter().filter(|feature| feature.field == Field::Category).map(|feature| feature.slot).collect()
}

#[cfg(test)]
mod tests;
