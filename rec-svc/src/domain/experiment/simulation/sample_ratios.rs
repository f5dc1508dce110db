//! The sample-ratio check, looked at every day.

use super::super::judge;
use super::super::sample_ratio::{ALPHA, SampleRatio};
use super::super::verdict::Verdict;
use super::random::Random;
use super::{Arms, DAYS, conversions, evening, share_of, slack};

/// Whether a mismatch is ever said, by the check and by Pearson's test as if each day were the only one, when each unit
/// of the treatment is lost with a probability.
fn ever_mismatched(seed: u64, days: u32, units_a_day: u64, loss: f64) -> (bool, bool) {
    let mut random = Random::seeded(seed);
    let (mut units, mut said) = ([0u64; 2], (false, false));
    for _ in 0..days {
        let [control, treatment] = random.split(units_a_day);
        let lost = if loss > 0.0 { random.binomial(treatment, loss) } else { 0 };
        units = [units[0] + control, units[1] + treatment - lost];
        let ratio = SampleRatio::of(units.to_vec(), vec![0.5, 0.5]);
        said.0 |= ratio.is_mismatch();
        said.1 |= ratio.p_value <= ALPHA;
    }
    said
}

#[test]
fn sound_experiments_are_rarely_blocked_over_a_hundred_looks() {
    const TRIES: u32 = 4_000;
    let (mut sequential, mut naive) = (0, 0);
    for seed in 0..TRIES {
        let said = ever_mismatched(u64::from(seed) + 4_000_000, 100, 256, 0.0);
        sequential += u32::from(said.0);
        naive += u32::from(said.1);
    }
    let (sequential, naive) = (share_of(sequential, TRIES), share_of(naive, TRIES));
    println!("blocked though sound: {sequential:.5}, with a chi-square test a day {naive:.5}");
    assert!(sequential <= ALPHA + slack(ALPHA, TRIES));
    assert!(naive > ALPHA + slack(ALPHA, TRIES), "the check would not notice a test that peeks");
}

#[test]
fn three_percent_lost_on_one_side_are_seen() {
    let seen = (0..100).filter(|seed| ever_mismatched(5_000_000 + seed, DAYS, 10_000, 0.03).0).count();
    assert!(seen >= 99, "{seen} of 100");
}

#[test]
fn a_mismatch_blocks_the_clearest_difference() {
    let (mut random, mut arms) = (Random::seeded(6), Arms::default());
    arms.add_conversions(&mut random, [10_000, 9_000], [0.1, 0.2]);
    let results = judge(&conversions(), &arms.reading(), evening(DAYS));
    let verdict = &results.treatments[0].verdict;
    assert!(matches!(verdict, Verdict::SampleRatioMismatch { .. }), "{verdict:?}");
    assert!(verdict.to_string().starts_with("no verdict: "), "{verdict}");
}
