//! A map that forgets what was written to longest ago.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// At most `len_max` entries. Only writes count as use, so that a map fed from the log is a function of the log.
#[derive(Debug)]
pub(crate) struct BoundedMap<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// Which key was written to at which turn, oldest first.
    turns: BTreeMap<u64, K>,
    turn: u64,
    len_max: usize,
}

#[derive(Debug)]
struct Entry<V> {
    turn: u64,
    value: V,
}

impl<K: Hash + Eq + Clone, V: Default> BoundedMap<K, V> {
    pub(crate) fn new(len_max: usize) -> Self {
        Self { entries: HashMap::new(), turns: BTreeMap::new(), turn: 0, len_max }
    }

    pub(crate) fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// The value to write to, new where it is missing. Follow with [`Self::pop_excess`].
    pub(crate) fn touch(&mut self, key: &K) -> &mut V {
        self.turn += 1;
        let entry = self.entries.entry(key.clone()).or_insert_with(|| Entry { turn: 0, value: V::default() });
        self.turns.remove(&entry.turn);
        self.turns.insert(self.turn, key.clone());
        entry.turn = self.turn;
        &mut entry.value
    }

    /// Takes out the entry written to longest ago, where there are too many.
    pub(crate) fn pop_excess(&mut self) -> Option<(K, V)> {
        if self.entries.len() <= self.len_max {
            return None;
        }
        let (_, key) = self.turns.pop_first()?;
        let entry = self.entries.remove(&key)?;
        Some((key, entry.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unwritten_is_forgotten_first() {
        let mut map = BoundedMap::<&str, u32>::new(2);
        *map.touch(&"a") += 1;
        *map.touch(&"b") += 1;
        *map.touch(&"a") += 1;
        assert_eq!(map.pop_excess(), None);
        map.touch(&"c");
        assert_eq!(map.pop_excess(), Some(("b", 1)));
        assert_eq!(["a", "b", "c"].map(|key| map.get(&key).copied()), [Some(2), None, Some(0)]);
    }
}
