//! What most calls of a method take: the 95th percentile of the latest ones.

use std::time::Duration;

/// How many calls are remembered.
const REMEMBERED: usize = 128;
/// The percentile is counted anew after this many.
const COUNT_EVERY: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    /// A ring, in microseconds.
    latest: Vec<u32>,
    next: usize,
    high: Option<Duration>,
}

impl Latencies {
    pub(super) fn add(&mut self, latency: Duration) {
        let us = u32::try_from(latency.as_micros()).unwrap_or(u32::MAX);
        match self.latest.get_mut(self.next) {
            Some(slot) => *slot = us,
            None => self.latest.push(us),
        }
        self.next = (self.next + 1) % REMEMBERED;
        if self.next.is_multiple_of(COUNT_EVERY) {
            self.high = Some(self.percentile_95());
        }
    }

    /// What 95 in 100 took at most; none while too few are known.
    pub(super) fn high(&self) -> Option<Duration> {
        self.high
    }

    fn percentile_95(&self) -> Duration {
        let mut sorted = self.latest.clone();
        // The last of n is n - 1: there is one, for this is counted after an addition.
        let rank = (sorted.len() - 1) * 95 / 100;
        let (_, high, _) = sorted.select_nth_unstable(rank);
        Duration::from_micros((*high).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_twenty_is_slower_and_old_calls_are_forgotten() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.high(), None);
        for n in 1..=100 {
            latencies.add(Duration::from_millis(n));
        }
        let high = latencies.high().expect("a hundred are enough").as_millis();
        assert!((85..=96).contains(&high), "{high}");
        for _ in 0..REMEMBERED {
            latencies.add(Duration::from_millis(1));
        }
        assert_eq!(latencies.high(), Some(Duration::from_millis(1)));
    }
}
