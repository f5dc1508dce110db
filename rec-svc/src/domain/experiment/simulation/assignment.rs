//! Assignment: even, independent between layers, and never changing its mind.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::Variant;
use super::super::allocation::Variants;
use super::super::design::{ChangeError, Design, Experiment, Phase};
use super::super::flag::{Flag, FlagDesign};
use super::super::hash::{BUCKETS, Purpose, Share, draw};
use super::super::layer::{Buckets, Layer, Standing};
use super::super::metric::Role;
use super::super::name::{Unit, UnitKind};
use super::super::special::chi_square_tail;
use super::{DAY_MS, DAYS, PLAN, conversion, evening, metric, name};
use crate::domain::Time;

const UNITS: u32 = 100_000;
/// The seeds are fixed: a p-value below this is a bad hash, not bad luck.
const P_MIN: f64 = 0.001;

fn unit(n: u32) -> Unit {
    format!("customer-{n}").parse().expect("a unit")
}

fn share(millionths: u32) -> Share {
    Share::from_millionths(millionths).expect("a share")
}

fn layer(id: &str, holdout: u32) -> Layer {
    Layer { id: name(id), holdout: share(holdout) }
}

fn design(id: &str) -> Design {
    Design { id: name(id), ..super::design(PLAN, vec![metric("conversion", conversion(), Role::Primary)]) }
}

fn sound(design: Design) -> Experiment {
    Experiment::new(design, None).expect("a sound design")
}

fn weights(weights: &[u32]) -> Vec<Variant> {
    let variant = |(no, &weight): (usize, &u32)| Variant { name: name(&format!("v{no}")), weight };
    weights.iter().enumerate().map(variant).collect()
}

/// Pearson's test that counts are as expected.
fn p_value(counts: impl Iterator<Item = (u32, f64)>, freedom: usize) -> f64 {
    let chi_square: f64 = counts.map(|(count, expected)| (f64::from(count) - expected).powi(2) / expected).sum();
    chi_square_tail(chi_square, freedom)
}

#[test]
fn buckets_are_even_for_ids_of_every_habit() {
    const BINS: u32 = 100;
    let habits: [fn(u32) -> String; 3] =
        [|n| n.to_string(), |n| format!("{n:032x}"), |n| format!("shop/{n}@example.com")];
    for (purpose, habit) in [Purpose::Layer, Purpose::Ramp, Purpose::Variant, Purpose::Holdout]
        .into_iter()
        .flat_map(|purpose| habits.map(|habit| (purpose, habit)))
    {
        let mut counts = [0u32; BINS as usize];
        for n in 0..UNITS {
            let unit = habit(n).parse().expect("a unit");
            counts[draw(purpose, Some(&name("salt")), &unit, BINS) as usize] += 1;
        }
        let expected = f64::from(UNITS / BINS);
        let p = p_value(counts.into_iter().map(|count| (count, expected)), BINS as usize - 1);
        assert!(p > P_MIN, "{purpose:?} of {:?}: p = {p}", habit(7));
    }
}

#[test]
fn layers_purposes_and_salts_are_independent() {
    const BINS: u32 = 10;
    let pairs = [
        ((Purpose::Layer, "page"), (Purpose::Layer, "price")),
        ((Purpose::Layer, "page"), (Purpose::Variant, "page")),
        ((Purpose::Ramp, "button"), (Purpose::Variant, "button")),
        ((Purpose::Variant, "button-1"), (Purpose::Variant, "button-2")),
        ((Purpose::Holdout, "page"), (Purpose::Layer, "page")),
    ];
    for ((purpose, salt), (other, other_salt)) in pairs {
        let mut table = [0u32; (BINS * BINS) as usize];
        for n in 0..UNITS {
            let one = draw(purpose, Some(&name(salt)), &unit(n), BINS);
            table[(one * BINS + draw(other, Some(&name(other_salt)), &unit(n), BINS)) as usize] += 1;
        }
        let expected = f64::from(UNITS / BINS / BINS);
        let p = p_value(table.into_iter().map(|count| (count, expected)), (BINS * BINS) as usize - 1);
        assert!(p > P_MIN, "{purpose:?} {salt} and {other:?} {other_salt}: p = {p}");
    }
}

