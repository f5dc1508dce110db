//! Pure: no IO, no clock, no randomness. The same log makes the same model, bit for bit.

mod bounded;
mod decay;
mod event;
pub(crate) mod experiment;
mod history;
mod model;
mod neighbours;
mod ranking;

pub(crate) use bounded::BoundedMap;
pub(crate) use event::{Actor, Event, Kind, Shopper, Time};
pub(crate) use model::Model;
pub(crate) use ranking::{Candidate, Source};
