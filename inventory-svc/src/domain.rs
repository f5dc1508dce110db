//! What stock is and how it changes: pure, no IO, no clock, no randomness.

pub mod attributes;
pub mod brand;
pub mod command;
pub mod decide;
pub mod effects;
pub mod feed;
pub mod gtin;
pub mod level;
pub mod location;
pub mod price;
pub mod product;
pub mod reservation;
pub mod text;
pub mod time;
pub mod upsert;
pub mod variant;
