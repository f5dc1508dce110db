//! Entries in numbered slots, found by key; what was written to longest ago is forgotten first.

use std::collections::HashMap;
use std::hash::Hash;

/// Where an entry lies: valid until the entry is forgotten, never valid for the one that takes its slot. What other
/// entries remember of it costs eight bytes and no hashing of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot {
    number: u32,
    generation: u32,
}

impl Slot {
    /// Below the table's bound: for arrays beside the table.
    pub(crate) fn number(self) -> usize {
        self.number as usize
    }
}

/// At most `len_max` entries. Only writes count as use, so that a table fed from the log is a function of the log.
#[derive(Debug)]
pub(crate) struct Table<K, V> {
    slots: HashMap<K, u32>,
    entries: Vec<Entry<K, V>>,
    oldest: u32,
    newest: u32,
    len_max: usize,
}

#[derive(Debug)]
struct Entry<K, V> {
    key: K,
    value: V,
    generation: u32,
    /// The one written to just before; [`NONE`] for the oldest.
    older: u32,
    newer: u32,
}

const NONE: u32 = u32::MAX;

/// An entry to write to, and what had to be forgotten for it.
#[derive(Debug)]
pub(crate) struct Touched<K, V> {
    pub(crate) slot: Slot,
    pub(crate) forgotten: Option<(K, Slot, V)>,
}

impl<K: Hash + Eq + Clone, V: Default> Table<K, V> {
    pub(crate) fn new(len_max: usize) -> Self {
        let len_max = len_max.clamp(1, NONE as usize);
        Self { slots: HashMap::new(), entries: Vec::new(), oldest: NONE, newest: NONE, len_max }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn find(&self, key: &K) -> Option<Slot> {
        self.slots.get(key).map(|number| self.slot(*number))
    }

    /// None where the entry was forgotten meanwhile.
    pub(crate) fn get(&self, slot: Slot) -> Option<&V> {
        self.entry(slot).map(|entry| &entry.value)
    }

    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut V> {
        let entry = self.entries.get_mut(slot.number())?;
        (entry.generation == slot.generation).then_some(&mut entry.value)
    }

    pub(crate) fn key(&self, slot: Slot) -> Option<&K> {
        self.entry(slot).map(|entry| &entry.key)
    }

    /// The key's entry, new where it is missing, as the one written to last.
    pub(crate) fn touch(&mut self, key: &K) -> Touched<K, V> {
        if let Some(&number) = self.slots.get(key) {
            self.renew(number);
            return Touched { slot: self.slot(number), forgotten: None };
        }
        if self.entries.len() < self.len_max {
            let number = u32::try_from(self.entries.len()).expect("len_max fits");
            let entry = Entry { key: key.clone(), value: V::default(), generation: 0, older: NONE, newer: NONE };
            self.entries.push(entry);
            self.slots.insert(key.clone(), number);
            self.append(number);
            return Touched { slot: self.slot(number), forgotten: None };
        }
        let number = self.oldest;
        let before = self.slot(number);
        self.renew(number);
        let entry = &mut self.entries[number as usize];
        let old_key = std::mem::replace(&mut entry.key, key.clone());
        let value = std::mem::take(&mut entry.value);
        entry.generation = entry.generation.wrapping_add(1);
        self.slots.remove(&old_key);
        self.slots.insert(key.clone(), number);
        Touched { slot: self.slot(number), forgotten: Some((old_key, before, value)) }
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &K, &V)> {
        let entry_at = |number: u32| Some((number, self.entries.get(number as usize)?));
        std::iter::successors(entry_at(self.oldest), move |(_, entry)| entry_at(entry.newer))
            .map(|(number, entry)| (self.slot(number), &entry.key, &entry.value))
    }

    fn slot(&self, number: u32) -> Slot {
        Slot { number, generation: self.entries[number as usize].generation }
    }

    fn entry(&self, slot: Slot) -> Option<&Entry<K, V>> {
        self.entries.get(slot.number()).filter(|entry| entry.generation == slot.generation)
    }

    fn renew(&mut self, number: u32) {
        if number == self.newest {
            return;
        }
        let Entry { older, newer, .. } = self.entries[number as usize];
        match older {
            NONE => self.oldest = newer,
            older => self.entries[older as usize].newer = newer,
        }
        // Not the newest, so there is a newer one.
        self.entries[newer as usize].older = older;
        self.append(number);
    }

    fn append(&mut self, number: u32) {
        let before = std::mem::replace(&mut self.newest, number);
        let entry = &mut self.entries[number as usize];
        (entry.older, entry.newer) = (before, NONE);
        match before {
            NONE => self.oldest = number,
            before => self.entries[before as usize].newer = number,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_longest_unwritten_is_forgotten_first_and_its_slot_is_no_longer_valid() {
        let mut table = Table::<&str, u32>::new(2);
        let (a, b) = (table.touch(&"a").slot, table.touch(&"b").slot);
        *table.get_mut(a).expect("known") = 7;
        table.touch(&"a");
        let touched = table.touch(&"c");
        assert_eq!(touched.forgotten, Some(("b", b, 0)));
        assert_eq!((table.get(a), table.get(b), table.find(&"b")), (Some(&7), None, None));
        assert_eq!(touched.slot.number(), b.number());
        assert_eq!(table.iter().map(|(_, key, _)| *key).collect::<Vec<_>>(), ["a", "c"]);
    }

    proptest! {
        #[test]
        fn it_holds_the_last_distinct_keys_in_order_of_writing(
            keys in prop::collection::vec(0..12u8, 0..200),
            len_max in 1..8usize,
        ) {
            let mut table = Table::<u8, ()>::new(len_max);
            let mut expected: Vec<u8> = Vec::new();
            for key in keys {
                table.touch(&key);
                expected.retain(|known| *known != key);
                expected.push(key);
                if expected.len() > len_max {
                    expected.remove(0);
                }
                prop_assert_eq!(table.iter().map(|(_, key, _)| *key).collect::<Vec<_>>(), expected.clone());
            }
        }
    }
}
