//! Scores of products while they are being summed up.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::table::Slot;

/// One score a product, 0 for those not named. Each product's sum runs in the order of the calls, so it has the same
/// bits however the map inside lies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sums(HashMap<Slot, f64, BuildHasherDefault<SlotHasher>>);

impl Sums {
    pub(crate) fn add(&mut self, slot: Slot, score: f64) {
        *self.0.entry(slot).or_insert(0.0) += score;
    }

    pub(crate) fn get(&self, slot: Slot) -> f64 {
        self.0.get(&slot).copied().unwrap_or(0.0)
    }

    /// The largest score, at least 0.
    pub(crate) fn max(&self) -> f64 {
        self.0.values().copied().fold(0.0, f64::max)
    }

    pub(crate) fn scale(&mut self, slot: Slot, factor: f64) {
        if let Some(sum) = self.0.get_mut(&slot) {
            *sum *= factor;
        }
    }

    /// In no order: sort before anything depends on it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, f64)> {
        self.0.iter().map(|(slot, sum)| (*slot, *sum))
    }
}

/// Slots are small dense numbers: one multiplication spreads them well enough.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SlotHasher(u64);

/// 2^64 over the golden ratio (Knuth, TAOCP 6.4).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for SlotHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0.rotate_left(5) ^ u64::from(number)).wrapping_mul(SPREAD);
    }
}
