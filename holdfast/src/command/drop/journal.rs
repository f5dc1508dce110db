//! What the watch told, checked step by step: versions without a gap, levels that follow from their movements,
//! nothing promised that is not there, and each reservation ended once.

use std::collections::HashMap;
use std::time::Duration;

use holdfast_contracts::Sku;
use serde::Serialize;

use super::problem::{Problem, Problems};
use super::shop::{Change, Effect, Level, StockEvent};

/// The curve has at most one point in this time, and as many as fit in [`POINTS_MAX`].
const POINT_EVERY: Duration = Duration::from_millis(20);
const POINTS_MAX: usize = 100_000;

/// All SKUs' stock together, in units, at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Point {
    pub(crate) at_ms: u64,
    pub(crate) available: i64,
    pub(crate) held: i64,
    pub(crate) committed: i64,
}

/// Everything a watch said about the SKUs of a drop.
#[derive(Debug)]
pub(crate) struct Journal {
    skus: Vec<Sku>,
    places: HashMap<Sku, usize>,
    levels: Vec<Option<Level>>,
    /// Units confirmed since the watch began, by SKU.
    confirmed: Vec<i64>,
    /// How each reservation's hold on each SKU ended.
    ended: HashMap<(usize, String), Effect>,
    /// Reservations that ran out, with the moment by the shop's clock.
    expired: HashMap<String, i128>,
    expired_units: i64,
    oversold_units_max: i64,
    steps: u64,
    resets: u64,
    curve: Vec<Point>,
    problems: Problems,
}

impl Journal {
    pub(crate) fn new(skus: Vec<Sku>) -> Self {
        Self {
            places: skus.iter().cloned().zip(0..).collect(),
            levels: vec![None; skus.len()],
            confirmed: vec![0; skus.len()],
            skus,
            ended: HashMap::new(),
            expired: HashMap::new(),
            expired_units: 0,
            oversold_units_max: 0,
            steps: 0,
            resets: 0,
            curve: Vec::new(),
            problems: Problems::default(),
        }
    }

    /// Takes in what came at a moment since the doors opened.
    pub(crate) fn take(&mut self, at: Duration, event: StockEvent) {
        match event {
            StockEvent::Reset(stocks) => {
                self.resets += 1;
                for (sku, level) in stocks {
                    if let Some(&place) = self.places.get(sku.as_str()) {
                        self.look_for_oversold(place, level);
                        self.levels[place] = Some(level);
                    }
                }
            }
            StockEvent::Change(change) => {
                let Some(&place) = self.places.get(change.sku.as_str()) else { return };
                self.steps += 1;
                self.check_step(place, &change);
                self.look_for_oversold(place, change.level);
                self.levels[place] = Some(change.level);
                self.follow_reservation(place, change);
            }
        }
        self.draw(at);
    }

    fn check_step(&mut self, place: usize, change: &Change) {
        let before = self.levels[place].unwrap_or_default();
        let (sku, version) = (&self.skus[place], change.level.version);
        if version != before.version + 1 {
            self.problems.push(Problem::VersionGap { sku: sku.clone(), from: before.version, to: version });
        } else if after(before, change.effect, change.units) != Some(change.level) {
            let effect = change.effect.as_str_name();
            self.problems.push(Problem::EffectMismatch { sku: sku.clone(), version, effect, units: change.units });
        }
    }

    fn look_for_oversold(&mut self, place: usize, level: Level) {
        let units = level.oversold_units();
        if units > 0 {
            let (sku, version) = (self.skus[place].clone(), level.version);
            self.problems.push(Problem::Oversold { sku, version, units });
        }
        self.oversold_units_max = self.oversold_units_max.max(units);
    }

    fn follow_reservation(&mut self, place: usize, change: Change) {
        match change.effect {
            Effect::Confirmed => self.confirmed[place] += change.units,
            Effect::Expired => {
                self.expired_units += change.units;
                self.expired.insert(change.reservation.clone(), change.at_ns);
            }
            Effect::Released => {}
            Effect::Unspecified
            | Effect::Held
            | Effect::Restocked
            | Effect::OnHandAdjusted
            | Effect::UnavailableAdjusted
            | Effect::SafetyAdjusted
            | Effect::IncomingAdjusted
            | Effect::InTransitAdjusted => return,
        }
        if let Some(first) = self.ended.insert((place, change.reservation.clone()), change.effect) {
            let (first, second) = (first.as_str_name(), change.effect.as_str_name());
            self.problems.push(Problem::EndedTwice { id: change.reservation, first, second });
        }
    }

    fn draw(&mut self, at: Duration) {
        let at_ms = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        let sum = |of: fn(&Level) -> i64| self.levels.iter().flatten().map(of).sum();
        let point =
            Point { at_ms, available: sum(|l| l.available), held: sum(|l| l.held), committed: sum(|l| l.committed) };
        let every = u64::try_from(POINT_EVERY.as_millis()).unwrap_or(1);
        let is_full = self.curve.len() >= POINTS_MAX;
        match self.curve.last_mut() {
            Some(last) if last.at_ms / every == at_ms / every => *last = point,
            Some(_) | None if is_full => {}
            Some(_) | None => self.curve.push(point),
        }
    }

    /// The version a SKU was last seen at.
    pub(crate) fn version(&self, place: usize) -> i64 {
        self.levels[place].map_or(0, |level| level.version)
    }

