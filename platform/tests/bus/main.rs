//! The laws of the event bus, on each bus.

mod postgres;
mod relay;
