//! Sums of weights that halve with every half-life.

use std::cmp::Ordering;
use std::time::Duration;

use super::event::Time;

/// A decaying sum that needs no clock: forward decay (Cormode et al., "Forward Decay", ICDE 2009). A weight given at
/// `t` counts `weight * 2^(t / half-life)`, so newer weights are larger instead of older ones smaller, and two sums of
/// one half-life compare the same at any moment. The exponent is kept apart, or it would overflow within years.
///
/// Only IEEE additions, multiplications and divisions: the same bits on every machine, which `exp2` does not promise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decayed {
    exponent: i32,
    /// In [1, 2), or 0 where nothing was added.
    mantissa: f64,
}

impl Decayed {
    pub(crate) const ZERO: Self = Self { exponent: i32::MIN, mantissa: 0.0 };

    /// A positive weight given at `time`.
    pub(crate) fn new(weight: f64, time: Time, half_life: Duration) -> Self {
        let (half_lives, fraction) = divide(time.ms(), half_life);
        Self::normalised(weight * exp2_of_fraction(fraction), half_lives)
    }

    pub(crate) fn is_zero(self) -> bool {
        self.mantissa == 0.0
    }

    /// The same sum whichever of the two comes first.
    #[must_use]
    pub(crate) fn plus(self, other: Self) -> Self {
        let (large, small) = if self >= other { (self, other) } else { (other, self) };
        if small.is_zero() {
            return large;
        }
        let shift = small.exponent.saturating_sub(large.exponent);
        Self::normalised(large.mantissa + small.mantissa * power_of_two(shift), large.exponent)
    }

    /// How many times `whole` this is; 0 where `whole` is nothing.
    pub(crate) fn share_of(self, whole: Self) -> f64 {
        if self.is_zero() || whole.is_zero() {
            return 0.0;
        }
        self.mantissa / whole.mantissa * power_of_two(self.exponent.saturating_sub(whole.exponent))
    }

    /// For digests: equal sums, equal bits.
    pub(crate) fn bits(self) -> (i32, u64) {
        (self.exponent, self.mantissa.to_bits())
    }

    fn normalised(value: f64, exponent: i32) -> Self {
        if value <= 0.0 {
            return Self::ZERO;
        }
        let biased = i32::try_from((value.to_bits() >> 52) & 0x7ff).unwrap_or(1023);
        let shift = biased - 1023;
        Self { exponent: exponent.saturating_add(shift), mantissa: value * power_of_two(-shift) }
    }
}

impl Default for Decayed {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Ord for Decayed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.exponent.cmp(&other.exponent).then(self.mantissa.total_cmp(&other.mantissa))
    }
}

impl PartialOrd for Decayed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decayed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decayed {}

/// What is left of 1 after `age`.
pub(crate) fn fade(age: Duration, half_life: Duration) -> f64 {
    let (half_lives, fraction) = divide(i64::try_from(age.as_millis()).unwrap_or(i64::MAX), half_life);
    power_of_two(half_lives.saturating_neg()) / exp2_of_fraction(fraction)
}

/// Whole half-lives, and the rest in [0, 1).
fn divide(ms: i64, half_life: Duration) -> (i32, f64) {
    let half_life_ms = i64::try_from(half_life.as_millis()).unwrap_or(i64::MAX).max(1);
    let whole = i32::try_from(ms / half_life_ms).unwrap_or(i32::MAX / 2);
    #[expect(clippy::cast_precision_loss, reason = "a half-life of years still has less than 53 bits of milliseconds")]
    let fraction = (ms % half_life_ms) as f64 / half_life_ms as f64;
    (whole, fraction)
}

/// 2^fraction for a fraction in [0, 1): Taylor's series of e^(x ln 2), whose 18th term is below 1e-18.
fn exp2_of_fraction(fraction: f64) -> f64 {
    let x = fraction * std::f64::consts::LN_2;
    (1..=17).rev().fold(1.0, |sum, k| 1.0 + sum * x / f64::from(k))
}

/// 2^n; 0 and the largest power where that is out of an f64's range.
fn power_of_two(n: i32) -> f64 {
    match u64::try_from(n.min(1023).saturating_add(1023)) {
        Ok(biased) if biased > 0 => f64::from_bits(biased << 52),
        Ok(_) | Err(_) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn at(ms: i64) -> Time {
        Time::from_ms(ms).expect("after 1970")
    }

    #[test]
    fn a_weight_halves_with_every_half_life() {
        let (old, new) = (Decayed::new(4.0, at(0), DAY), Decayed::new(1.0, at(2 * 86_400_000), DAY));
        assert_eq!(old, new);
        assert!((fade(DAY / 2, DAY) - 0.5f64.sqrt()).abs() < 1e-15);
        assert!((fade(3 * DAY, DAY) - 0.125).abs() < 1e-15);
    }

    #[test]
    fn sums_stay_finite_over_centuries() {
        let (then, now) = (Decayed::new(6.0, at(0), DAY), Decayed::new(1.0, at(86_400_000 * 365 * 500), DAY));
        assert_eq!(then.plus(now), now);
        assert!(then.share_of(now).abs() < f64::EPSILON);
        assert!(now.share_of(then).is_finite());
    }

    proptest! {
        #[test]
        fn fading_is_monotone(age in 0u64..200_000_000_000, later in 1u64..1_000_000_000) {
            let (young, old) = (Duration::from_millis(age), Duration::from_millis(age + later));
            prop_assert!(fade(young, DAY) >= fade(old, DAY));
        }

        #[test]
        fn a_newer_weight_is_larger(ms in 0i64..4_000_000_000_000, later in 1i64..1_000_000_000, weight in 0.01f64..100.0) {
            prop_assert!(Decayed::new(weight, at(ms), DAY) < Decayed::new(weight, at(ms + later), DAY));
        }

        #[test]
        fn addition_commutes_and_grows(a in 0i64..4_000_000_000_000, b in 0i64..4_000_000_000_000, weight in 0.01f64..100.0) {
            let (a, b) = (Decayed::new(weight, at(a), DAY), Decayed::new(1.0, at(b), DAY));
            prop_assert_eq!(a.plus(b), b.plus(a));
            prop_assert!(a.plus(b) >= a.max(b));
            let whole = a.plus(b);
            prop_assert!((a.share_of(whole) + b.share_of(whole) - 1.0).abs() < 1e-12);
        }
    }
}
