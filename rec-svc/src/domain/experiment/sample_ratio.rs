//! Whether the variants have as many units as they should: where not, units were lost or counted wrongly on one side,
//! and no other number means what it says.

use super::special::{chi_square_tail, ln_gamma};

/// How often a sound experiment may be said to have a mismatch, over all looks together.
pub(crate) const ALPHA: f64 = 0.0005;
/// How many units each alternative is worth: they expect shares some 5, 1.6 and 0.5 % off. Their evidence is averaged,
/// so that both a broken page among a thousand units and a leak among a million are seen.
const CONCENTRATIONS: [f64; 3] = [100.0, 1_000.0, 10_000.0];

/// What the counts say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SampleRatio {
    /// Units exposed, a variant.
    pub(crate) units: Vec<u64>,
    /// The part of them each variant should have.
    pub(crate) shares: Vec<f64>,
    /// Pearson's chi-square test, as if this look were the only one.
    pub(crate) p_value: f64,
    /// The same, valid over all looks: 1 / the evidence against the shares, at most 1.
    pub(crate) p_value_always: f64,
}

impl SampleRatio {
    /// Each look's counts are of all units so far. Under the right shares the evidence, a mean of
    /// Bayes factors of Dirichlet-distributed shares around the right ones, is a martingale that starts at 1: it ever reaches 1 / alpha
    /// with probability at most alpha (Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS
    /// 2022; Ville's inequality).
    pub(crate) fn of(units: Vec<u64>, shares: Vec<f64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 units")]
        let counts: Vec<f64> = units.iter().map(|&units| units as f64).collect();
        let total: f64 = counts.iter().sum();
        let pairs = || counts.iter().zip(&shares);
        let chi_square: f64 =
            pairs().map(|(n, share)| (n - total * share).powi(2) / (total * share).max(f64::MIN_POSITIVE)).sum();
        let evidence = |worth: f64| {
            let variant =
                |(n, share): (&f64, &f64)| ln_gamma(worth * share + n) - ln_gamma(worth * share) - n * share.ln();
            (ln_gamma(worth) - ln_gamma(worth + total) + pairs().map(variant).sum::<f64>()).exp()
        };
        let alternatives = CONCENTRATIONS.map(evidence);
        let evidence = alternatives.iter().sum::<f64>() / 3.0;
        let p_value = if total > 0.0 { chi_square_tail(chi_square, units.len() - 1) } else { 1.0 };
        Self { p_value, p_value_always: (1.0 / evidence).min(1.0), units, shares }
    }

    pub(crate) fn is_mismatch(&self) -> bool {
        self.p_value_always <= ALPHA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mismatch(units: &[u64], shares: &[f64]) -> bool {
        SampleRatio::of(units.to_vec(), shares.to_vec()).is_mismatch()
    }

    /// Fabijan et al., "Diagnosing Sample Ratio Mismatch", KDD 2019, opens with 821,588 against 815,482 of an even split.
    #[test]
    fn what_is_lost_on_one_side_is_seen() {
        assert!(mismatch(&[821_588, 815_482], &[0.5, 0.5]));
        assert!(mismatch(&[5_500, 4_500], &[0.5, 0.5]));
        assert!(mismatch(&[1_000, 780], &[0.5, 0.5]));
        assert!(mismatch(&[10_000, 10_000, 9_200], &[1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]));
        assert!(!mismatch(&[0, 0], &[0.5, 0.5]));
        assert!(!mismatch(&[5_080, 4_920], &[0.5, 0.5]));
        assert!(!mismatch(&[9_010, 990], &[0.9, 0.1]));
    }

    #[test]
    fn the_single_look_is_pearsons() {
        let ratio = SampleRatio::of(vec![5_100, 4_900], vec![0.5, 0.5]);
        // Chi-square 4 at one degree of freedom.
        assert!((ratio.p_value - 0.0455).abs() < 1e-4, "{}", ratio.p_value);
    }
}
