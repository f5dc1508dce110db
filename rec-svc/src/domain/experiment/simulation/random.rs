//! Numbers that look random and are the same in every run.

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xd134_2543_de82_ef95))
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Strictly between 0 and 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    pub(super) fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Box and Muller's, one of the pair.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// How many of `n` heads: by the gaps between them.
    pub(super) fn binomial(&mut self, n: u64, p: f64) -> u64 {
        let (mut at, mut heads) = (0, 0);
        loop {
            at += self.geometric(p);
            if at > n {
                return heads;
            }
            heads += 1;
        }
    }

    /// How many tosses up to the first head, at least one.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive; saturates")]
    pub(super) fn geometric(&mut self, p: f64) -> u64 {
        ((self.uniform().ln() / (-p).ln_1p()) as u64).saturating_add(1).min(1 << 40)
    }

    /// How many of `n` fair coins fall on each side.
    pub(super) fn split(&mut self, n: u64) -> [u64; 2] {
        let words: u64 = (0..n / 64).map(|_| u64::from(self.bits().count_ones())).sum();
        let rest = (1u64 << (n % 64)) - 1;
        let one = words + u64::from((self.bits() & rest).count_ones());
        [one, n - one]
    }
}
