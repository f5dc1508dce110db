//! What one shopper did.

use std::time::Duration;

use super::event::{Kind, Time};
use super::personal::Purchases;
use super::row::Row;
use super::session::IDLE_MAX;
use super::table::Slot;

/// How many products a history remembers having been looked at.
pub(crate) const VISITS_MAX: usize = 30;
/// How many earlier visits one event is paired with.
const PAIRS_MAX: usize = 10;
/// Visits further apart say nothing of each other.
const PAIR_GAP_MAX: Duration = Duration::from_secs(7 * 86_400);
/// Doing the same again this soon says nothing new: reloads, and loops that would make anything trend.
const REPEAT_GAP_MAX: Duration = Duration::from_secs(30 * 60);
/// A shopper counts once for a product's popularity in so long.
const COUNT_GAP_MAX: Duration = Duration::from_secs(86_400);
/// Purchases this close are one order.
pub(crate) const ORDER_GAP_MAX: Duration = Duration::from_secs(10 * 60);
/// How many lines of an order are paired with each other.
pub(crate) const ORDER_LINES_MAX: usize = 100;

/// A product in a shopper's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Visit {
    /// Of the latest event.
    pub(crate) time: Time,
    pub(crate) product: Slot,
    /// Of the strongest event.
    pub(crate) kind: Kind,
}

/// Every part of it is bounded; what happened longest ago is forgotten first.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Oldest first, each product once.
    visits: Vec<Visit>,
    pub(crate) purchases: Purchases,
    pub(crate) order: Order,
    pub(crate) current: Current,
    /// The latest session, the shop's own or one of ours.
    pub(crate) session: Option<Slot>,
    /// The features of what was bought.
    pub(crate) profile: Row,
}

/// What an event adds to what was known of its shopper.
#[derive(Debug, PartialEq)]
pub(crate) struct News {
    /// The earlier visits it pairs with.
    pub(crate) pairs: Vec<Visit>,
    /// Whether the shopper is one more who is interested in the product.
    pub(crate) counts: bool,
}

/// The order a shopper's latest purchases belong to.
#[derive(Debug, Default, Hash)]
pub(crate) struct Order {
    time: Time,
    lines: Vec<Slot>,
}

/// The session a shopper is in, where the shop names none.
#[derive(Debug, Default, Clone, Copy, Hash)]
pub(crate) struct Current {
    began: Time,
    last: Time,
}

impl History {
    /// Takes an event in and says what is new about it; None where it only repeats what is known.
    pub(crate) fn record(&mut self, event: &Visit) -> Option<News> {
        let known = self.visits.iter().find(|visit| visit.product == event.product);
        let repeats =
            |gap_max| known.is_some_and(|visit| visit.kind >= event.kind && visit.time.gap(event.time) <= gap_max);
        let news =
            (!repeats(REPEAT_GAP_MAX)).then(|| News { pairs: self.near(event), counts: !repeats(COUNT_GAP_MAX) });
        self.remember(event);
        news
    }

    /// Oldest first.
    pub(crate) fn visits(&self) -> &[Visit] {
        &self.visits
    }

    fn near(&self, event: &Visit) -> Vec<Visit> {
        let gap = |visit: &Visit| visit.time.gap(event.time);
        let mut near: Vec<&Visit> =
            self.visits.iter().filter(|visit| visit.product != event.product && gap(visit) <= PAIR_GAP_MAX).collect();
        near.sort_by_key(|visit| (gap(visit), visit.product));
        near.into_iter().take(PAIRS_MAX).copied().collect()
    }

    fn remember(&mut self, event: &Visit) {
        match self.visits.iter_mut().find(|visit| visit.product == event.product) {
            Some(visit) => {
                visit.time = visit.time.max(event.time);
                visit.kind = visit.kind.max(event.kind);
            }
            None => self.visits.push(*event),
        }
        self.visits.sort_unstable();
        if self.visits.len() > VISITS_MAX {
            self.visits.remove(0);
        }
    }
}

impl Order {
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Takes a purchase in and returns the other lines of its order; None where the order has the product already. A
    /// purchase that arrives after a later order has begun stands alone.
    pub(crate) fn record(&mut self, product: Slot, time: Time) -> Option<&[Slot]> {
        if self.lines.is_empty() || self.time.gap(time) > ORDER_GAP_MAX {
            if time < self.time {
                return Some(&[]);
            }
            self.lines.clear();
            self.time = time;
        }
        if self.lines.contains(&product) {
            return None;
        }
        if self.len() == ORDER_LINES_MAX {
            return Some(&[]);
        }
        self.lines.push(product);
        self.lines.split_last().map(|(_, others)| others)
    }
}

impl Current {
    /// When the session began that an event of this time belongs to; a late one from an earlier session stands alone.
    pub(crate) fn record(&mut self, time: Time) -> Time {
        if self.last.gap(time) > IDLE_MAX {
            if time < self.last {
                return time;
            }
            self.began = time;
        }
        self.last = self.last.max(time);
        self.began
    }
}

#[cfg(test)]
mod tests {
    use super::super::product::Products;
    use super::*;

    fn visit(products: &mut Products, product: &str, kind: Kind, minute: i64) -> Visit {
        let time = Time::from_ms(minute * 60_000).expect("after 1970");
        Visit { time, product: products.touch(&product.parse().expect("an id")).slot, kind }
    }

    #[test]
    fn a_reload_says_nothing_new_but_a_purchase_does() {
        let (mut history, mut products) = (History::default(), Products::new(10));
        let mut a = |kind, minute| visit(&mut products, "a", kind, minute);
        let news = |counts| Some(News { pairs: vec![], counts });
        assert_eq!(history.record(&a(Kind::View, 0)), news(true));
        assert_eq!(history.record(&a(Kind::View, 1)), None);
        assert_eq!(history.record(&a(Kind::Purchase, 2)), news(true));
        assert_eq!(history.record(&a(Kind::View, 3)), None);
        assert_eq!(history.record(&a(Kind::Purchase, 60)), news(false));
        assert_eq!(history.visits(), [a(Kind::Purchase, 60)]);
    }

    #[test]
    fn lines_bought_together_are_one_order_and_later_ones_another() {
        let (mut order, mut products) = (Order::default(), Products::new(10));
        let mut line = |product, minute| visit(&mut products, product, Kind::Purchase, minute);
        let (a, b, c, late) = (line("a", 0), line("b", 1), line("c", 60), line("d", 2));
        assert_eq!(order.record(a.product, a.time), Some(&[][..]));
        assert_eq!(order.record(b.product, b.time), Some(&[a.product][..]));
        assert_eq!(order.record(a.product, b.time), None, "two of a kind are one line");
        assert_eq!(order.record(c.product, c.time), Some(&[][..]));
        assert_eq!(order.record(late.product, late.time), Some(&[][..]), "late, alone");
    }

    #[test]
    fn a_session_ends_with_idleness() {
        let mut current = Current::default();
        let at = |minute: i64| Time::from_ms((1_000 + minute) * 60_000).expect("after 1970");
        assert_eq!(current.record(at(0)), at(0));
        assert_eq!(current.record(at(29)), at(0));
        assert_eq!(current.record(at(60)), at(60));
        assert_eq!(current.record(at(1)), at(1), "late");
    }
}
