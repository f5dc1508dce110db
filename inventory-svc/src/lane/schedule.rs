//! Which commands may go into the next batch.
//!
//! Laws: a level is in at most one batch at a time; commands that share a level or a subject are batched in the order
//! they came; two commands with one subject are never in one batch; nothing waits that nothing stands in the way of.

use std::collections::{HashSet, VecDeque};

use holdfast_contracts::RequestId;

use crate::domain::level::LevelId;

/// What a command would touch.
pub(super) trait Keyed {
    /// What it makes or moves.
    fn subject(&self) -> RequestId;
    /// Every level it may depend on.
    fn levels(&self) -> impl Iterator<Item = LevelId>;
}

/// The commands that wait, and what is in flight.
#[derive(Debug)]
pub(super) struct Schedule<T> {
    /// Nothing in flight stood in their way when they came; with their numbers, in order.
    ready: VecDeque<(u64, T)>,
    /// Something in flight, or something parked before them, does; likewise.
    parked: VecDeque<(u64, T)>,
    admitted: u64,
    flying: Keys,
    /// What the parked ones wait for or will touch: whoever comes later queues behind them.
    awaited: Keys,
}

/// Levels and subjects.
#[derive(Debug, Default)]
pub(super) struct Keys {
    levels: HashSet<LevelId>,
    subjects: HashSet<RequestId>,
}

impl Keys {
    fn add(&mut self, item: &impl Keyed) {
        self.levels.extend(item.levels());
        self.subjects.insert(item.subject());
    }

    fn meets(&self, item: &impl Keyed) -> bool {
        (!self.subjects.is_empty() && self.subjects.contains(&item.subject()))
            || (!self.levels.is_empty() && item.levels().any(|level| self.levels.contains(&level)))
    }
}

/// Commands taken together, and what to give back when they are done.
#[derive(Debug)]
pub(super) struct Taken<T> {
    pub items: Vec<T>,
    pub keys: Keys,
}

impl<T: Keyed> Schedule<T> {
    pub(super) fn new() -> Self {
        Self {
            ready: VecDeque::new(),
            parked: VecDeque::new(),
            admitted: 0,
            flying: Keys::default(),
            awaited: Keys::default(),
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.ready.len() + self.parked.len()
    }

    pub(super) fn admit(&mut self, item: T) {
        self.admitted += 1;
        self.place(self.admitted, item);
    }

    /// Whether something stands in its way.
    pub(super) fn must_wait(&self, item: &T) -> bool {
        self.flying.meets(item) || self.awaited.meets(item)
    }

    fn place(&mut self, number: u64, item: T) {
        if self.must_wait(&item) {
            self.park(number, item);
        } else {
            self.ready.push_back((number, item));
        }
    }

    fn park(&mut self, number: u64, item: T) {
        self.awaited.add(&item);
        self.parked.push_back((number, item));
    }

    /// The next batch: at most `max` of the ready ones, in order.
    pub(super) fn take(&mut self, max: usize) -> Option<Taken<T>> {
        let mut taken = Taken { items: Vec::with_capacity(self.ready.len().min(max)), keys: Keys::default() };
        while taken.items.len() < max {
            let Some((number, item)) = self.ready.pop_front() else { break };
            let repeats_subject = taken.keys.subjects.contains(&item.subject());
            if repeats_subject || self.flying.meets(&item) || self.awaited.meets(&item) {
                self.park(number, item);
                continue;
            }
            taken.keys.add(&item);
            taken.items.push(item);
        }
        if taken.items.is_empty() {
            return None;
        }
        self.flying.levels.extend(&taken.keys.levels);
        self.flying.subjects.extend(&taken.keys.subjects);
        Some(taken)
    }

    /// A batch is done: whoever waited for it moves up.
    pub(super) fn complete(&mut self, keys: &Keys) {
        for level in &keys.levels {
            self.flying.levels.remove(level);
        }
        for subject in &keys.subjects {
            self.flying.subjects.remove(subject);
        }
        if self.parked.is_empty() {
            return;
        }
        self.awaited = Keys::default();
        // In the order they came: what was left ready may be younger than what was parked, or older.
        let mut waiting = std::mem::take(&mut self.ready);
        waiting.append(&mut self.parked);
        waiting.make_contiguous().sort_unstable_by_key(|(number, _)| *number);
        for (number, item) in waiting {
            self.place(number, item);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    #[derive(Debug, Clone)]
    struct Item {
        number: usize,
        subject: u8,
        levels: Vec<i64>,
    }

    impl Keyed for Item {
        fn subject(&self) -> RequestId {
            RequestId::from_uuid(Uuid::from_u128(u128::from(self.subject) + 1))
        }

        fn levels(&self) -> impl Iterator<Item = LevelId> {
            self.levels.iter().map(|&id| LevelId(id))
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Admit { subject: u8, levels: Vec<i64> },
        Take { max: usize },
        Complete { which: usize },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0_u8..20, prop::collection::vec(0_i64..5, 1..4))
                .prop_map(|(subject, levels)| Step::Admit { subject, levels }),
            2 => (1_usize..5).prop_map(|max| Step::Take { max }),
            2 => (0_usize..4).prop_map(|which| Step::Complete { which }),
        ]
    }

    proptest! {
        #[test]
        fn the_laws_of_the_schedule_hold(steps in prop::collection::vec(step(), 1..120)) {
            let mut schedule = Schedule::new();
            let mut flying: Vec<Taken<Item>> = Vec::new();
            let mut last_of_level: HashMap<i64, usize> = HashMap::new();
            let mut last_of_subject: HashMap<u8, usize> = HashMap::new();
            let (mut admitted, mut batched) = (0, 0);
            let mut check = |taken: &Taken<Item>, flying: &[Taken<Item>]| {
                for item in &taken.items {
                    for other in flying.iter().flat_map(|batch| &batch.items) {
                        assert!(item.levels.iter().all(|level| !other.levels.contains(level)), "one level, two batches");
                        assert_ne!(item.subject, other.subject, "one subject, two batches");
                    }
                    assert_eq!(taken.items.iter().filter(|other| other.subject == item.subject).count(), 1);
                    for level in &item.levels {
                        if let Some(before) = last_of_level.insert(*level, item.number) {
                            assert!(before <= item.number, "overtaken at a level");
                        }
                    }
                    if let Some(before) = last_of_subject.insert(item.subject, item.number) {
                        assert!(before < item.number, "overtaken at a subject");
                    }
                }
            };
            for step in steps {
                match step {
                    Step::Admit { subject, levels } => {
                        schedule.admit(Item { number: admitted, subject, levels });
                        admitted += 1;
                    }
                    Step::Take { max } => {
                        if let Some(taken) = schedule.take(max) {
                            check(&taken, &flying);
                            batched += taken.items.len();
                            flying.push(taken);
                        }
                    }
                    Step::Complete { which } => {
                        if which < flying.len() {
                            let done = flying.remove(which);
                            schedule.complete(&done.keys);
                        }
                    }
                }
            }
            // Everything gets its turn once what stands in its way is done.
            for _ in 0..=2 * admitted {
                while let Some(done) = flying.pop() {
                    schedule.complete(&done.keys);
                }
                while let Some(taken) = schedule.take(3) {
                    check(&taken, &flying);
                    batched += taken.items.len();
                    flying.push(taken);
                }
            }
            prop_assert_eq!(batched, admitted);
            prop_assert_eq!(schedule.len(), 0);
        }
    }
}
