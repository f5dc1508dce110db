//! The laws of the event bus, on each bus.

mod metrics;
mod postgres;
mod relay;
mod trace;
