//! What one shopper buys, how often and how long ago.

use super::decay::Decayed;
use super::event::Time;
use super::product::Products;
use super::sums::Sums;
use super::table::Slot;
use super::tuning::PersonalTuning;

/// How many products a shopper is known to have bought: the most and latest bought.
pub(crate) const BOUGHT_MAX: usize = 1_000;
/// How many more may wait before the least bought are forgotten, all at once.
pub(crate) const BOUGHT_SLACK: usize = 500;
/// How widely intervals scatter, in e-folds: how broad being due is.
const CYCLE_SPREAD: f64 = 0.8;
/// Purchases from which a shopper's own interval is believed.
const OWN_CYCLE_PURCHASES: u32 = 3;

/// One product a shopper bought.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bought {
    pub(crate) item: Slot,
    pub(crate) first: Time,
    pub(crate) last: Time,
    pub(crate) times: u32,
    sum: Decayed,
}

/// Sorted by product; bounded by [`BOUGHT_MAX`] and [`BOUGHT_SLACK`].
#[derive(Debug, Default)]
pub(crate) struct Purchases(Vec<Bought>);

impl Purchases {
    /// Takes one purchase in and returns when the product was bought last before it.
    pub(crate) fn record(&mut self, item: Slot, time: Time, tuning: &PersonalTuning) -> Option<Time> {
        let weight = Decayed::new(1.0, time, tuning.half_life);
        match self.0.binary_search_by_key(&item, |bought| bought.item) {
            Ok(at) => {
                let bought = &mut self.0[at];
                let before = (bought.last <= time).then_some(bought.last);
                (bought.first, bought.last) = (bought.first.min(time), bought.last.max(time));
                bought.times = bought.times.saturating_add(1);
                bought.sum = bought.sum.plus(weight);
                before
            }
            Err(at) => {
                self.0.insert(at, Bought { item, first: time, last: time, times: 1, sum: weight });
                if self.0.len() > BOUGHT_MAX + BOUGHT_SLACK {
                    self.0.sort_unstable_by(|a, b| b.sum.cmp(&a.sum).then(a.item.cmp(&b.item)));
                    self.0.truncate(BOUGHT_MAX);
                    self.0.sort_unstable_by_key(|bought| bought.item);
                }
                None
            }
        }
    }

    pub(crate) fn get(&self, item: Slot) -> Option<&Bought> {
        self.0.binary_search_by_key(&item, |bought| bought.item).ok().map(|at| &self.0[at])
    }

    /// By product.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Bought> {
        self.0.iter()
    }
}

impl Bought {
    pub(crate) fn bits(&self) -> (Slot, Time, Time, u32, (i32, u64)) {
        (self.item, self.first, self.last, self.times, self.sum.bits())
    }

    /// How often it was bought, older purchases counting less.
    pub(crate) fn count(&self, one: Decayed) -> f64 {
        self.sum.share_of(one)
    }
}

/// Scores what the shopper may buy again: how often and lately they did, and whether it is due.
pub(crate) fn score_personal(purchases: &Purchases, now: Time, products: &Products, tuning: &PersonalTuning) -> Sums {
    let one = Decayed::new(1.0, now, tuning.half_life);
    let mut scores = Sums::default();
    for bought in purchases.iter() {
        let due = if tuning.cycle > 0.0 { dueness(bought, now, products) } else { 1.0 };
        scores.add(bought.item, bought.count(one) * (1.0 - tuning.cycle + tuning.cycle * due));
    }
    scores
}

/// 1 where a product's usual interval has just passed since it was last bought, less the further from that, in
/// logarithms: twice too early is as far off as twice too late.
pub(crate) fn dueness(bought: &Bought, now: Time, products: &Products) -> f64 {
    let Some(product) = products.get(bought.item) else { return 0.0 };
    let days = |from: Time, to: Time| from.gap(to).as_secs_f64() / 86_400.0;
    let usual = if bought.times >= OWN_CYCLE_PURCHASES {
        days(bought.first, bought.last) / f64::from(bought.times - 1)
    } else {
        product.cycle.days()
    };
    let waited = days(bought.last, now);
    let off = (waited.max(0.5) / usual.max(0.5)).ln() / CYCLE_SPREAD;
    (-0.5 * off * off).exp()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn slots(products: &mut Products, count: usize) -> Vec<Slot> {
        (0..count).map(|n| products.touch(&format!("p{n}").parse().expect("an id")).slot).collect()
    }

    #[test]
    fn a_half_life_ago_counts_half() {
        let tuning = PersonalTuning { half_life: 90 * DAY, cycle: 0.0 };
        let mut products = Products::new(10);
        let items = slots(&mut products, 2);
        let mut purchases = Purchases::default();
        let (then, now) = (Time::default(), Time::default().after(90 * DAY));
        assert_eq!(purchases.record(items[0], then, &tuning), None);
        assert_eq!(purchases.record(items[0], now, &tuning), Some(then));
        purchases.record(items[1], now, &tuning);
        let scores = score_personal(&purchases, now, &products, &tuning);
        assert!((scores.get(items[0]) - 1.5).abs() < 1e-12 && (scores.get(items[1]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_due_comes_before_what_was_just_bought() {
        let tuning = PersonalTuning { half_life: 365 * DAY, cycle: 1.0 };
        let mut products = Products::new(10);
        let items = slots(&mut products, 2);
        let mut purchases = Purchases::default();
        for week in 0..4 {
            purchases.record(items[0], Time::default().after(week * 7 * DAY), &tuning);
            purchases.record(items[1], Time::default().after((week * 7 + 6) * DAY), &tuning);
        }
        let now = Time::default().after(28 * DAY);
        let scores = score_personal(&purchases, now, &products, &tuning);
        assert!(scores.get(items[0]) > 2.0 * scores.get(items[1]));
    }

    #[test]
    fn a_shopper_of_everything_stays_bounded() {
        let tuning = PersonalTuning { half_life: 90 * DAY, cycle: 0.0 };
        let mut products = Products::new(10_000);
        let items = slots(&mut products, 5_000);
        let mut purchases = Purchases::default();
        for (n, item) in (0..).zip(&items) {
            purchases.record(*item, Time::default().after(n * DAY), &tuning);
            assert!(purchases.iter().count() <= BOUGHT_MAX + BOUGHT_SLACK);
        }
        assert!(purchases.get(items[4_999]).is_some() && purchases.get(items[0]).is_none());
    }
}
