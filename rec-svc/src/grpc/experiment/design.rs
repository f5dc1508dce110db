//! Experiments, layers and flags, parsed and written.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use holdfast_contracts::rec::v1 as pb;
use holdfast_contracts::rec::v1::experiment_metric as wire;
use holdfast_platform::status::Refusal;

use super::parse_name;
use crate::domain::Time;
use crate::domain::experiment::{
    BUCKETS, Buckets, Covariate, Design, Direction, Experiment, Flag, FlagDesign, Layer, Measure, Metric, Name, Phase,
    Plan, Role, Share, Unit, UnitKind, Variant,
};

pub(super) fn parse_design(given: pb::Experiment) -> Result<Design, Refusal> {
    let invalid = |field: &str, problem: &str| Refusal::invalid(format!("experiment.{field}"), problem);
    let unit = parse_unit_kind("experiment.unit", given.unit())?;
    let buckets = match (given.bucket_from, given.bucket_to) {
        (0, 0) => Buckets::new(0, BUCKETS),
        (from, to) => {
            u32::try_from(from).ok().zip(u32::try_from(to).ok()).and_then(|(from, to)| Buckets::new(from, to))
        }
    };
    let plan = given.plan.ok_or_else(|| invalid("plan", "must be given"))?;
    let metrics = given.metrics.into_iter().enumerate().map(|(no, metric)| parse_metric(no, metric));
    Ok(Design {
        id: parse_name("experiment.id", &given.id)?,
        description: parse_description("experiment.description", given.description)?,
        layer: parse_name("experiment.layer", &given.layer)?,
        buckets: buckets.ok_or_else(|| invalid("bucket_to", "must be above bucket_from and at most 1,000,000"))?,
        unit,
        variants: parse_variants("experiment", given.variants)?,
        ramp: parse_share("experiment.ramp_millionths", given.ramp_millionths)?,
        overrides: parse_overrides("experiment", given.overrides)?,
        metrics: metrics.collect::<Result<_, _>>()?,
        plan: Plan {
            baseline: plan.baseline,
            deviation: (plan.deviation != 0.0).then_some(plan.deviation),
            effect_min: plan.effect_min,
            alpha: plan.alpha,
            power: plan.power,
        },
        starts_at_ms: given.starts_at.and_then(time_ms).ok_or_else(|| invalid("starts_at", "must be a time"))?,
        ends_at_ms: given.ends_at.and_then(time_ms).ok_or_else(|| invalid("ends_at", "must be a time"))?,
        window_ms: given.window.and_then(span_ms).ok_or_else(|| invalid("window", "must be a duration"))?,
        before_ms: given.before.map_or(Some(0), span_ms).ok_or_else(|| invalid("before", "is not a duration"))?,
    })
}

pub(super) fn write_experiment(experiment: &Experiment, now: Time) -> pb::Experiment {
    let design = experiment.design().clone();
    let time = |ms: i64| Time::from_ms(ms).map(|time| SystemTime::from(time).into());
    pb::Experiment {
        id: design.id.into(),
        description: design.description,
        layer: design.layer.into(),
        bucket_from: signed(design.buckets.from()),
        bucket_to: signed(design.buckets.to()),
        unit: write_unit_kind(design.unit).into(),
        variants: write_variants(design.variants),
        ramp_millionths: signed(design.ramp.millionths()),
        overrides: write_overrides(design.overrides),
        metrics: design.metrics.into_iter().map(write_metric).collect(),
        plan: Some(pb::ExperimentPlan {
            baseline: design.plan.baseline,
            deviation: design.plan.deviation.unwrap_or_default(),
            effect_min: design.plan.effect_min,
            alpha: design.plan.alpha,
            power: design.plan.power,
        }),
        starts_at: time(design.starts_at_ms),
        ends_at: time(design.ends_at_ms),
        window: Some(write_span(design.window_ms)),
        before: Some(write_span(design.before_ms)),
        phase: write_phase(experiment.phase(now)).into(),
        stopped_at: experiment.stopped_at().map(|at| SystemTime::from(at).into()),
        units_planned: i64::try_from(experiment.units_planned()).unwrap_or(i64::MAX),
    }
}

