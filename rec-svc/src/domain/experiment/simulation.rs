//! What is promised, tried out on experiments whose truth is known. Seeds are fixed: a failure repeats.
//!
//! A share of so many tries has noise of its own. Where a promise is "at most alpha", the tries must stay at or below
//! alpha plus [`slack`]; a method that breaks its promise is shown to fail the very same check.

mod assignment;
mod covariates;
mod discoveries;
mod guardrails;
mod monitoring;
mod power;
mod random;
mod ratios;
mod sample_ratios;

use std::collections::BTreeMap;

use super::design::{Design, Experiment};
use super::hash::{BUCKETS, Share};
use super::layer::Buckets;
use super::metric::{Covariate, Direction, Measure, Metric, Role};
use super::name::{Name, UnitKind};
use super::plan::Plan;
use super::sums::{Pair, Sums};
use super::{Reading, Variant};
use crate::domain::Time;
use random::Random;

/// How many days the experiments run, with a look on each.
const DAYS: u32 = 28;
const DAY_MS: i64 = 86_400_000;

const PLAN: Plan = Plan { baseline: 0.1, deviation: None, effect_min: 0.1, alpha: 0.05, power: 0.8 };

/// How much more than `alpha` of so many tries may be seen by chance, once in a thousand such tests (one-sided, normal).
fn slack(alpha: f64, tries: u32) -> f64 {
    3.09 * (alpha * (1.0 - alpha) / f64::from(tries)).sqrt()
}

fn share_of(count: u32, tries: u32) -> f64 {
    f64::from(count) / f64::from(tries)
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn conversion() -> Measure {
    Measure::Proportion { of: name("purchase"), covariate: Covariate::None }
}

fn revenue(covariate: Covariate) -> Measure {
    Measure::Mean { of: name("revenue"), covariate }
}

fn metric(text: &str, measure: Measure, role: Role) -> Metric {
    Metric { name: name(text), measure, direction: Direction::Increase, role, cap: None }
}

fn design(plan: Plan, metrics: Vec<Metric>) -> Design {
    let variant = |text: &str| Variant { name: name(text), weight: 1 };
    Design {
        id: name("button"),
        description: String::new(),
        layer: name("page"),
        buckets: Buckets::new(0, BUCKETS).expect("buckets"),
        unit: UnitKind::Customer,
        variants: vec![variant("control"), variant("green")],
        ramp: Share::from_millionths(BUCKETS).expect("a share"),
        overrides: BTreeMap::new(),
        metrics,
        plan,
        starts_at_ms: 0,
        ends_at_ms: i64::from(DAYS) * DAY_MS,
        window_ms: 1,
        before_ms: DAY_MS,
    }
}

fn experiment(plan: Plan, metrics: Vec<Metric>) -> Experiment {
    Experiment::new(design(plan, metrics), None).expect("a sound design")
}

/// The experiment most tests are about: one proportion.
fn conversions() -> Experiment {
    experiment(PLAN, vec![metric("conversion", conversion(), Role::Primary)])
}

/// The moment of a day's look; the last is after the planned end.
fn evening(day: u32) -> Time {
    Time::from_ms(i64::from(day) * DAY_MS + 1).expect("after 1970")
}

/// Two arms of one metric as they grow.
#[derive(Debug, Clone, Default)]
struct Arms([Sums; 2]);

impl Arms {
    /// So many more units in each, of which some converted.
    fn add_conversions(&mut self, random: &mut Random, units: [u64; 2], rates: [f64; 2]) {
        for ((sums, units), rate) in self.0.iter_mut().zip(units).zip(rates) {
            #[expect(clippy::cast_precision_loss, reason = "some thousands")]
            let converted = random.binomial(units, rate) as f64;
            let day = Sums { units, y: converted, yy: converted, ..Sums::default() };
            *sums = sums.plus(day);
        }
    }

    fn add(&mut self, arm: usize, unit: Pair) {
        self.0[arm].add(unit);
    }

    fn reading(&self) -> Reading {
        Reading { exposed: self.0.iter().map(|sums| sums.units).collect(), sums: self.0.map(|sums| vec![sums]).into() }
    }
}
