//! Experiments whose numbers can be believed, and feature flags on the same machinery. `docs/experiments.md` says how
//! to run one and where each formula comes from.
//!
//! A unit (a customer or a session) is given a variant by hashing alone, so nothing is stored to keep it there. What
//! it did after it met the difference becomes one number a metric, added to a handful of sums once its time is over;
//! every estimate, interval and verdict is computed from those sums.

mod allocation;
mod design;
mod discovery;
mod estimate;
mod flag;
mod hash;
mod interval;
mod judge;
mod layer;
mod metric;
mod name;
mod plan;
mod results;
mod sample_ratio;
mod special;
mod sums;
mod verdict;

#[cfg(test)]
mod simulation;

pub(crate) use allocation::{AllocationError, Variant};
pub(crate) use design::{ChangeError, Design, DesignError, Experiment, Phase};
pub(crate) use flag::{Flag, FlagDesign};
pub(crate) use hash::{BUCKETS, Share};
pub(crate) use interval::{Certainty, Interval};
pub(crate) use judge::{Reading, judge};
pub(crate) use layer::{Buckets, Layer, Standing};
pub(crate) use metric::{Covariate, Direction, Measure, Metric, Role, UnitTotals};
pub(crate) use name::{Name, Unit, UnitKind};
pub(crate) use plan::Plan;
pub(crate) use results::{Finding, Guardrail, GuardrailState, Results, Secondary, TreatmentResults};
pub(crate) use sample_ratio::SampleRatio;
pub(crate) use sums::{Pair, Sums};
pub(crate) use verdict::Verdict;