pub(super) fn parse_layer(given: &pb::Layer) -> Result<Layer, Refusal> {
    let holdout = parse_share("layer.holdout_millionths", given.holdout_millionths)?;
    Ok(Layer { id: parse_name("layer.id", &given.id)?, holdout })
}

pub(super) fn parse_flag(given: pb::Flag) -> Result<FlagDesign, Refusal> {
    Ok(FlagDesign {
        unit: parse_unit_kind("flag.unit", given.unit())?,
        id: parse_name("flag.id", &given.id)?,
        description: parse_description("flag.description", given.description)?,
        variants: parse_variants("flag", given.variants)?,
        ramp: parse_share("flag.ramp_millionths", given.ramp_millionths)?,
        enabled: given.enabled,
        overrides: parse_overrides("flag", given.overrides)?,
    })
}

pub(super) fn write_flag(flag: &Flag) -> pb::Flag {
    let FlagDesign { id, description, unit, variants, ramp, enabled, overrides } = flag.design().clone();
    pb::Flag {
        id: id.into(),
        description,
        unit: write_unit_kind(unit).into(),
        variants: write_variants(variants),
        ramp_millionths: signed(ramp.millionths()),
        enabled,
        overrides: write_overrides(overrides),
    }
}

pub(super) fn write_phase(phase: Phase) -> pb::experiment::Phase {
    match phase {
        Phase::NotStarted => pb::experiment::Phase::NotStarted,
        Phase::Running => pb::experiment::Phase::Running,
        Phase::Settling => pb::experiment::Phase::Settling,
        Phase::Ended => pb::experiment::Phase::Ended,
        Phase::Stopped => pb::experiment::Phase::Stopped,
    }
}

/// How long a description may be.
const DESCRIPTION_CHARS_MAX: usize = 2_000;

fn parse_description(field: &str, text: String) -> Result<String, Refusal> {
    let chars = text.chars().count();
    if chars > DESCRIPTION_CHARS_MAX || text.contains('\0') {
        let problem = format!("has {chars} characters: at most {DESCRIPTION_CHARS_MAX} are accepted, and no NUL");
        return Err(Refusal::invalid(field, problem));
    }
    Ok(text)
}

fn parse_metric(no: usize, given: pb::ExperimentMetric) -> Result<Metric, Refusal> {
    let field = |name: &str| format!("experiment.metrics[{no}].{name}");
    let invalid = |name: &str, problem: &str| Refusal::invalid(field(name), problem);
    let covariate = if given.covariate { Covariate::Before } else { Covariate::None };
    let of = parse_name(&field("of"), &given.of)?;
    let measure = match given.measure() {
        wire::Measure::Unspecified => return Err(invalid("measure", "must be given")),
        wire::Measure::Proportion => Measure::Proportion { of, covariate },
        wire::Measure::Mean => Measure::Mean { of, covariate },
        wire::Measure::Ratio if given.covariate => return Err(invalid("covariate", "is not of a ratio")),
        wire::Measure::Ratio => Measure::Ratio { of, per: parse_name(&field("per"), &given.per)? },
    };
    let direction = match given.direction() {
        wire::Direction::Unspecified => return Err(invalid("direction", "must be given")),
        wire::Direction::Increase => Direction::Increase,
        wire::Direction::Decrease => Direction::Decrease,
    };
    let role = match given.role() {
        wire::Role::Unspecified => return Err(invalid("role", "must be given")),
        wire::Role::Primary => Role::Primary,
        wire::Role::Guardrail => Role::Guardrail { margin: given.margin },
        wire::Role::Secondary => Role::Secondary,
    };
    let cap = (given.cap != 0.0).then_some(given.cap);
    Ok(Metric { name: parse_name(&field("name"), &given.name)?, measure, direction, role, cap })
}

