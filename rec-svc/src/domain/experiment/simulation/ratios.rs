//! Ratio metrics over users who differ: what a user does at one page view says much of the next.

use super::super::estimate::Comparison;
use super::super::interval::Certainty;
use super::super::metric::Measure;
use super::super::sums::{Pair, Sums};
use super::random::Random;
use super::{Arms, name, share_of, slack};

const ALPHA: f64 = 0.05;
const USERS_OF_ARM: u32 = 400;

fn click_rate() -> Measure {
    Measure::Ratio { of: name("click"), per: name("view") }
}

/// Clicks over views of one user: views are geometric (mean 10), each user clicks at a rate of their own.
fn user(random: &mut Random) -> Pair {
    let views = random.geometric(0.1);
    let rate = 0.3 * random.uniform().powi(2);
    #[expect(clippy::cast_precision_loss, reason = "some dozens")]
    let (clicks, views) = (random.binomial(views, rate) as f64, views as f64);
    Pair { y: clicks, w: views }
}

/// The variance that a ratio of clicks to views has if every view is a coin of its own.
fn naive_variance(sums: &Sums) -> f64 {
    let rate = sums.y / sums.w;
    rate * (1.0 - rate) / sums.w
}

#[test]
fn the_delta_method_holds_where_variance_by_event_fails() {
    const TRIES: u32 = 1_000;
    let (mut delta, mut naive) = (0, 0);
    for seed in 0..TRIES {
        let (mut random, mut arms) = (Random::seeded(u64::from(seed) + 7_000_000), Arms::default());
        for unit in 0..2 * USERS_OF_ARM {
            let user = user(&mut random);
            arms.add(usize::from(unit % 2 == 1), user);
        }
        let comparison = Comparison::of(&click_rate(), &arms.0[0], &arms.0[1]).expect("views in both");
        let reach = Certainty::Fixed { alpha: ALPHA }.multiplier();
        let by_event = naive_variance(&arms.0[0]) + naive_variance(&arms.0[1]);
        delta += u32::from(comparison.z(0.0).abs() > reach);
        naive += u32::from((comparison.difference(0.0).value / by_event.sqrt()).abs() > reach);
    }
    let (delta, naive) = (share_of(delta, TRIES), share_of(naive, TRIES));
    println!("false differences of a ratio: delta method {delta:.4}, variance by event {naive:.4}");
    assert!(delta <= ALPHA + slack(ALPHA, TRIES), "{delta}");
    assert!(naive > ALPHA + slack(ALPHA, TRIES), "the check would not notice variance by event: {naive}");
}

/// The delta method's standard error against what resampling whole users gives (Efron and Tibshirani, chapter 6).
#[test]
fn the_delta_method_agrees_with_the_bootstrap_by_user() {
    const RESAMPLES: usize = 1_000;
    let mut random = Random::seeded(8);
    let users: Vec<Pair> = (0..USERS_OF_ARM).map(|_| user(&mut random)).collect();
    let mut sums = Sums::default();
    users.iter().for_each(|&user| sums.add(user));
    let delta = Comparison::of(&click_rate(), &sums, &sums).expect("views").control;

    let resampled: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let (mut clicks, mut views) = (0.0, 0.0);
            for _ in 0..users.len() {
                #[expect(clippy::cast_possible_truncation, reason = "below the users' number")]
                let Pair { y, w } = users[(random.bits() % users.len() as u64) as usize];
                (clicks, views) = (clicks + y, views + w);
            }
            clicks / views
        })
        .collect();
    let mean = resampled.iter().sum::<f64>() / 1_000.0;
    let variance = resampled.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / 999.0;
    let relative = variance.sqrt() / delta.variance.sqrt();
    println!("bootstrap's error over the delta method's: {relative:.3}");
    // A thousand resamples know a deviation to 2.2 %.
    assert!((relative - 1.0).abs() < 0.08, "{relative}");
    assert!((mean - delta.value).abs() < 0.2 * delta.variance.sqrt());
}
