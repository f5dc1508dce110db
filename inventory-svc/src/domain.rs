//! What stock is and how it changes: pure, no IO, no clock, no randomness.

pub mod command;
pub mod decide;
pub mod effects;
pub mod feed;
pub mod level;
pub mod reservation;
pub mod time;
