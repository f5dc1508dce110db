//! The planned units find the planned effect as often as the plan says, and the test's interval has the truth.

use super::super::judge;
use super::super::metric::{Covariate, Role};
use super::super::plan::Plan;
use super::super::sums::{Pair, Sums};
use super::super::verdict::Verdict;
use super::random::Random;
use super::{Arms, DAYS, PLAN, conversions, evening, experiment, metric, revenue, share_of, slack};

const TRIES: u32 = 1_000;

/// Of so many experiments: how many are said to be better at the end, and how many have the true lift in the interval.
fn at_the_end(lift: f64, experiment: &super::Experiment, mut arms: impl FnMut(&mut Random) -> Arms) -> (f64, f64) {
    let (mut better, mut covered) = (0, 0);
    for seed in 0..TRIES {
        let arms = arms(&mut Random::seeded(u64::from(seed) + 2_000_000));
        let results = judge(experiment, &arms.reading(), evening(DAYS));
        let treatment = &results.treatments[0];
        better += u32::from(matches!(treatment.verdict, Verdict::Better { .. }));
        let interval = treatment.primary.as_ref().and_then(|finding| finding.lift()).expect("a mean far from zero");
        covered += u32::from(interval.low <= lift && lift <= interval.high);
    }
    println!("power {:.3}, coverage {:.3}", share_of(better, TRIES), share_of(covered, TRIES));
    (share_of(better, TRIES), share_of(covered, TRIES))
}

fn check(plan: Plan, (power, coverage): (f64, f64)) {
    let level = 1.0 - plan.alpha_at_end(1);
    assert!((power - plan.power).abs() <= slack(plan.power, TRIES), "power {power}, planned {}", plan.power);
    assert!((coverage - level).abs() <= slack(level, TRIES), "coverage {coverage}, stated {level}");
}

#[test]
fn a_proportions_planned_units_have_the_planned_power_and_coverage() {
    let experiment = conversions();
    let units = experiment.units_planned();
    let rates = [PLAN.baseline, PLAN.baseline * (1.0 + PLAN.effect_min)];
    let found = at_the_end(PLAN.effect_min, &experiment, |random| {
        let mut arms = Arms::default();
        let units = random.split(units);
        arms.add_conversions(random, units, rates);
        arms
    });
    check(PLAN, found);
}

#[test]
fn a_skewed_means_planned_units_have_the_planned_power_and_coverage() {
    // Exponential: mean and deviation are both 20; the treatment only adds.
    let plan = Plan { baseline: 20.0, deviation: Some(20.0), effect_min: 0.15, alpha: 0.1, power: 0.9 };
    let experiment = experiment(plan, vec![metric("revenue", revenue(Covariate::None), Role::Primary)]);
    let units = experiment.units_planned();
    let found = at_the_end(plan.effect_min, &experiment, |random| {
        let mut arms = Arms::default();
        for (arm, units) in random.split(units).into_iter().enumerate() {
            let added = if arm == 1 { plan.effect_min * plan.baseline } else { 0.0 };
            for _ in 0..units {
                arms.add(arm, Pair { y: added - plan.baseline * random.uniform().ln(), w: 0.0 });
            }
        }
        arms
    });
    check(plan, found);
}

#[test]
fn too_few_or_equal_units_are_no_finding() {
    let experiment = conversions();
    let mut arms = Arms::default();
    assert_eq!(
        judge(&experiment, &arms.reading(), evening(1)).treatments[0].verdict.to_string(),
        "too early: 0 units are in, and below 1576 no interval can be trusted"
    );
    arms.0 = [Sums { units: 1_000, ..Sums::default() }; 2];
    let results = judge(&experiment, &arms.reading(), evening(1));
    assert_eq!(results.treatments[0].verdict.to_string(), "too early: the metric is the same for every unit");
}
