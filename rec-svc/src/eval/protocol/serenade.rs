//! The next click in a session: sessions learnt from `train.txt`, asked about after each click but the last.

use std::collections::{BTreeMap, HashSet};

use holdfast_contracts::RequestId;
use uuid::Uuid;

use crate::domain::{Actor, Bounds, Context, Event, Kind, Model, SessionId, Slot, Tuning};
use crate::eval::data::serenade::Click;
use crate::eval::exam::{Exam, Question};

/// A model of the learnt clicks, and a question for each click that follows another in a session of the asked ones.
pub(in crate::eval) fn exam(learnt: &[Click], asked: &[Click], tuning: Tuning) -> Exam {
    let mut model = Model::tuned(tuning, Bounds::default());
    learn(&mut model, learnt);
    let catalogue = model.catalogue();
    let mut sessions = BTreeMap::<&SessionId, Vec<&Click>>::new();
    for click in asked {
        sessions.entry(&click.session).or_default().push(click);
    }
    let mut questions = Vec::new();
    for (unit, clicks) in (0..).zip(sessions.values()) {
        for seen in 1..clicks.len() {
            let relevant = vec![model.slot(&clicks[seen].product)];
            let context = context(&model, &clicks[..seen]);
            questions.push(Question { context, relevant, excluded: HashSet::new(), unit });
        }
    }
    Exam::new(model, catalogue, questions)
}

pub(in crate::eval) fn learn(model: &mut Model, clicks: &[Click]) {
    for (number, click) in (1..).zip(clicks) {
        model.fold(&event(number, click));
    }
}

fn event(number: u128, click: &Click) -> Event {
    Event {
        id: RequestId::from_uuid(Uuid::from_u128(number)),
        kind: Kind::View,
        actor: Actor::Anonymous { session: click.session.clone() },
        product: click.product.clone(),
        time: click.time,
    }
}

/// What the model would know of a session in which this much has happened.
fn context(model: &Model, clicks: &[&Click]) -> Context {
    let mut session: Vec<Slot> = Vec::new();
    for item in clicks.iter().filter_map(|click| model.slot(&click.product)) {
        session.retain(|known| *known != item);
        session.push(item);
    }
    Context {
        now: clicks.last().map(|click| click.time).unwrap_or_default(),
        visits: session.iter().map(|item| (*item, 1.0)).collect(),
        session,
        ..Context::default()
    }
}
