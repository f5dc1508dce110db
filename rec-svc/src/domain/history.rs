//! What one shopper did lately.

use std::time::Duration;

use holdfast_contracts::ProductId;

use super::event::{Kind, Time};

/// How many products a history remembers.
pub(crate) const VISITS_MAX: usize = 30;
/// How many purchases it remembers, however much was looked at since.
pub(crate) const BOUGHT_MAX: usize = 50;
/// How many earlier visits one event is paired with.
const PAIRS_MAX: usize = 10;
/// Visits further apart say nothing of each other.
const PAIR_GAP_MAX: Duration = Duration::from_secs(7 * 86_400);
/// Doing the same again this soon says nothing new: reloads, and loops that would make anything trend.
const REPEAT_GAP_MAX: Duration = Duration::from_secs(30 * 60);

/// A product in a shopper's history.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Visit {
    /// Of the latest event.
    pub(crate) time: Time,
    pub(crate) product: ProductId,
    /// Of the strongest event.
    pub(crate) kind: Kind,
}

/// Bounded by [`VISITS_MAX`] and [`BOUGHT_MAX`]; what happened longest ago is forgotten first.
#[derive(Debug, Default, Hash)]
pub(crate) struct History {
    /// Oldest first, each product once.
    visits: Vec<Visit>,
    /// Oldest first, each product once.
    bought: Vec<Visit>,
}

impl History {
    /// Takes an event in and returns the visits it pairs with; None where it only repeats what is known.
    pub(crate) fn record(&mut self, event: &Visit) -> Option<Vec<Visit>> {
        if event.kind == Kind::Purchase {
            remember(&mut self.bought, event, BOUGHT_MAX);
        }
        let known = self.visits.iter().find(|visit| visit.product == event.product);
        let repeats =
            known.is_some_and(|visit| visit.kind >= event.kind && visit.time.gap(event.time) <= REPEAT_GAP_MAX);
        let paired = (!repeats).then(|| self.near(event));
        remember(&mut self.visits, event, VISITS_MAX);
        paired
    }

    /// Oldest first.
    pub(crate) fn visits(&self) -> &[Visit] {
        &self.visits
    }

    /// The products bought at most `ago` before `now`, or after it.
    pub(crate) fn bought_since(&self, now: Time, ago: Duration) -> impl Iterator<Item = &ProductId> {
        self.bought
            .iter()
            .filter(move |visit| visit.time >= now || visit.time.gap(now) <= ago)
            .map(|visit| &visit.product)
    }

    fn near(&self, event: &Visit) -> Vec<Visit> {
        let gap = |visit: &Visit| visit.time.gap(event.time);
        let mut near: Vec<&Visit> =
            self.visits.iter().filter(|visit| visit.product != event.product && gap(visit) <= PAIR_GAP_MAX).collect();
        near.sort_by_key(|visit| (gap(visit), &visit.product));
        near.into_iter().take(PAIRS_MAX).cloned().collect()
    }
}

fn remember(visits: &mut Vec<Visit>, event: &Visit, len_max: usize) {
    match visits.iter_mut().find(|visit| visit.product == event.product) {
        Some(visit) => {
            visit.time = visit.time.max(event.time);
            visit.kind = visit.kind.max(event.kind);
        }
        None => visits.push(event.clone()),
    }
    visits.sort_unstable();
    if visits.len() > len_max {
        visits.remove(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(product: &str, kind: Kind, minute: i64) -> Visit {
        let time = Time::from_ms(minute * 60_000).expect("after 1970");
        Visit { time, product: product.parse().expect("an id"), kind }
    }

    #[test]
    fn a_reload_says_nothing_new_but_a_purchase_does() {
        let mut history = History::default();
        assert_eq!(history.record(&visit("a", Kind::View, 0)), Some(vec![]));
        assert_eq!(history.record(&visit("a", Kind::View, 1)), None);
        assert_eq!(history.record(&visit("a", Kind::Purchase, 2)), Some(vec![]));
        assert_eq!(history.record(&visit("a", Kind::View, 3)), None);
        assert_eq!(history.record(&visit("a", Kind::View, 60)), Some(vec![]));
        assert_eq!(history.visits(), [visit("a", Kind::Purchase, 60)]);
    }

    #[test]
    fn purchases_outlast_any_amount_of_looking_around() {
        let mut history = History::default();
        history.record(&visit("shoes", Kind::Purchase, 0));
        for n in 0..1_000 {
            history.record(&visit(&format!("p{n}"), Kind::View, n));
        }
        assert_eq!(history.visits().len(), VISITS_MAX);
        let now = Time::from_ms(1_000 * 60_000).expect("after 1970");
        let bought: Vec<_> = history.bought_since(now, PAIR_GAP_MAX).map(ProductId::as_str).collect();
        assert_eq!(bought, ["shoes"]);
        assert_eq!(history.bought_since(now, REPEAT_GAP_MAX).count(), 0);
    }
}