fn write_metric(metric: Metric) -> pb::ExperimentMetric {
    let (measure, of, per, covariate) = match metric.measure {
        Measure::Proportion { of, covariate } => (wire::Measure::Proportion, of, None, covariate),
        Measure::Mean { of, covariate } => (wire::Measure::Mean, of, None, covariate),
        Measure::Ratio { of, per } => (wire::Measure::Ratio, of, Some(per), Covariate::None),
    };
    let direction = match metric.direction {
        Direction::Increase => wire::Direction::Increase,
        Direction::Decrease => wire::Direction::Decrease,
    };
    let (role, margin) = match metric.role {
        Role::Primary => (wire::Role::Primary, 0.0),
        Role::Guardrail { margin } => (wire::Role::Guardrail, margin),
        Role::Secondary => (wire::Role::Secondary, 0.0),
    };
    pb::ExperimentMetric {
        name: metric.name.into(),
        measure: measure.into(),
        of: of.into(),
        per: per.map_or_else(String::new, Name::into),
        covariate: covariate == Covariate::Before,
        direction: direction.into(),
        role: role.into(),
        margin,
        cap: metric.cap.unwrap_or_default(),
    }
}

fn parse_unit_kind(field: &str, kind: pb::experiment::UnitKind) -> Result<UnitKind, Refusal> {
    match kind {
        pb::experiment::UnitKind::Unspecified => Err(Refusal::invalid(field, "must be given")),
        pb::experiment::UnitKind::Customer => Ok(UnitKind::Customer),
        pb::experiment::UnitKind::Session => Ok(UnitKind::Session),
    }
}

fn write_unit_kind(kind: UnitKind) -> pb::experiment::UnitKind {
    match kind {
        UnitKind::Customer => pb::experiment::UnitKind::Customer,
        UnitKind::Session => pb::experiment::UnitKind::Session,
    }
}

fn parse_variants(of: &str, given: Vec<pb::ExperimentVariant>) -> Result<Vec<Variant>, Refusal> {
    let parse = |(no, variant): (usize, pb::ExperimentVariant)| {
        let name = parse_name(&format!("{of}.variants[{no}].name"), &variant.name)?;
        Ok(Variant { name, weight: u32::try_from(variant.weight).unwrap_or(0) })
    };
    given.into_iter().enumerate().map(parse).collect()
}

fn write_variants(variants: Vec<Variant>) -> Vec<pb::ExperimentVariant> {
    let write = |variant: Variant| pb::ExperimentVariant { name: variant.name.into(), weight: signed(variant.weight) };
    variants.into_iter().map(write).collect()
}

fn parse_overrides(of: &str, given: HashMap<String, String>) -> Result<BTreeMap<Unit, Name>, Refusal> {
    let field = format!("{of}.overrides");
    let parse = |(unit, variant): (String, String)| {
        let unit = unit.parse().map_err(|problem| Refusal::invalid(&*field, problem))?;
        Ok((unit, parse_name(&field, &variant)?))
    };
    given.into_iter().map(parse).collect()
}

fn write_overrides(overrides: BTreeMap<Unit, Name>) -> HashMap<String, String> {
    overrides.into_iter().map(|(unit, variant)| (unit.into(), variant.into())).collect()
}

fn parse_share(field: &str, millionths: i32) -> Result<Share, Refusal> {
    let share = u32::try_from(millionths).ok().and_then(Share::from_millionths);
    share.ok_or_else(|| Refusal::invalid(field, "must be 0 to 1,000,000"))
}

/// At most a million, or a weight.
fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// None before 1970, and where it is no time.
fn time_ms(time: prost_types::Timestamp) -> Option<i64> {
    let nanos = Some(time.nanos).filter(|nanos| (0..1_000_000_000).contains(nanos))?;
    time.seconds.checked_mul(1_000)?.checked_add(i64::from(nanos) / 1_000_000).filter(|ms| *ms >= 0)
}

/// None of a negative span.
fn span_ms(span: prost_types::Duration) -> Option<i64> {
    let nanos = Some(span.nanos).filter(|nanos| (0..1_000_000_000).contains(nanos))?;
    span.seconds.checked_mul(1_000)?.checked_add(i64::from(nanos) / 1_000_000).filter(|ms| *ms >= 0)
}

fn write_span(ms: i64) -> prost_types::Duration {
    let nanos = i32::try_from(ms % 1_000 * 1_000_000).expect("less than a second");
    prost_types::Duration { seconds: ms / 1_000, nanos }
}