/// While the ramp is low, too: whom it comes to first says nothing of their variant.
#[test]
fn weights_are_respected_at_every_ramp() {
    for ramp in [100_000, BUCKETS] {
        let design = Design { variants: weights(&[5, 3, 1, 1]), ramp: share(ramp), ..design("button") };
        let (experiment, layer) = (sound(design.clone()), layer("page", 0));
        let mut counts = [0u32; 4];
        for n in 0..UNITS {
            if let Standing::In(no) = experiment.standing(&layer, &unit(n), evening(1)) {
                counts[no] += 1;
            }
        }
        let all = f64::from(counts.iter().sum::<u32>());
        let shares = Variants::new(design.variants).expect("variants").shares();
        let p = p_value(counts.into_iter().zip(shares.into_iter().map(|share| share * all)), 3);
        assert!(p > P_MIN, "{counts:?} at {ramp}: p = {p}");
        assert!((all / f64::from(UNITS) - f64::from(ramp) / 1e6).abs() < 0.005, "{all}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_rising_ramp_only_adds_units_and_switches_none(
        salt in "[a-z]{1,12}", ramps in prop::collection::vec(0u32..=BUCKETS, 2..6), parts in prop::collection::vec(1u32..100, 2..5),
    ) {
        let mut ramps = ramps;
        ramps.sort_unstable();
        let layer = layer("page", 50_000);
        let at = |ramp: u32| sound(Design { ramp: share(ramp), variants: weights(&parts), ..design(&salt) });
        let steps: Vec<Experiment> = ramps.into_iter().map(at).collect();
        for n in 0..300 {
            let mut was = None;
            for step in &steps {
                match step.standing(&layer, &unit(n), evening(1)) {
                    Standing::In(no) => {
                        prop_assert!(was.is_none_or(|was| was == no), "switched");
                        was = Some(no);
                    }
                    _ => prop_assert!(was.is_none(), "left"),
                }
            }
        }
    }

    #[test]
    fn experiments_of_a_layer_never_share_a_unit(cut in 1u32..BUCKETS, seed in 0u32..1_000_000) {
        let of = |id: &str, from, to| sound(Design { buckets: Buckets::new(from, to).expect("buckets"), ..design(id) });
        let (one, other) = (of("one", 0, cut), of("other", cut, BUCKETS));
        for n in seed..seed + 100 {
            let is_in = |experiment: &Experiment| matches!(experiment.standing(&layer("page", 0), &unit(n), evening(1)), Standing::In(_));
            prop_assert!(is_in(&one) != is_in(&other), "in exactly one");
        }
    }

    #[test]
    fn layers_hold_out_the_same_units(small in 0u32..BUCKETS, more in 0u32..BUCKETS, seed in 0u32..1_000_000) {
        let large = (small + more).min(BUCKETS);
        for n in seed..seed + 100 {
            let held = |layer: &Layer| sound(design("x")).standing(layer, &unit(n), evening(1)) == Standing::HeldOut;
            prop_assert!(!held(&layer("a", small)) || held(&layer("b", large)));
        }
    }
}

#[test]
fn overrides_win_and_never_count() {
    let overrides = BTreeMap::from([(unit(1), name("green"))]);
    let experiment = sound(Design { overrides, ramp: share(0), ..design("button") });
    let layer = layer("page", BUCKETS);
    assert_eq!(experiment.standing(&layer, &unit(1), evening(1)), Standing::Overridden(1));
    assert_eq!(experiment.standing(&layer, &unit(2), evening(1)), Standing::HeldOut);
    assert_eq!(experiment.standing(&layer, &unit(2), evening(DAYS)), Standing::NotRunning);
}

#[test]
fn once_started_only_the_ramp_may_rise() {
    let old = Design { ramp: share(100_000), starts_at_ms: DAY_MS, ..design("button") };
    let experiment = sound(old.clone());
    let changed = |next: &Design, day| experiment.check_change(next, evening(day));
    let lower = Design { ramp: share(99_999), ..old.clone() };
    assert_eq!(changed(&lower, 0), Ok(()));
    assert_eq!(changed(&Design { ramp: share(500_000), ..old.clone() }, 2), Ok(()));
    assert_eq!(changed(&lower, 2), Err(ChangeError::RampFalls { from: 100_000, to: 99_999 }));
    let weighted = Design { variants: weights(&[1, 2]), ..old.clone() };
    assert_eq!(changed(&weighted, 2), Err(ChangeError::Started("variants")));
    assert_eq!(
        changed(&Design { ends_at_ms: old.ends_at_ms + 1, ..old.clone() }, 2),
        Err(ChangeError::Started("ends_at"))
    );
    assert_eq!(changed(&lower, DAYS), Err(ChangeError::Over));
    assert_eq!(changed(&old, DAYS), Ok(()));
}

#[test]
fn a_stopped_experiment_has_no_planned_test() {
    let stopped = Experiment::new(design("button"), Time::from_ms(DAY_MS)).expect("a sound design");
    assert_eq!(stopped.phase(evening(DAYS)), Phase::Stopped);
    assert_eq!(stopped.standing(&layer("page", 0), &unit(1), evening(2)), Standing::NotRunning);
    assert_eq!(sound(design("button")).phase(evening(DAYS)), Phase::Ended);
}

#[test]
fn a_flag_ramps_like_an_experiment_and_off_is_off() {
    let design = FlagDesign {
        id: name("new-search"),
        description: String::new(),
        unit: UnitKind::Session,
        variants: weights(&[1, 9]),
        ramp: share(0),
        enabled: true,
        overrides: BTreeMap::from([(unit(1), name("v1"))]),
    };
    let flag = |ramp, enabled| Flag::new(FlagDesign { ramp: share(ramp), enabled, ..design.clone() }).expect("a flag");
    let on = |flag: &Flag| (0..1_000).filter(|&n| *flag.variant_of(&unit(n)) == name("v1")).collect::<Vec<_>>();
    assert_eq!(on(&flag(0, true)), [1]);
    assert!(on(&flag(BUCKETS, false)).is_empty());
    let (some, all) = (on(&flag(300_000, true)), on(&flag(BUCKETS, true)));
    assert!(
        some.iter().all(|n| all.contains(n)) && (200..350).contains(&some.len()) && (860..940).contains(&all.len())
    );
}
