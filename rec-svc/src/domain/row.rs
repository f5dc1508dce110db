//! The products that go with one product, each with a decaying sum.

use super::decay::Decayed;
use super::table::Slot;

/// One newcomer may wait for this many kept: without that room a full row would never let a new neighbour grow.
const KEPT_PER_NEWCOMER: usize = 2;

/// Sorted by slot; bounded by what [`Row::add`] is told; the weakest are forgotten first.
#[derive(Debug, Default)]
pub(crate) struct Row(Vec<(Slot, Decayed)>);

impl Row {
    /// Adds to one neighbour's sum. Of more than `len_max` + half as many, the `len_max` largest stay.
    pub(crate) fn add(&mut self, slot: Slot, weight: Decayed, len_max: usize) {
        match self.0.binary_search_by_key(&slot, |(known, _)| *known) {
            Ok(at) => self.0[at].1 = self.0[at].1.plus(weight),
            Err(at) => {
                self.0.insert(at, (slot, weight));
                if self.0.len() > Self::len_bound(len_max) {
                    self.0.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
                    self.0.truncate(len_max);
                    self.0.sort_unstable_by_key(|(slot, _)| *slot);
                }
            }
        }
    }

    /// The most entries a row told to keep `len_max` ever has.
    pub(crate) fn len_bound(len_max: usize) -> usize {
        len_max + len_max / KEPT_PER_NEWCOMER
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, Decayed)> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::event::Time;
    use super::super::table::Table;
    use super::*;

    #[test]
    fn a_full_row_keeps_its_strongest_and_lets_newcomers_grow() {
        let mut table = Table::<u32, ()>::new(100);
        let slots: Vec<Slot> = (0..20).map(|key| table.touch(&key).slot).collect();
        let weight = |units| Decayed::new(units, Time::default(), Duration::from_secs(1));
        let mut row = Row::default();
        for slot in &slots[..4] {
            row.add(*slot, weight(9.0), 4);
        }
        for slot in &slots[4..] {
            row.add(*slot, weight(1.0), 4);
            row.add(*slot, weight(f64::from(slot.number() as u32)), 4);
            assert!(row.iter().count() <= Row::len_bound(4));
        }
        let kept: Vec<Slot> = row.iter().map(|(slot, _)| slot).collect();
        assert!(kept.contains(&slots[19]), "the newest had time to grow");
        assert!(kept.is_sorted());
    }
}
