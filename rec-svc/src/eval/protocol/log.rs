//! One's own log: the last fifth of its time asked about, event by event.

use std::collections::{HashMap, HashSet};

use crate::domain::{Blend, Bounds, Event, Model, Shopper, Tuning};
use crate::eval::exam::{Catalogue, Exam, Marks, Question};
use crate::eval::metric::Metric;
use crate::eval::protocol::Part;

/// Events asked about; of more, so many spread over all.
const ASKED_MAX: usize = 10_000;

/// What is learnt at first and what is asked about: four fifths and the last; for choosing parameters the last fifth
/// does not exist.
fn split(events: &[Event], part: Part) -> (&[Event], &[Event]) {
    let events = match part {
        Part::Test => events,
        Part::Valid => &events[..events.len() * 4 / 5],
    };
    events.split_at(events.len() * 4 / 5)
}

/// The model learns no more once it is asked: every question is about what it knew at the split.
pub(in crate::eval) fn frozen(events: &[Event], part: Part, tuning: Tuning) -> Exam {
    let (learnt, asked) = split(events, part);
    let mut model = Model::tuned(tuning, Bounds::default());
    learnt.iter().for_each(|event| model.fold(event));
    let catalogue = model.catalogue();
    let mut units = Units::default();
    let questions = sample(asked).map(|event| question(&model, event, &mut units)).collect();
    Exam::new(model, catalogue, questions)
}

/// The model is asked about each event just before it learns it, as in life. Also says how large the catalogue became.
pub(in crate::eval) fn prequential(
    events: &[Event],
    part: Part,
    tuning: Tuning,
    blend: &Blend,
    metrics: &[Metric],
) -> (Marks, usize) {
    let (learnt, asked) = split(events, part);
    let mut model = Model::tuned(tuning, Bounds::default());
    learnt.iter().for_each(|event| model.fold(event));
    let mut catalogue: Catalogue = model.catalogue().into_iter().collect();
    let (mut marks, mut units) = (Marks::new(), Units::default());
    let step = asked.len().div_ceil(ASKED_MAX).max(1);
    for (number, event) in asked.iter().enumerate() {
        if number % step == 0 {
            let question = question(&model, event, &mut units);
            marks.push((question.unit, question.mark(number as u64, &model, &catalogue, blend, metrics)));
        }
        model.fold(event);
        model.slot(&event.product).into_iter().for_each(|item| catalogue.add(item));
    }
    (marks, catalogue.items().len())
}

/// Shoppers by number.
type Units = HashMap<Shopper, u32>;

fn sample(asked: &[Event]) -> impl Iterator<Item = &Event> {
    asked.iter().step_by(asked.len().div_ceil(ASKED_MAX).max(1))
}

fn question(model: &Model, event: &Event, units: &mut Units) -> Question {
    let next = u32::try_from(units.len()).unwrap_or(u32::MAX);
    let shopper = event.actor.shopper();
    Question {
        context: model.context_of(&shopper, event.time),
        relevant: vec![model.slot(&event.product)],
        excluded: HashSet::new(),
        unit: *units.entry(shopper).or_insert(next),
    }
}
