//! Exposures, outcomes and assignments.

use holdfast_contracts::IdError;
use holdfast_contracts::rec::v1 as pb;
use holdfast_platform::status::Refusal;

use super::super::event::{given, parse_time};
use crate::domain::Time;
use crate::domain::experiment::{Standing, Unit};
use crate::usecase::{Asker, Assigned, Exposure, Outcome};

/// How many exposures or outcomes one call may record.
const ENTRIES_MAX: usize = 1_000;
/// The largest value of an outcome, either side of zero: sums of squares stay exact enough.
const VALUE_MAX: f64 = 1e12;

/// Who asks; or the field at fault, with what is wrong with it.
pub(super) fn parse_asker(customer: &str, session: &str) -> Result<Asker, (&'static str, String)> {
    let parse = |field, text: &str| {
        let unit = given(text).map(str::parse::<Unit>).transpose();
        unit.map_err(|problem: IdError| (field, problem.to_string()))
    };
    let asker = Asker { customer: parse("customer_id", customer)?, session: parse("session_id", session)? };
    if asker.customer.is_none() && asker.session.is_none() {
        return Err(("customer_id", "or session_id must be given".to_owned()));
    }
    Ok(asker)
}

pub(super) fn parse_exposures(exposures: Vec<pb::Exposure>, now: Time) -> Result<Vec<Exposure>, Refusal> {
    check_count("exposures", exposures.len())?;
    let parse = |(no, exposure): (usize, pb::Exposure)| {
        let invalid = |field: &str, problem: &dyn std::fmt::Display| {
            Refusal::invalid(format!("exposures[{no}].{field}"), problem)
        };
        Ok(Exposure {
            experiment: exposure.experiment_id.parse().map_err(|problem| invalid("experiment_id", &problem))?,
            unit: exposure.unit_id.parse().map_err(|problem| invalid("unit_id", &problem))?,
            variant: exposure.variant.parse().map_err(|problem| invalid("variant", &problem))?,
            time: match exposure.event_time {
                Some(time) => parse_time(time, now).map_err(|problem| invalid("event_time", &problem))?,
                None => now,
            },
        })
    };
    exposures.into_iter().enumerate().map(parse).collect()
}

pub(super) fn parse_outcomes(outcomes: Vec<pb::Outcome>, now: Time) -> Result<Vec<Outcome>, Refusal> {
    check_count("outcomes", outcomes.len())?;
    let parse = |(no, outcome): (usize, pb::Outcome)| {
        let invalid =
            |field: &str, problem: &dyn std::fmt::Display| Refusal::invalid(format!("outcomes[{no}].{field}"), problem);
        if outcome.value.is_nan() || outcome.value.abs() > VALUE_MAX {
            return Err(invalid("value", &"must be a number, at most 10^12 either side of zero"));
        }
        Ok(Outcome {
            id: outcome.id.parse().map_err(|problem| invalid("id", &problem))?,
            asker: parse_asker(&outcome.customer_id, &outcome.session_id)
                .map_err(|(field, problem)| invalid(field, &problem))?,
            name: outcome.name.parse().map_err(|problem| invalid("name", &problem))?,
            value: outcome.value,
            time: match outcome.event_time {
                Some(time) => parse_time(time, now).map_err(|problem| invalid("event_time", &problem))?,
                None => now,
            },
        })
    };
    outcomes.into_iter().enumerate().map(parse).collect()
}

fn check_count(field: &str, count: usize) -> Result<(), Refusal> {
    if (1..=ENTRIES_MAX).contains(&count) {
        return Ok(());
    }
    Err(Refusal::invalid(field, format!("has {count} entries: 1 to {ENTRIES_MAX} are accepted")))
}

pub(super) fn write_assigned(assigned: Assigned) -> pb::Assignment {
    let standing = match assigned.standing {
        Standing::In(_) => pb::assignment::Standing::In,
        Standing::Overridden(_) => pb::assignment::Standing::Overridden,
        Standing::HeldOut => pb::assignment::Standing::HeldOut,
        Standing::Elsewhere => pb::assignment::Standing::Elsewhere,
        Standing::BeyondRamp => pb::assignment::Standing::BeyondRamp,
        Standing::NotRunning => pb::assignment::Standing::Unspecified,
    };
    pb::Assignment {
        experiment_id: assigned.experiment.into(),
        variant: assigned.variant.into(),
        standing: standing.into(),
        record_exposure: matches!(assigned.standing, Standing::In(_)),
    }
}
