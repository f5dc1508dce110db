//! The few functions of probability that everything else is made of, as statrs has them.

use statrs::distribution::{ChiSquared, ContinuousCDF as _, Normal};
pub(super) use statrs::function::gamma::ln_gamma;

/// What a standard normal variable is below with probability `p`, which is strictly between 0 and 1.
pub(super) fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// How often a standard normal variable is at least this far from zero, either way.
pub(super) fn normal_two_sided(z: f64) -> f64 {
    2.0 * Normal::standard().sf(z.abs())
}

/// How often a chi-square variable with `freedom` degrees (at least 1) exceeds `x`.
pub(super) fn chi_square_tail(x: f64, freedom: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a handful of variants")]
    ChiSquared::new(freedom as f64).map_or(1.0, |distribution| distribution.sf(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, published: f64, within: f64) {
        assert!((found - published).abs() <= within, "{found} is not {published}");
    }

    /// NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.1 and 1.3.6.7.4; further digits from Abramowitz and
    /// Stegun, tables 26.1 and 26.5.
    #[test]
    fn they_are_what_the_tables_say() {
        for (p, z) in [(0.5, 0.0), (0.8, 0.841_621), (0.9, 1.281_552), (0.975, 1.959_964), (0.995, 2.575_829)] {
            close(normal_quantile(p), z, 1e-6);
            close(normal_quantile(1.0 - p), -z, 1e-6);
        }
        for (z, p) in [(1.0, 0.317_311), (1.959_964, 0.05), (-3.0, 0.002_699_8), (5.0, 5.733e-7)] {
            close(normal_two_sided(z), p, 5e-6 * p.max(0.1));
        }
        for (x, freedom, p) in [
            (3.841_459, 1, 0.05),
            (5.991_465, 2, 0.05),
            (16.918_978, 9, 0.05),
            (10.827_566, 1, 0.001),
            (29.588_298, 10, 0.001),
        ] {
            close(chi_square_tail(x, freedom), p, 1e-6 * p.max(0.01));
        }
        close(ln_gamma(10.0), 362_880.0f64.ln(), 1e-10);
        close(ln_gamma(0.5), 0.5 * std::f64::consts::PI.ln(), 1e-12);
    }
}
