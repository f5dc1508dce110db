//! Questions with known answers, and a model that has not seen them.

use std::collections::HashSet;

use super::metric::Metric;
use super::random::Random;
use crate::domain::{Blend, Context, Model, Signal, Slot};

/// What is asked, and what came true. The model is only ever shown the context.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) context: Context,
    /// What came next; None for a product the model cannot know.
    pub(super) relevant: Vec<Option<Slot>>,
    /// Not to be listed: what is no answer by the protocol.
    pub(super) excluded: HashSet<Slot>,
    /// Questions of one shopper or session stand and fall together in the bootstrap.
    pub(super) unit: u32,
}

/// Everything that may be listed.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    items: Vec<Slot>,
    /// By the slot's number.
    has: Vec<bool>,
}

impl FromIterator<Slot> for Catalogue {
    fn from_iter<T: IntoIterator<Item = Slot>>(items: T) -> Self {
        let mut catalogue = Self::default();
        items.into_iter().for_each(|item| catalogue.add(item));
        catalogue
    }
}

impl Catalogue {
    pub(super) fn add(&mut self, item: Slot) {
        if self.has.len() <= item.number() {
            self.has.resize(item.number() + 1, false);
        }
        if !std::mem::replace(&mut self.has[item.number()], true) {
            self.items.push(item);
        }
    }

    pub(super) fn items(&self) -> &[Slot] {
        &self.items
    }

    fn has(&self, item: Slot) -> bool {
        self.has.get(item.number()).copied().unwrap_or(false)
    }
}

/// What was measured of each question, beside its unit.
pub(super) type Marks = Vec<(u32, Vec<f64>)>;

/// Seeds the order of equals.
const TIES_SEED: u64 = 20_200_601;

impl Question {
    /// Ranks the whole catalogue and measures the list; `number` tells one question's random ties from another's.
    pub(super) fn mark(
        &self,
        number: u64,
        model: &Model,
        catalogue: &Catalogue,
        blend: &Blend,
        metrics: &[Metric],
    ) -> Vec<f64> {
        let places = metrics.iter().map(|metric| metric.at()).max().unwrap_or(0);
        let scores = model.score(&self.context, blend);
        let scored = scores.iter().map(|(item, parts)| (*item, parts.sum()));
        let scored = scored.filter(|(item, _)| catalogue.has(*item) && !self.excluded.contains(item)).collect();
        let list = rank(scored, catalogue.items(), &self.excluded, places, TIES_SEED ^ number);
        let hits: Vec<bool> = list.iter().map(|item| self.relevant.contains(&Some(*item))).collect();
        metrics.iter().map(|metric| metric.measure(&hits, self.relevant.len())).collect()
    }
}

/// A model that stays as it is, and what it is asked.
#[derive(Debug)]
pub(super) struct Exam {
    pub(super) model: Model,
    pub(super) catalogue: Catalogue,
    pub(super) questions: Vec<Question>,
    fitted: bool,
}

impl Exam {
    pub(super) fn new(model: Model, catalogue: Vec<Slot>, questions: Vec<Question>) -> Self {
        Self { model, catalogue: catalogue.into_iter().collect(), questions, fitted: false }
    }

    /// Fits what is fitted, once, where the blend listens to it.
    pub(super) fn ready(&mut self, blend: &Blend) {
        if blend.weight(Signal::LongTerm) > 0.0 && !self.fitted {
            let long_term = self.model.fit_long_term();
            self.model.install(long_term);
            self.fitted = true;
        }
    }

    /// Keeps at most so many questions, spread over all: choosing parameters needs no more.
    pub(super) fn thin(&mut self, questions_max: usize) {
        let step = self.questions.len().div_ceil(questions_max.max(1)).max(1);
        let mut number = 0;
        self.questions.retain(|_| {
            number += 1;
            number % step == 0
        });
    }

    pub(super) fn mark(&self, blend: &Blend, metrics: &[Metric]) -> Marks {
        let mark = |(number, question): (u64, &Question)| {
            (question.unit, question.mark(number, &self.model, &self.catalogue, blend, metrics))
        };
        (0..).zip(&self.questions).map(mark).collect()
    }
}

/// The first places of a list of the whole catalogue: best score first, equals in random order, what has no score after
/// all that has, in random order too.
pub(super) fn rank(
    mut scored: Vec<(Slot, f64)>,
    catalogue: &[Slot],
    excluded: &HashSet<Slot>,
    places: usize,
    seed: u64,
) -> Vec<Slot> {
    scored.retain(|(_, score)| *score > 0.0);
    let key = |item: Slot| Random::new(seed ^ ((item.number() as u64) << 20)).next();
    let best_first = |a: &(Slot, f64), b: &(Slot, f64)| {
        b.1.total_cmp(&a.1).then_with(|| key(a.0).cmp(&key(b.0))).then(a.0.cmp(&b.0))
    };
    let named: HashSet<Slot> = if scored.len() < places {
        scored.iter().map(|(item, _)| *item).collect()
    } else {
        scored.select_nth_unstable_by(places.saturating_sub(1), best_first);
        scored.truncate(places);
        HashSet::new()
    };
    scored.sort_unstable_by(best_first);
    let mut list: Vec<Slot> = scored.into_iter().map(|(item, _)| item).collect();
    if list.len() < places {
        let unnamed = catalogue.iter().filter(|item| !named.contains(item) && !excluded.contains(item));
        let mut unnamed: Vec<(u64, Slot)> = unnamed.map(|item| (key(*item), *item)).collect();
        unnamed.sort_unstable();
        list.extend(unnamed.into_iter().map(|(_, item)| item).take(places - list.len()));
    }
    list
}