    /// Whether every SKU was seen at these versions, or later ones.
    pub(crate) fn has_reached(&self, versions: &[i64]) -> bool {
        versions.iter().enumerate().all(|(place, &version)| self.version(place) >= version)
    }

    /// Whether nothing between the first reset and now is untold.
    pub(crate) fn is_whole(&self) -> bool {
        self.resets <= 1
    }

    pub(crate) fn confirmed_units(&self, place: usize) -> i64 {
        self.confirmed[place]
    }

    /// When a reservation ran out, if it did, by the shop's clock.
    pub(crate) fn expired_ns(&self, reservation: &str) -> Option<i128> {
        self.expired.get(reservation).copied()
    }

    pub(crate) fn expired_holds(&self) -> u64 {
        self.expired.len() as u64
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// Resets after the first, which every watch begins with.
    pub(crate) fn resets(&self) -> u64 {
        self.resets.saturating_sub(1)
    }

    pub(crate) fn oversold_units_max(&self) -> i64 {
        self.oversold_units_max
    }

    pub(crate) fn skus(&self) -> &[Sku] {
        &self.skus
    }

    pub(crate) fn note(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(crate) fn into_findings(self) -> (Vec<Point>, Problems) {
        (self.curve, self.problems)
    }
}

/// The level a movement leads to; none where the movement says no effect.
fn after(before: Level, effect: Effect, units: i64) -> Option<Level> {
    let mut level = before;
    match effect {
        Effect::Unspecified => return None,
        Effect::Held => level.held += units,
        Effect::Released | Effect::Expired => level.held -= units,
        Effect::Confirmed => {
            level.held -= units;
            level.committed += units;
        }
        Effect::Restocked => level.committed -= units,
        Effect::OnHandAdjusted => level.on_hand += units,
        Effect::UnavailableAdjusted => level.unavailable += units,
        Effect::SafetyAdjusted => level.safety += units,
        // Neither is part of what a drop looks at.
        Effect::IncomingAdjusted | Effect::InTransitAdjusted => {}
    }
    level.version += 1;
    level.available = level.on_hand - level.unavailable - level.safety - level.held - level.committed;
    Some(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Level {
        Level { on_hand: 2, available: 2, version: 5, ..Level::default() }
    }

    fn step(before: Level, effect: Effect, units: i64, reservation: &str) -> Change {
        let level = after(before, effect, units).expect("an effect");
        Change { sku: "S".into(), effect, units, reservation: reservation.into(), at_ns: 0, level }
    }

    /// Plays steps of (effect, units, reservation), bent by a flaw, and gives what was found.
    fn check(steps: &[(Effect, i64, &str)], flaw: fn(usize, &mut Change), expect: &[Problem]) -> Journal {
        let mut journal = Journal::new(vec!["S".parse().expect("a SKU")]);
        journal.take(Duration::ZERO, StockEvent::Reset(vec![("S".into(), start())]));
        let mut level = start();
        for (index, &(effect, units, reservation)) in steps.iter().enumerate() {
            let mut change = step(level, effect, units, reservation);
            flaw(index, &mut change);
            level = change.level;
            journal.take(Duration::from_millis(index as u64), StockEvent::Change(change));
        }
        assert_eq!(journal.problems.all(), expect);
        journal
    }

    fn sku() -> Sku {
        "S".parse().expect("a SKU")
    }

    #[test]
    fn a_clean_watch_raises_nothing() {
        let steps = [
            (Effect::Held, 1, "a"),
            (Effect::Held, 1, "b"),
            (Effect::Confirmed, 1, "a"),
            (Effect::Expired, 1, "b"),
            (Effect::OnHandAdjusted, 3, ""),
        ];
        let journal = check(&steps, |_, _| {}, &[]);
        assert_eq!((journal.confirmed_units(0), journal.expired_holds(), journal.version(0)), (1, 1, 10));
        assert!(journal.has_reached(&[10]) && !journal.has_reached(&[11]));
        assert_eq!(journal.curve.len(), 1, "all within one point's time");
    }

    #[test]
    fn a_missing_version_is_a_gap() {
        let skip = |index, change: &mut Change| change.level.version += i64::from(index == 1);
        check(
            &[(Effect::Held, 1, "a"), (Effect::Held, 1, "b")],
            skip,
            &[Problem::VersionGap { sku: sku(), from: 6, to: 8 }],
        );
    }

    #[test]
    fn a_level_that_does_not_follow_is_told() {
        let lie = |_, change: &mut Change| change.level.available += 1;
        let expect = [Problem::EffectMismatch { sku: sku(), version: 6, effect: "HELD", units: 1 }];
        check(&[(Effect::Held, 1, "a")], lie, &expect);
    }

    #[test]
    fn one_unit_too_many_is_oversold() {
        let expect = [Problem::Oversold { sku: sku(), version: 6, units: 1 }];
        let journal = check(&[(Effect::Held, 3, "a")], |_, _| {}, &expect);
        assert_eq!(journal.oversold_units_max(), 1);
    }

    #[test]
    fn a_reservation_ends_once() {
        let steps = [(Effect::Held, 2, "a"), (Effect::Expired, 1, "a"), (Effect::Confirmed, 1, "a")];
        let expect = [Problem::EndedTwice { id: "a".into(), first: "EXPIRED", second: "CONFIRMED" }];
        check(&steps, |_, _| {}, &expect);
    }
}
