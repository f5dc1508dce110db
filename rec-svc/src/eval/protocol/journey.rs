//! A grocer's shoppers: their next basket, what they have never bought, the rest of a basket, and products nobody knows yet.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use holdfast_contracts::{CustomerId, ProductId, RequestId};
use uuid::Uuid;

use crate::domain::{Actor, Bounds, Context, Event, Kind, Model, Shopper, Slot, Time, Tuning};
use crate::eval::data::journey::{Journey, Line};
use crate::eval::exam::{Exam, Question};
use crate::eval::protocol::Part;
use crate::eval::random::Random;

/// Which weeks are learnt from and which asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::eval) struct Weeks {
    pub(in crate::eval) learnt_to: u8,
    pub(in crate::eval) asked_to: u8,
}

impl Weeks {
    /// The last five weeks are for reporting; what is chosen is chosen on the five before. New products need a longer
    /// time to be bought by anybody: ten weeks, and the ten before.
    pub(in crate::eval) fn of(task: Task, part: Part) -> Self {
        match (task, part) {
            (Task::Cold, Part::Test) => Self { learnt_to: 43, asked_to: 53 },
            (Task::Cold, Part::Valid) => Self { learnt_to: 33, asked_to: 43 },
            (_, Part::Test) => Self { learnt_to: 49, asked_to: 53 },
            (_, Part::Valid) => Self { learnt_to: 44, asked_to: 49 },
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::eval) enum Task {
    NextBasket,
    Novel,
    CompleteBasket,
    Cold,
}

/// A product is asked about where so many households bought it in the weeks learnt from.
const HOUSEHOLDS_MIN: usize = 30;
/// Or, for the rest of a basket, where it was in so many baskets.
const BASKETS_MIN: usize = 20;
/// Baskets asked about.
const BASKETS_ASKED: usize = 6_000;
/// A new product is asked about where so many households bought it at all.
const COLD_HOUSEHOLDS_MIN: usize = 3;
/// Seeds which baskets are asked about and which of their products is held out.
const SAMPLE_SEED: u64 = 8_451;

pub(in crate::eval) fn exam(data: &Journey, task: Task, weeks: Weeks, tuning: Tuning) -> Exam {
    let kept = kept_products(data, task, weeks);
    let mut model = Model::tuned(tuning, Bounds::default());
    for (product, facts) in data.facts.iter().filter(|(product, _)| kept.contains(product)) {
        model.describe(product, facts);
    }
    let lines = data.lines.iter().filter(|line| task == Task::Cold || kept.contains(&line.product));
    let (learnt, asked): (Vec<&Line>, Vec<&Line>) =
        lines.filter(|line| line.week <= weeks.asked_to).partition(|line| line.week <= weeks.learnt_to);
    if task == Task::Cold {
        for (product, facts) in data.facts.iter().filter(|(product, _)| !kept.contains(product)) {
            model.describe(product, facts);
        }
    }
    for (number, line) in (1..).zip(&learnt) {
        model.fold(&event(number, line));
    }
    let mut catalogue: Vec<Slot> = kept.iter().filter_map(|product| model.slot(product)).collect();
    catalogue.sort_unstable();
    let questions = match task {
        Task::CompleteBasket => baskets(&model, &asked),
        Task::NextBasket | Task::Novel | Task::Cold => {
            let bought = bought_by(&learnt);
            shoppers(&model, task, &asked, &bought, &catalogue, &kept)
        }
    };
    Exam::new(model, catalogue, questions)
}

/// What may be listed.
fn kept_products(data: &Journey, task: Task, weeks: Weeks) -> BTreeSet<ProductId> {
    let mut counted: BTreeMap<&ProductId, HashSet<u64>> = BTreeMap::new();
    let mut first: HashMap<&ProductId, u8> = HashMap::new();
    let mut households: HashMap<&CustomerId, u64> = HashMap::new();
    for line in &data.lines {
        let next = households.len() as u64;
        let household = *households.entry(&line.household).or_insert(next);
        let counts = task == Task::Cold && line.week <= weeks.asked_to || line.week <= weeks.learnt_to;
        if counts {
            let by = if task == Task::CompleteBasket { line.basket } else { household };
            counted.entry(&line.product).or_default().insert(by);
        }
        first.entry(&line.product).or_insert(line.week);
    }
    let min = match task {
        Task::NextBasket | Task::Novel => HOUSEHOLDS_MIN,
        Task::CompleteBasket => BASKETS_MIN,
        Task::Cold => COLD_HOUSEHOLDS_MIN,
    };
    let is_new = |product: &ProductId| first.get(product).is_some_and(|week| *week > weeks.learnt_to);
    counted
        .into_iter()
        .filter(|(product, by)| by.len() >= min && (task != Task::Cold || is_new(product)))
        .map(|(product, _)| product.clone())
        .collect()
}

fn bought_by<'a>(learnt: &[&'a Line]) -> HashMap<&'a CustomerId, HashSet<&'a ProductId>> {
    let mut bought: HashMap<&CustomerId, HashSet<&ProductId>> = HashMap::new();
    for line in learnt {
        bought.entry(&line.household).or_default().insert(&line.product);
    }
    bought
}

