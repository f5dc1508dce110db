//! Pure: no IO, no clock, no randomness. The same log makes the same model, bit for bit.

mod bounded;
mod content;
mod context;
mod covisit;
mod cycle;
mod decay;
mod event;
pub(crate) mod experiment;
mod history;
mod long_term;
mod matrix;
mod model;
mod personal;
mod product;
mod ranking;
mod row;
mod score;
mod session;
mod sums;
mod table;
mod trend;
mod tuning;

pub(crate) use bounded::BoundedMap;
pub(crate) use content::Facts;
pub(crate) use context::Context;
pub(crate) use event::{Actor, Event, Kind, SessionId, Shopper, Time};
pub(crate) use model::{Bounds, Model};
pub(crate) use ranking::{Candidate, Source};
pub(crate) use score::Signal;
pub(crate) use table::Slot;
pub(crate) use tuning::{Blend, Surface, Tuning};
