//! What is measured of a unit: one number a metric, and a second one beside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::name::Name;
use super::sums::Pair;

/// A metric of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Metric {
    pub(crate) name: Name,
    pub(crate) measure: Measure,
    pub(crate) direction: Direction,
    pub(crate) role: Role,
    /// What a unit's number is cut to, either side of zero (winsorisation), told before anything is seen.
    pub(crate) cap: Option<f64>,
}

/// How outcomes become a unit's number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Measure {
    /// 1 where it had the outcome at all, else 0.
    Proportion { of: Name, covariate: Covariate },
    /// The sum of the outcome's values.
    Mean { of: Name, covariate: Covariate },
    /// All units' sum of one outcome over all units' sum of another; the unit stays the unit (delta method).
    Ratio { of: Name, per: Name },
}

/// Whether what a unit did before its exposure takes noise away (CUPED).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Covariate {
    None,
    /// The same measure over the time before the exposure.
    Before,
}

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    Increase,
    Decrease,
}

/// What a metric decides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// The verdict; there is one.
    Primary,
    /// The verdict where it is harmed by more than the margin, a relative change: 0.02 is 2 %.
    Guardrail { margin: f64 },
    /// Nothing: what it shows is to be tested again.
    Secondary,
}

/// Sums of a unit's outcomes by name, after its exposure and before it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct UnitTotals {
    pub(crate) after: BTreeMap<Name, f64>,
    pub(crate) before: BTreeMap<Name, f64>,
}

impl Metric {
    /// The outcomes it is made of.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = &Name> {
        let (of, per) = match &self.measure {
            Measure::Proportion { of, .. } | Measure::Mean { of, .. } => (of, None),
            Measure::Ratio { of, per } => (of, Some(per)),
        };
        std::iter::once(of).chain(per)
    }

    /// A unit's number, with its covariate or denominator; 0 beside a number that has neither.
    pub(crate) fn read(&self, totals: &UnitTotals) -> Pair {
        let sum = |totals: &BTreeMap<Name, f64>, name| totals.get(name).copied().unwrap_or(0.0);
        let number = |totals: &BTreeMap<Name, f64>, name| match self.measure {
            Measure::Proportion { .. } => f64::from(u8::from(totals.contains_key(name))),
            Measure::Mean { .. } | Measure::Ratio { .. } => self.cut(sum(totals, name)),
        };
        match &self.measure {
            Measure::Proportion { of, covariate } | Measure::Mean { of, covariate } => {
                let before = match covariate {
                    Covariate::None => 0.0,
                    Covariate::Before => number(&totals.before, of),
                };
                Pair { y: number(&totals.after, of), w: before }
            }
            Measure::Ratio { of, per } => Pair { y: number(&totals.after, of), w: sum(&totals.after, per) },
        }
    }

    fn cut(&self, number: f64) -> f64 {
        self.cap.map_or(number, |cap| number.clamp(-cap, cap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().expect("a name")
    }

    fn metric(measure: Measure, cap: Option<f64>) -> Metric {
        Metric { name: name("m"), measure, direction: Direction::Increase, role: Role::Primary, cap }
    }

    fn totals(after: &[(&str, f64)], before: &[(&str, f64)]) -> UnitTotals {
        let map = |list: &[(&str, f64)]| list.iter().map(|(of, sum)| (name(of), *sum)).collect();
        UnitTotals { after: map(after), before: map(before) }
    }

    #[test]
    fn a_unit_becomes_one_number_and_one_beside_it() {
        let unit = totals(&[("revenue", 250.0), ("views", 8.0)], &[("revenue", 40.0)]);
        let revenue = |covariate| Measure::Mean { of: name("revenue"), covariate };
        let check = |measure, cap, y, w| assert_eq!(metric(measure, cap).read(&unit), Pair { y, w });
        check(revenue(Covariate::None), None, 250.0, 0.0);
        check(revenue(Covariate::Before), Some(100.0), 100.0, 40.0);
        check(Measure::Proportion { of: name("revenue"), covariate: Covariate::Before }, None, 1.0, 1.0);
        check(Measure::Proportion { of: name("returns"), covariate: Covariate::None }, None, 0.0, 0.0);
        check(Measure::Ratio { of: name("revenue"), per: name("views") }, None, 250.0, 8.0);
    }
}
