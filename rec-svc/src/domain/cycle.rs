//! How long a product lasts those who buy it again.

use std::time::Duration;

/// Buying again sooner than this is the same shopping.
const GAP_MIN: Duration = Duration::from_secs(86_400);
/// Intervals known before a product's own mean counts as much as the shop's.
const PRIOR_GAPS: f64 = 5.0;
/// What is taken for an interval before any was seen.
const PRIOR_DAYS: f64 = 30.0;

/// The mean of the logarithms of the intervals between two purchases by the same shopper.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Cycle {
    gaps: u32,
    ln_days: f64,
}

impl Cycle {
    /// Takes in the interval between two purchases.
    pub(crate) fn record(&mut self, gap: Duration) {
        if gap >= GAP_MIN {
            self.gaps = self.gaps.saturating_add(1);
            self.ln_days += ln(gap.as_secs_f64() / 86_400.0);
        }
    }

    /// The usual interval in days: the product's own as far as it is known.
    pub(crate) fn days(&self) -> f64 {
        let gaps = f64::from(self.gaps);
        ((self.ln_days + PRIOR_GAPS * PRIOR_DAYS.ln()) / (gaps + PRIOR_GAPS)).exp()
    }

    pub(crate) fn bits(&self) -> (u32, u64) {
        (self.gaps, self.ln_days.to_bits())
    }
}

/// ln x for x >= 1 by IEEE operations alone, so that it has the same bits on every machine: the exponent, and the
/// series of 2 artanh((m - 1) / (m + 1)) for the mantissa in [1, 2), whose 20th term is below 1e-19.
fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = f64::from(i32::try_from((bits >> 52) & 0x7ff).unwrap_or(1023) - 1023);
    let mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let series = (0..20).rev().fold(0.0, |sum, k| sum * z * z + 1.0 / f64::from(2 * k + 1));
    exponent * std::f64::consts::LN_2 + 2.0 * z * series
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn the_logarithm_is_one() {
        for x in [1.0, 1.5, 1.999, 2.0, 7.25, 365.0, 1e9] {
            assert!((ln(x) - f64::ln(x)).abs() < 1e-13, "{x}");
        }
    }

    #[test]
    fn the_interval_goes_from_the_shops_to_the_products_own() {
        let mut cycle = Cycle::default();
        assert!((cycle.days() - PRIOR_DAYS).abs() < 1e-9);
        cycle.record(DAY / 2);
        assert_eq!(cycle, Cycle::default(), "one shopping is no interval");
        for _ in 0..1_000 {
            cycle.record(7 * DAY);
        }
        assert!((cycle.days() - 7.0).abs() < 0.1, "{}", cycle.days());
    }
}
