//! Looking every day must not make differences.

use super::super::interval::Certainty;
use super::super::verdict::Verdict;
use super::super::{Results, judge};
use super::random::Random;
use super::{Arms, DAYS, PLAN, conversions, evening, share_of, slack};
use crate::domain::experiment::estimate::Comparison;
use crate::domain::experiment::sums::Pair;

const EXPERIMENTS: u32 = 2_000;

fn claims_a_difference(results: &Results) -> bool {
    matches!(results.treatments[0].verdict, Verdict::Better { .. } | Verdict::Worse { .. })
}

/// How many of so many A/A experiments are ever said to have a difference: by the verdict of every day and of the end,
/// and by a test at the plan's alpha that takes each day for the only one.
fn false_claims() -> (u32, u32) {
    let experiment = conversions();
    let units_a_day = experiment.units_planned().div_ceil(u64::from(DAYS));
    let mut claimed = (0, 0);
    for seed in 0..EXPERIMENTS {
        let (mut random, mut arms) = (Random::seeded(u64::from(seed)), Arms::default());
        let (mut verdict_claims, mut naive_claims) = (false, false);
        for day in 1..=DAYS {
            let units = random.split(units_a_day);
            arms.add_conversions(&mut random, units, [PLAN.baseline; 2]);
            verdict_claims |= claims_a_difference(&judge(&experiment, &arms.reading(), evening(day)));
            naive_claims |= excludes(&arms, 0.0, Certainty::Fixed { alpha: PLAN.alpha });
        }
        claimed.0 += u32::from(verdict_claims);
        claimed.1 += u32::from(naive_claims);
    }
    claimed
}

/// Whether the interval of the change leaves the truth out.
fn excludes(arms: &Arms, truth: f64, certainty: Certainty) -> bool {
    let measure = super::conversion();
    let comparison = Comparison::of(&measure, &arms.0[0], &arms.0[1]).expect("units in both");
    let change = comparison.change(certainty);
    change.low > truth || change.high < truth
}

#[test]
fn two_thousand_experiments_without_a_difference_stay_at_or_below_alpha() {
    let (by_verdict, by_naive_looks) = false_claims();
    let allowed = PLAN.alpha + slack(PLAN.alpha, EXPERIMENTS);
    let (verdicts, naive) = (share_of(by_verdict, EXPERIMENTS), share_of(by_naive_looks, EXPERIMENTS));
    println!("false claims of {EXPERIMENTS}: verdicts {verdicts:.4}, naive looks {naive:.4}, allowed {allowed:.4}");
    assert!(verdicts <= PLAN.alpha, "{verdicts} of the experiments were given a difference they do not have");
    assert!(naive > allowed, "the check would not notice a method that peeks: {naive}");
}

/// The sequence alone, at its full alpha, from the twentieth of the plan on to three times the plan, on revenue that is
/// zero for most and lognormal for the rest: the coverage of all looks at once, where there is an effect.
#[test]
fn the_always_valid_interval_has_the_truth_at_all_looks_at_once() {
    const TRIES: u32 = 1_000;
    const LOOKS: u32 = 60;
    const UNITS_A_LOOK: u32 = 100;
    const ALPHA: f64 = 0.05;
    // A tenth buy, for exp(1 + normal): the treatment's baskets are 20 % larger.
    let mean = 0.1 * 1.5f64.exp();
    let mut missed = 0;
    for seed in 0..TRIES {
        let (mut random, mut arms) = (Random::seeded(u64::from(seed) + 1_000_000), Arms::default());
        let missed_once = (1..=LOOKS).any(|look| {
            for unit in 0..2 * UNITS_A_LOOK {
                let arm = usize::from(unit % 2 == 1);
                let y = if random.uniform() < 0.1 { (1.0 + random.normal()).exp() } else { 0.0 };
                arms.add(arm, Pair { y: if arm == 1 { 1.2 * y } else { y }, w: 0.0 });
            }
            let progress = f64::from(look) / 20.0;
            excludes(&arms, 0.2 * mean, Certainty::Always { alpha: ALPHA, progress })
        });
        missed += u32::from(missed_once);
    }
    let missed = share_of(missed, TRIES);
    println!("experiments whose always-valid interval ever misses the truth: {missed:.4}");
    assert!(missed <= ALPHA + slack(ALPHA, TRIES), "{missed}");
}
