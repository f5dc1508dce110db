//! Guardrails stop what harms, early, and rarely what does not.

use super::super::metric::Role;
use super::super::results::GuardrailState;
use super::super::verdict::Verdict;
use super::super::{Reading, judge};
use super::random::Random;
use super::{Arms, DAYS, PLAN, conversion, evening, experiment, metric, share_of, slack};

const TRIES: u32 = 500;
const MARGIN: f64 = 0.05;

/// On which day each of so many experiments is stopped, where it is, when the guardrail really changes by `lift`.
fn stops(lift: f64) -> Vec<Option<u32>> {
    let guardrail = Role::Guardrail { margin: MARGIN };
    let metrics = vec![metric("conversion", conversion(), Role::Primary), metric("checkout", conversion(), guardrail)];
    let experiment = experiment(PLAN, metrics);
    let units_a_day = experiment.units_planned().div_ceil(u64::from(DAYS));
    let run = |seed: u32| {
        let (mut random, mut primary, mut guarded) =
            (Random::seeded(u64::from(seed) + 3_000_000), Arms::default(), Arms::default());
        (1..=DAYS).find(|&day| {
            let units = random.split(units_a_day);
            primary.add_conversions(&mut random, units, [0.1; 2]);
            guarded.add_conversions(&mut random, units, [0.3, 0.3 * (1.0 + lift)]);
            let sums = [0, 1].map(|arm| vec![primary.0[arm], guarded.0[arm]]).into();
            let reading = Reading { sums, ..primary.reading() };
            let results = judge(&experiment, &reading, evening(day));
            let treatment = &results.treatments[0];
            let breached = treatment.guardrails[0].state == GuardrailState::Breached;
            assert_eq!(breached, matches!(treatment.verdict, Verdict::GuardrailBreached { .. }));
            breached
        })
    };
    (0..TRIES).map(run).collect()
}

fn stopped(stops: &[Option<u32>]) -> f64 {
    share_of(u32::try_from(stops.iter().flatten().count()).expect("few"), TRIES)
}

#[test]
fn a_change_just_at_the_margin_is_rarely_stopped_and_none_hardly_ever() {
    let at_margin = stopped(&stops(-MARGIN));
    println!("stopped at the margin: {at_margin:.4}");
    assert!(at_margin <= PLAN.alpha + slack(PLAN.alpha, TRIES), "{at_margin}");
    assert!(stopped(&stops(0.0)) <= 0.01);
}

#[test]
fn harm_is_stopped_before_the_end() {
    let stops = stops(-4.0 * MARGIN);
    assert!(stopped(&stops) > 0.95, "{}", stopped(&stops));
    let mut days: Vec<u32> = stops.into_iter().flatten().collect();
    days.sort_unstable();
    let median = days[days.len() / 2];
    println!("median day of the stop: {median}");
    assert!(median < DAYS / 2, "{median}");
}
