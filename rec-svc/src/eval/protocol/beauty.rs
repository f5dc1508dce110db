//! The last of a sequence, asked of a model that has seen none of the sequences' ends.

use std::collections::HashSet;
use std::time::Duration;

use holdfast_contracts::{CustomerId, ProductId, RequestId};
use uuid::Uuid;

use crate::domain::{Actor, Bounds, Context, Event, Kind, Model, Slot, Time, Tuning};
use crate::eval::data::beauty::Sequences;
use crate::eval::exam::{Exam, Question};

/// Times are not in the data: each step of a sequence is taken for a quarter of a day, which did best of a half to four
/// half-lives' worth on the validation ends.
const STEP: Duration = Duration::from_secs(6 * 3_600);

/// Which end of the sequences is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::eval) enum Ends {
    /// The last but one, after everything before it; learnt from all but the last three, so that here as there the latest
    /// transition asked from is one the model has not seen.
    LastButOne,
    /// The last; learnt from all but the last two.
    Last,
    /// The last; learnt from all but the last.
    LastStreamed,
}

pub(in crate::eval) fn exam(data: &Sequences, ends: Ends, tuning: Tuning) -> Exam {
    let mut model = Model::tuned(tuning, Bounds::default());
    for (product, facts) in &data.facts {
        model.describe(product, facts);
    }
    let held = match ends {
        Ends::LastStreamed => 1,
        Ends::Last => 2,
        Ends::LastButOne => 3,
    };
    let longest = data.bought.iter().map(|(_, items)| items.len()).max().unwrap_or(0);
    let mut number = 0;
    // Step by step over all shoppers, as a log would have it; every sequence ends at the same moment.
    for step in 0..longest {
        for (shopper, items) in &data.bought {
            let at = (step + items.len()).checked_sub(longest);
            let Some(at) = at.filter(|at| at + held < items.len()) else { continue };
            number += 1;
            model.fold(&event(number, shopper, &items[at], step));
        }
    }
    let catalogue = model.catalogue();
    let questions = (0..).zip(&data.bought).filter_map(|(unit, (_, items))| {
        let asked = items.len().checked_sub(if ends == Ends::LastButOne { 2 } else { 1 })?;
        let known: Vec<Slot> = items[..asked].iter().filter_map(|item| model.slot(item)).collect();
        let context = Context {
            now: at_step(longest),
            visits: known.iter().map(|item| (*item, 1.0)).collect(),
            session: known.clone(),
            ..Context::default()
        };
        let relevant = vec![model.slot(&items[asked])];
        Some(Question { context, relevant, excluded: known.into_iter().collect::<HashSet<_>>(), unit })
    });
    let questions = questions.collect();
    Exam::new(model, catalogue, questions)
}

fn event(number: u128, shopper: &CustomerId, product: &ProductId, step: usize) -> Event {
    Event {
        id: RequestId::from_uuid(Uuid::from_u128(number)),
        kind: Kind::Purchase,
        actor: Actor::Known { customer: shopper.clone(), session: None },
        product: product.clone(),
        time: at_step(step),
    }
}

fn at_step(step: usize) -> Time {
    let steps = u32::try_from(step).unwrap_or(u32::MAX);
    Time::default().after(STEP.saturating_mul(steps))
}
