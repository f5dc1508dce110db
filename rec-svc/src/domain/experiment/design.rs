//! An experiment as it is told and kept, what makes it one, and what of it may still change.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::allocation::{Allocation, AllocationError, Placement, Variant, Variants};
use super::hash::Share;
use super::layer::{Buckets, Layer, Standing};
use super::metric::{Covariate, Measure, Metric, Role};
use super::name::{Name, Unit, UnitKind};
use super::plan::{Plan, PlanError};
use crate::domain::Time;

/// How many metrics an experiment has at most.
const METRICS_MAX: usize = 20;
/// How long the time after an exposure may be in which outcomes count, and the time before it.
const WINDOW_MAX: Duration = Duration::from_secs(90 * 86_400);
/// How long an experiment may run.
const RUN_MAX: Duration = Duration::from_secs(366 * 86_400);

/// Everything there is to say about an experiment before its start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Design {
    /// Salts its hashes too.
    pub(crate) id: Name,
    pub(crate) description: String,
    pub(crate) layer: Name,
    pub(crate) buckets: Buckets,
    pub(crate) unit: UnitKind,
    /// The first is the control.
    pub(crate) variants: Vec<Variant>,
    pub(crate) ramp: Share,
    pub(crate) overrides: BTreeMap<Unit, Name>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) plan: Plan,
    pub(crate) starts_at_ms: i64,
    /// When exposures stop counting: fixed before the start, so that the test at the end is one.
    pub(crate) ends_at_ms: i64,
    /// How long after its exposure a unit's outcomes count. A unit is in the results once that is over.
    pub(crate) window_ms: i64,
    /// How long before it they make the covariates.
    pub(crate) before_ms: i64,
}

/// A sound design.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Experiment {
    design: Design,
    allocation: Allocation,
    primary: usize,
    /// Set where it was ended before its time: its planned test is then never made.
    stopped_at: Option<Time>,
}

/// Why a design is not sound.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum DesignError {
    #[error(transparent)]
    Allocation(#[from] AllocationError),
    #[error("plan: {0}")]
    Plan(#[from] PlanError),
    #[error("has {0} metrics: 1 to {METRICS_MAX} are accepted")]
    Metrics(usize),
    #[error("has the metric {0} twice")]
    MetricTwice(Name),
    #[error("has {0} primary metrics: it needs one")]
    Primaries(usize),
    #[error("{0}: a margin must be above 0 and below 1, a cap above 0")]
    Metric(Name),
    #[error("{0}: a covariate needs a time before the exposure")]
    NoTimeBefore(Name),
    #[error("must end after it starts, and at most {} days later", RUN_MAX.as_secs() / 86_400)]
    Times,
    #[error("must count outcomes for 1 ms to {} days, and covariates for at most as long", WINDOW_MAX.as_secs() / 86_400)]
    Windows,
}

/// Why a running experiment does not become another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChangeError {
    #[error("has started: of {0}, nothing may change, or its numbers would mean nothing")]
    Started(&'static str),
    #[error("has started: its ramp may only rise from {from} to more millionths, not fall to {to}")]
    RampFalls { from: u32, to: u32 },
    #[error("is over: nothing of it may change")]
    Over,
}

/// Where an experiment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    NotStarted,
    Running,
    /// No more exposures count; some units' time is not over yet.
    Settling,
    /// Everything planned is in.
    Ended,
    /// It was stopped before its planned end.
    Stopped,
}

impl Experiment {
    pub(crate) fn new(design: Design, stopped_at: Option<Time>) -> Result<Self, DesignError> {
        let Design { id, ramp, variants, overrides, metrics, plan, .. } = &design;
        let allocation = Allocation::new(id.clone(), *ramp, variants.clone(), overrides)?;
        design.check_times()?;
        design.check_metrics()?;
        let is_primary = |metric: &Metric| metric.role == Role::Primary;
        let primary = metrics.iter().position(is_primary).ok_or(DesignError::Primaries(0))?;
        plan.check(&metrics[primary].measure, &allocation.variants().shares())?;
        Ok(Self { design, allocation, primary, stopped_at })
    }

    pub(crate) fn design(&self) -> &Design {
        &self.design
    }

    pub(crate) fn variants(&self) -> &Variants {
        self.allocation.variants()
    }

    pub(crate) fn primary(&self) -> &Metric {
        &self.design.metrics[self.primary]
    }

    pub(crate) fn stopped_at(&self) -> Option<Time> {
        self.stopped_at
    }

    /// Every outcome any of its metrics is made of.
    pub(crate) fn outcomes(&self) -> BTreeSet<&Name> {
        self.design.metrics.iter().flat_map(Metric::outcomes).collect()
    }

    /// How many units its plan takes.
    pub(crate) fn units_planned(&self) -> u64 {
        self.design.plan.units(&self.primary().measure, &self.variants().shares())
    }

    pub(crate) fn treatments(&self) -> usize {
        self.variants().len() - 1
    }

    /// When exposures stop counting: as planned, or as stopped.
    pub(crate) fn closes_at_ms(&self) -> i64 {
        self.stopped_at.map_or(self.design.ends_at_ms, |stopped| stopped.ms().min(self.design.ends_at_ms))
    }

