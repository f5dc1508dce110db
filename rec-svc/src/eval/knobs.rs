//! Which numbers each protocol may choose: those of the models its data exercises.

use std::time::Duration;

use super::protocol::Protocol;
use super::tune::{Knob, Signals};
use crate::domain::{Signal, Tuning};

fn days(days: f64) -> Duration {
    Duration::from_secs_f64(days * 86_400.0)
}

fn in_days(span: Duration) -> f64 {
    span.as_secs_f64() / 86_400.0
}

fn from_count(count: usize) -> f64 {
    count as f64
}

fn to_count(value: f64) -> usize {
    value as usize
}

/// A number at a path in the tuning.
macro_rules! knob {
    ($name:literal, count $($path:ident).+, $values:expr, $learns:literal) => {
        Knob {
            name: $name,
            values: $values,
            get: |tuning: &Tuning| from_count(tuning.$($path).+),
            set: |tuning: &mut Tuning, value| tuning.$($path).+ = to_count(value),
            learns: $learns,
        }
    };
    ($name:literal, learnt $($path:ident).+, $values:expr) => {
        Knob { learns: true, ..knob!($name, $($path).+, $values) }
    };
    ($name:literal, span $($path:ident).+, $values:expr, $learns:literal) => {
        Knob {
            name: $name,
            values: $values,
            get: |tuning: &Tuning| in_days(tuning.$($path).+),
            set: |tuning: &mut Tuning, value| tuning.$($path).+ = days(value),
            learns: $learns,
        }
    };
    ($name:literal, $($path:ident).+, $values:expr) => {
        Knob {
            name: $name,
            values: $values,
            get: |tuning: &Tuning| tuning.$($path).+,
            set: |tuning: &mut Tuning, value| tuning.$($path).+ = value,
            learns: false,
        }
    };
}

pub(super) fn signals_of(protocol: Protocol) -> Signals {
    match protocol {
        Protocol::Serenade | Protocol::Events | Protocol::EventsFrozen => &[Signal::Return, Signal::Covisit],
        Protocol::Beauty | Protocol::BeautyStreamed => &[Signal::Content, Signal::Session, Signal::Demand],
        Protocol::JourneyNext => &[Signal::Demand, Signal::Trend],
        Protocol::JourneyNovel => &[Signal::Demand, Signal::Trend, Signal::Covisit, Signal::Profile],
        Protocol::JourneyBasket => &[Signal::Demand, Signal::Trend],
        Protocol::JourneyCold => &[Signal::Content],
    }
}

pub(super) fn of(protocol: Protocol) -> Vec<Knob> {
    match protocol {
        Protocol::Serenade | Protocol::Events | Protocol::EventsFrozen => session(),
        Protocol::Beauty | Protocol::BeautyStreamed => covisit().into_iter().chain(content()).collect(),
        Protocol::JourneyNext => personal(),
        Protocol::JourneyNovel => Vec::new(),
        Protocol::JourneyBasket => same_order(),
        Protocol::JourneyCold => profile(),
    }
}

fn session() -> Vec<Knob> {
    vec![
        knob!("session.recency_step", session.recency_step, &[0.2, 0.3, 0.4, 0.5, 0.6, 0.75]),
        knob!("session.distance_step", session.distance_step, &[0.2, 0.35, 0.5, 0.6, 0.8, 0.9]),
        knob!("session.repeat", session.repeat, &[0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0]),
        knob!("session.return_power", session.return_power, &[0.0, 0.1, 0.25, 0.5, 0.75, 1.0]),
        knob!("session.backward", session.backward, &[0.3, 0.5, 0.7, 0.85, 1.0]),
        knob!("session.length_power", session.length_power, &[0.0, 0.25, 0.5, 0.75, 1.0]),
        knob!("session.age_scale in days", span session.age_scale, &[2.0, 5.0, 10.0, 20.0, 40.0, 100.0], false),
        knob!("session.idf", session.idf, &[0.0, 0.25, 0.5, 1.0]),
        knob!("session.neighbours_max", count session.neighbours_max, &[50.0, 100.0, 200.0, 300.0, 500.0, 1000.0], false),
        knob!("session.sample_max", count session.sample_max, &[100.0, 250.0, 500.0, 1000.0], false),
        knob!("session.visits_max", count session.visits_max, &[3.0, 5.0, 10.0, 20.0], false),
        knob!("covisit.recency_step", covisit.recency_step, &[0.3, 0.5, 0.7]),
        knob!("covisit.to_power", covisit.to_power, &[0.0, 0.2, 0.4]),
        knob!("covisit.from_power", covisit.from_power, &[0.0, 0.3, 0.6]),
    ]
}

