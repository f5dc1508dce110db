//! CUPED: less noise, the same truth.

use super::super::estimate::Comparison;
use super::super::interval::Certainty;
use super::super::metric::Covariate;
use super::super::sums::Pair;
use super::random::Random;
use super::{Arms, revenue, share_of, slack};

const TRIES: u32 = 1_000;
const UNITS: u32 = 600;
const ALPHA: f64 = 0.05;
const MEAN: f64 = 50.0;
const LIFT: f64 = 0.02;
/// How what a unit did before goes with what it does after.
const CORRELATION: f64 = 0.8;

fn arms(random: &mut Random) -> Arms {
    let mut arms = Arms::default();
    for unit in 0..UNITS {
        let arm = usize::from(unit % 2 == 1);
        let (before, own) = (random.normal(), random.normal());
        let after = CORRELATION * before + (1.0 - CORRELATION * CORRELATION).sqrt() * own;
        let lift = if arm == 1 { LIFT * MEAN } else { 0.0 };
        arms.add(arm, Pair { y: MEAN + lift + 10.0 * after, w: 40.0 + 10.0 * before });
    }
    arms
}

#[test]
fn the_time_before_takes_noise_away_and_adds_no_bias() {
    let certainty = Certainty::Fixed { alpha: ALPHA };
    let (mut bias, mut variances, mut covered) = (0.0, (0.0, 0.0), (0, 0));
    for seed in 0..TRIES {
        let arms = arms(&mut Random::seeded(u64::from(seed) + 9_000_000));
        let compare = |covariate| Comparison::of(&revenue(covariate), &arms.0[0], &arms.0[1]).expect("units");
        let (plain, adjusted) = (compare(Covariate::None), compare(Covariate::Before));
        let has = |low: f64, high: f64, truth: f64| u32::from(low <= truth && truth <= high);
        let (change, lift) = (adjusted.change(certainty), adjusted.lift(certainty).expect("far from zero"));
        bias += adjusted.difference(0.0).value - LIFT * MEAN;
        variances.0 += plain.difference(0.0).variance;
        variances.1 += adjusted.difference(0.0).variance;
        covered.0 += has(change.low, change.high, LIFT * MEAN);
        covered.1 += has(lift.low, lift.high, LIFT);
    }
    let (bias, ratio) = (bias / f64::from(TRIES), variances.1 / variances.0);
    let error = (variances.1 / f64::from(TRIES) / f64::from(TRIES)).sqrt();
    println!("CUPED: variance {ratio:.3} of the plain one, bias {bias:.4}, coverage {covered:?} of {TRIES}");
    assert!((ratio - (1.0 - CORRELATION * CORRELATION)).abs() < 0.02, "{ratio}");
    assert!(bias.abs() < 3.3 * error, "a bias of {bias}, noise {error}");
    for covered in [covered.0, covered.1] {
        let missed = 1.0 - share_of(covered, TRIES);
        assert!((missed - ALPHA).abs() <= slack(ALPHA, TRIES), "{missed}");
    }
}

/// A covariate that says nothing costs nothing, and one that never varies is left alone.
#[test]
fn a_useless_covariate_does_no_harm() {
    let mut random = Random::seeded(10);
    let mut noise = Arms::default();
    let mut still = Arms::default();
    for unit in 0..2_000 {
        let (y, w) = (random.normal(), random.normal());
        noise.add(unit % 2, Pair { y: 5.0 + y, w });
        still.add(unit % 2, Pair { y: 5.0 + y, w: 1.0 });
    }
    for arms in [noise, still] {
        let compare = |covariate| Comparison::of(&revenue(covariate), &arms.0[0], &arms.0[1]).expect("units");
        let (plain, adjusted) = (compare(Covariate::None).difference(0.0), compare(Covariate::Before).difference(0.0));
        assert!((adjusted.variance / plain.variance - 1.0).abs() < 0.005);
        assert!((adjusted.value - plain.value).abs() < 0.2 * plain.variance.sqrt());
    }
}