    /// Whether an exposure at that moment counts.
    pub(crate) fn counts_at(&self, time: Time) -> bool {
        (self.design.starts_at_ms..self.closes_at_ms()).contains(&time.ms())
    }

    pub(crate) fn phase(&self, now: Time) -> Phase {
        if self.stopped_at.is_some_and(|stopped| stopped.ms() < self.design.ends_at_ms) {
            return Phase::Stopped;
        }
        match now.ms() {
            now if now < self.design.starts_at_ms => Phase::NotStarted,
            now if now < self.design.ends_at_ms => Phase::Running,
            now if now < self.design.ends_at_ms.saturating_add(self.design.window_ms) => Phase::Settling,
            _ => Phase::Ended,
        }
    }

    /// How a unit stands to it; `layer` is its layer.
    pub(crate) fn standing(&self, layer: &Layer, unit: &Unit, now: Time) -> Standing {
        if let Some(no) = self.allocation.overridden(unit) {
            return Standing::Overridden(no);
        }
        if !self.counts_at(now) {
            return Standing::NotRunning;
        }
        if layer.holds_out(unit) {
            return Standing::HeldOut;
        }
        if !layer.has(self.design.buckets, unit) {
            return Standing::Elsewhere;
        }
        match self.allocation.place(unit) {
            Placement::Overridden(no) => Standing::Overridden(no),
            Placement::Drawn(no) => Standing::In(no),
            Placement::BeyondRamp => Standing::BeyondRamp,
        }
    }

    /// Whether it may become `next` now. Once started, the ramp may rise, and description and overrides may change:
    /// nothing else, lest a unit switch its variant or the numbers be chosen after they were seen.
    pub(crate) fn check_change(&self, next: &Design, now: Time) -> Result<(), ChangeError> {
        let old = &self.design;
        match self.phase(now) {
            Phase::NotStarted => return Ok(()),
            Phase::Running => {}
            Phase::Settling | Phase::Ended | Phase::Stopped => {
                return if old == next { Ok(()) } else { Err(ChangeError::Over) };
            }
        }
        let kept = [
            (old.layer == next.layer, "layer"),
            (old.buckets == next.buckets, "buckets"),
            (old.unit == next.unit, "unit"),
            (old.variants == next.variants, "variants"),
            (old.metrics == next.metrics, "metrics"),
            (old.plan == next.plan, "plan"),
            (old.starts_at_ms == next.starts_at_ms, "starts_at"),
            (old.ends_at_ms == next.ends_at_ms, "ends_at"),
            (old.window_ms == next.window_ms, "window"),
            (old.before_ms == next.before_ms, "before"),
        ];
        if let Some((_, field)) = kept.into_iter().find(|(kept, _)| !kept) {
            return Err(ChangeError::Started(field));
        }
        if next.ramp < old.ramp {
            return Err(ChangeError::RampFalls { from: old.ramp.millionths(), to: next.ramp.millionths() });
        }
        Ok(())
    }
}

impl Design {
    fn check_times(&self) -> Result<(), DesignError> {
        let run = self.ends_at_ms.checked_sub(self.starts_at_ms).filter(|_| self.starts_at_ms >= 0);
        if !run.is_some_and(|run| (1..=ms(RUN_MAX)).contains(&run)) {
            return Err(DesignError::Times);
        }
        if !(1..=ms(WINDOW_MAX)).contains(&self.window_ms) || !(0..=ms(WINDOW_MAX)).contains(&self.before_ms) {
            return Err(DesignError::Windows);
        }
        Ok(())
    }

    fn check_metrics(&self) -> Result<(), DesignError> {
        let metrics = &self.metrics;
        if !(1..=METRICS_MAX).contains(&metrics.len()) {
            return Err(DesignError::Metrics(metrics.len()));
        }
        for (no, metric) in metrics.iter().enumerate() {
            if metrics[..no].iter().any(|other| other.name == metric.name) {
                return Err(DesignError::MetricTwice(metric.name.clone()));
            }
            let is_margin = |margin: f64| margin > 0.0 && margin < 1.0;
            let is_cap = |cap: f64| cap > 0.0 && cap.is_finite();
            if matches!(metric.role, Role::Guardrail { margin } if !is_margin(margin))
                || metric.cap.is_some_and(|cap| !is_cap(cap))
            {
                return Err(DesignError::Metric(metric.name.clone()));
            }
            if self.before_ms == 0 && has_covariate(&metric.measure) {
                return Err(DesignError::NoTimeBefore(metric.name.clone()));
            }
        }
        let primaries = metrics.iter().filter(|metric| metric.role == Role::Primary).count();
        if primaries == 1 { Ok(()) } else { Err(DesignError::Primaries(primaries)) }
    }
}

fn has_covariate(measure: &Measure) -> bool {
    match measure {
        Measure::Proportion { covariate, .. } | Measure::Mean { covariate, .. } => *covariate == Covariate::Before,
        Measure::Ratio { .. } => false,
    }
}

fn ms(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
