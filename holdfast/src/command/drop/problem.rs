//! What a drop can find wrong with the shop.

use holdfast_contracts::{RequestId, Sku};
use serde::{Serialize, Serializer};

/// One thing that must not be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("{sku} version {version}: {units} more units promised than there are")]
    Oversold { sku: Sku, version: i64, units: i64 },
    #[error("{sku}: {sold} units sold of {for_sale}")]
    SoldTooMany { sku: Sku, sold: u64, for_sale: u64 },
    #[error("{sku}: the watch went from version {from} to {to}")]
    VersionGap { sku: Sku, from: i64, to: i64 },
    #[error("{sku} version {version}: {effect} of {units} does not lead from the level before to the level told")]
    EffectMismatch { sku: Sku, version: i64, effect: &'static str, units: i64 },
    #[error("{sku}: the watch stopped at version {seen}, the stock is at {version}{}", because(.cause))]
    WatchBehind { sku: Sku, seen: i64, version: i64, cause: Option<String> },
    #[error("reservation {id} ended twice: {first}, then {second}")]
    EndedTwice { id: String, first: &'static str, second: &'static str },
    #[error("reservation {id} expired {early_ms} ms before its time")]
    ExpiredEarly { id: String, early_ms: i64 },
    #[error("{sku}: {acknowledged} units sold to shoppers, {committed} committed in stock")]
    SalesDisagree { sku: Sku, acknowledged: u64, committed: i64 },
    #[error("{sku}: {acknowledged} units sold to shoppers, {confirmed} confirmed in the watch")]
    WatchDisagrees { sku: Sku, acknowledged: u64, confirmed: i64 },
    #[error("{sku}: {held} units still held after every hold's end")]
    StillHeld { sku: Sku, held: i64 },
    #[error("order {id} was acknowledged, but is {state}")]
    SaleLost { id: RequestId, state: &'static str },
    #[error("order {id} was refused, but is {state}")]
    RefusedYetPlaced { id: RequestId, state: &'static str },
    #[error("reservation {id} was left to expire, but is {state}")]
    NotExpired { id: RequestId, state: &'static str },
    #[error("{what} answered wrongly: {answer}")]
    WrongAnswer { what: &'static str, answer: String },
    #[error("{what} cannot be verified: {error}")]
    Unverified { what: String, error: String },
}

fn because(cause: &Option<String>) -> String {
    cause.as_ref().map(|cause| format!(" ({cause})")).unwrap_or_default()
}

/// The most problems kept; the rest is counted.
const KEPT_MAX: usize = 200;

/// All that was found, the first of it in full.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Problems {
    kept: Vec<Problem>,
    further: u64,
}

impl Problems {
    pub(crate) fn push(&mut self, problem: Problem) {
        if self.kept.len() < KEPT_MAX {
            self.kept.push(problem);
        } else {
            self.further += 1;
        }
    }

    pub(crate) fn append(&mut self, other: Self) {
        for problem in other.kept {
            self.push(problem);
        }
        self.further += other.further;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// As told to people: the first few, and how many more.
    pub(crate) fn lines(&self, lines_max: usize) -> Vec<String> {
        let mut lines: Vec<String> = self.kept.iter().take(lines_max).map(Problem::to_string).collect();
        let further = self.further + (self.kept.len() - lines.len()) as u64;
        if further > 0 {
            lines.push(format!("and {further} more"));
        }
        lines
    }

    #[cfg(test)]
    pub(crate) fn all(&self) -> &[Problem] {
        &self.kept
    }
}

impl Serialize for Problems {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.lines(KEPT_MAX))
    }
}