fn covisit() -> Vec<Knob> {
    vec![
        knob!("covisit.recency_step", covisit.recency_step, &[0.5, 0.6, 0.7, 0.8, 0.9]),
        knob!("covisit.from_power", covisit.from_power, &[0.0, 0.3, 0.5, 0.7, 1.0]),
        knob!("covisit.to_power", covisit.to_power, &[0.0, 0.1, 0.2, 0.3, 0.5]),
        knob!("covisit.shrink", covisit.shrink, &[0.1, 0.3, 1.0, 3.0, 10.0]),
        knob!("covisit.backward", learnt covisit.backward, &[0.2, 0.35, 0.5, 0.7, 0.85, 1.0]),
        knob!("covisit.gap_half_life in days", span covisit.gap_half_life, &[0.5, 1.0, 2.0, 4.0], true),
        knob!("covisit.half_life in days", span covisit.half_life, &[30.0, 90.0, 365.0], true),
    ]
}

fn content() -> Vec<Knob> {
    vec![
        knob!("content.recency_step", content.recency_step, &[0.5, 0.7, 0.8, 0.9]),
        knob!("content.idf_power", content.idf_power, &[0.5, 1.0, 1.5]),
        knob!("content.length_power", content.length_power, &[0.5, 0.75, 1.0]),
    ]
}

fn personal() -> Vec<Knob> {
    vec![
        knob!("personal.half_life in days", span personal.half_life, &[30.0, 60.0, 90.0, 120.0, 180.0], true),
        knob!("personal.cycle", personal.cycle, &[0.0, 0.1, 0.2, 0.3, 0.5, 0.7]),
        knob!("demand_half_life in days", span demand_half_life, &[90.0, 365.0], true),
    ]
}

fn same_order() -> Vec<Knob> {
    vec![
        knob!("same_order.from_power", same_order.from_power, &[0.5, 0.6, 0.7, 0.8]),
        knob!("same_order.to_power", same_order.to_power, &[0.2, 0.25, 0.3, 0.35, 0.4]),
        knob!("same_order.shrink", same_order.shrink, &[1.0, 2.0, 5.0, 10.0, 20.0]),
        knob!("same_order.neighbours_max", count same_order.neighbours_max, &[256.0, 512.0], true),
        knob!("same_order.half_life in days", span same_order.half_life, &[120.0, 240.0, 365.0, 730.0], true),
    ]
}

fn profile() -> Vec<Knob> {
    vec![
        knob!("profile.global_power", profile.global_power, &[0.0, 0.25, 0.4, 0.5, 0.6, 0.75, 1.0]),
        knob!("profile.idf_power", profile.idf_power, &[0.0, 0.25, 0.5, 1.0]),
        knob!("profile.length_power", profile.length_power, &[0.0, 0.25, 0.5, 1.0]),
        field::<0>("profile.brand"),
        field::<1>("profile.category"),
        field::<2>("profile.attribute"),
        field::<3>("profile.title"),
        knob!("profile.half_life in days", span profile.half_life, &[45.0, 90.0, 180.0, 365.0], true),
    ]
}

/// How much one kind of feature counts in a profile.
fn field<const FIELD: usize>(name: &'static str) -> Knob {
    Knob {
        name,
        values: &[0.0, 0.1, 0.25, 0.5, 1.0, 2.0],
        get: |tuning| tuning.profile.fields[FIELD],
        set: |tuning, value| tuning.profile.fields[FIELD] = value,
        learns: false,
    }
}
