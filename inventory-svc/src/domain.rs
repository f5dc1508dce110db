//! What stock is and how it changes: pure, no IO, no clock, no randomness.

pub mod feed;
