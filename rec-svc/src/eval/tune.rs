//! Choosing parameters, on validation data alone: one after another, round by round, while anything gets better.

use super::exam::Exam;
use super::protocol::{self, Data, Part, Protocol};
use crate::domain::{Signal, Tuning};

/// Rounds over all knobs; a search that still finds something then has found enough.
const ROUNDS_MAX: usize = 3;
/// Questions asked for each value tried.
const QUESTIONS_MAX: usize = 5_000;
/// What counts as better: less is noise.
const GAIN_MIN: f64 = 1e-5;

/// One number to choose.
pub(super) struct Knob {
    pub(super) name: &'static str,
    pub(super) values: &'static [f64],
    pub(super) get: fn(&Tuning) -> f64,
    pub(super) set: fn(&mut Tuning, f64),
    /// Whether it is part of what is learnt, so that the log must be folded again.
    pub(super) learns: bool,
}

/// What a search found.
#[derive(Debug)]
pub struct Tuned {
    pub protocol: Protocol,
    /// Each number's name and value.
    pub chosen: Vec<(String, f64)>,
    /// On the validation data, before and after.
    pub before: f64,
    pub after: f64,
}

/// Chooses a protocol's numbers, a quick search only those that leave what was learnt alone; `told` hears of every gain.
pub(super) fn search(data: &Data, protocol: Protocol, start: Tuning, quick: bool, told: &mut dyn FnMut(&str)) -> Tuned {
    let mut best = start;
    let ask = |tuning: &Tuning| {
        let mut exam = data.exam(protocol, Part::Valid, tuning);
        exam.thin(QUESTIONS_MAX);
        exam
    };
    let mut exam = ask(&best);
    let before = objective(&mut exam, protocol, &best);
    let mut top = before;
    let (mut knobs, signals) = (super::knobs::of(protocol), super::knobs::signals_of(protocol));
    knobs.retain(|knob| !(quick && knob.learns));
    for _ in 0..ROUNDS_MAX {
        let begun = top;
        for knob in &knobs {
            for value in knob.values.iter().copied() {
                if value == (knob.get)(&best) {
                    continue;
                }
                let mut tried = best.clone();
                (knob.set)(&mut tried, value);
                let mut fresh = knob.learns.then(|| ask(&tried));
                let reached = objective(fresh.as_mut().unwrap_or(&mut exam), protocol, &tried);
                if reached > top + GAIN_MIN {
                    told(&format!("{protocol} {reached:.4}: {} = {value}", knob.name));
                    (top, best, exam) = (reached, tried, fresh.unwrap_or(exam));
                }
            }
        }
        for (signal, value) in signals.iter().flat_map(|signal| WEIGHTS.map(|value| (*signal, value))) {
            let mut tried = best.clone();
            tried.blends.of_mut(protocol.surface()).set(signal, value);
            let reached = objective(&mut exam, protocol, &tried);
            if reached > top + GAIN_MIN {
                told(&format!("{protocol} {reached:.4}: weight of {signal:?} = {value}"));
                (top, best) = (reached, tried);
            }
        }
        if top <= begun + GAIN_MIN {
            break;
        }
    }
    let weights = signals
        .iter()
        .map(|signal| (format!("weight of {signal:?}"), protocol::blend(protocol, &best).weight(*signal)));
    let chosen = knobs.iter().map(|knob| (knob.name.to_owned(), (knob.get)(&best))).chain(weights).collect();
    Tuned { protocol, chosen, before, after: top }
}

/// What blends are tried with.
const WEIGHTS: [f64; 12] = [0.0, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 1.0, 2.0];

fn objective(exam: &mut Exam, protocol: Protocol, tuning: &Tuning) -> f64 {
    *exam.model.tuning_mut() = tuning.clone();
    exam.ready(protocol::blend(protocol, tuning));
    let marks = exam.mark(protocol::blend(protocol, tuning), protocol.metrics());
    let count = (marks.len() * protocol.metrics().len()).max(1) as f64;
    // Every metric counts alike: a list is read from its top, and as a whole.
    marks.iter().flat_map(|(_, values)| values).sum::<f64>() / count
}

/// Signals whose weights a protocol chooses.
pub(super) type Signals = &'static [Signal];
