//! Which of many metrics to look into: Benjamini and Hochberg, "Controlling the False Discovery Rate", JRSS B 1995.

/// For each p-value whether it is a discovery. At most `rate` of the discoveries are false on average, where the tests are
/// independent or positively dependent (Benjamini and Yekutieli 2001), as metrics of one shop mostly are.
pub(super) fn discoveries(p_values: &[f64], rate: f64) -> Vec<bool> {
    let mut ascending: Vec<f64> = p_values.to_vec();
    ascending.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "some dozens")]
    let allowed = |rank: usize| rate * rank as f64 / p_values.len() as f64;
    let threshold = ascending.iter().enumerate().rev().find(|(index, p)| **p <= allowed(index + 1)).map(|(_, p)| *p);
    p_values.iter().map(|p| threshold.is_some_and(|threshold| *p <= threshold)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paper's own example (section 3.2): fifteen tests, four discoveries at 5 %.
    #[test]
    fn the_papers_example_has_its_four_discoveries() {
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.000,
        ];
        let found = discoveries(&p, 0.05);
        assert_eq!(found.iter().filter(|&&found| found).count(), 4);
        assert!(found[..4].iter().all(|&found| found));
        assert!(discoveries(&[], 0.05).is_empty());
    }

    #[test]
    fn a_large_p_value_may_pull_smaller_ones_in() {
        assert_eq!(discoveries(&[0.04, 0.045, 0.05], 0.05), [true, true, true]);
        assert_eq!(discoveries(&[0.04, 0.045, 0.06], 0.05), [false, false, false]);
    }
}