fn shoppers(
    model: &Model,
    task: Task,
    asked: &[&Line],
    bought: &HashMap<&CustomerId, HashSet<&ProductId>>,
    catalogue: &[Slot],
    kept: &BTreeSet<ProductId>,
) -> Vec<Question> {
    let mut wanted: BTreeMap<&CustomerId, (&Line, Vec<&ProductId>)> = BTreeMap::new();
    for line in asked {
        let (first, products) = wanted.entry(&line.household).or_insert((line, Vec::new()));
        let novel = !bought.get(&line.household).is_some_and(|bought| bought.contains(&line.product));
        let is_asked = match task {
            Task::NextBasket => first.basket == line.basket,
            Task::Novel => novel,
            Task::Cold | Task::CompleteBasket => kept.contains(&line.product),
        };
        if is_asked && !products.contains(&&line.product) {
            products.push(&line.product);
        }
    }
    let wanted = wanted.into_iter().filter(|(_, (_, products))| !products.is_empty());
    (0..)
        .zip(wanted)
        .map(|(unit, (household, (first, products)))| {
            let mut context = model.context_of(&Shopper::Customer(household.clone()), first.time);
            if task == Task::Cold {
                context.named = Some(catalogue.to_vec());
            }
            let known = bought.get(household).into_iter().flatten().filter_map(|product| model.slot(product));
            let excluded = if task == Task::Novel { known.collect() } else { HashSet::new() };
            Question { context, relevant: products.iter().map(|product| model.slot(product)).collect(), excluded, unit }
        })
        .collect()
}

/// One product of each basket is held out; a basket of one has none to go with.
fn baskets(model: &Model, asked: &[&Line]) -> Vec<Question> {
    let mut baskets: BTreeMap<u64, (Time, Vec<Slot>)> = BTreeMap::new();
    for line in asked {
        let (_, items) = baskets.entry(line.basket).or_insert((line.time, Vec::new()));
        if let Some(item) = model.slot(&line.product).filter(|item| !items.contains(item)) {
            items.push(item);
        }
    }
    let mut random = Random::new(SAMPLE_SEED);
    let mut baskets: Vec<_> = baskets.into_values().filter(|(_, items)| items.len() >= 2).collect();
    let mut questions = Vec::new();
    while questions.len() < BASKETS_ASKED && !baskets.is_empty() {
        let (now, mut basket) = baskets.swap_remove(random.below(baskets.len()));
        let held_out = basket.swap_remove(random.below(basket.len()));
        questions.push(Question {
            excluded: basket.iter().copied().collect(),
            context: Context { now, basket, ..Context::default() },
            relevant: vec![Some(held_out)],
            unit: u32::try_from(questions.len()).unwrap_or(u32::MAX),
        });
    }
    questions
}

fn event(number: u128, line: &Line) -> Event {
    Event {
        id: RequestId::from_uuid(Uuid::from_u128(number)),
        kind: Kind::Purchase,
        actor: Actor::Known { customer: line.household.clone(), session: None },
        product: line.product.clone(),
        time: line.time,
    }
}
