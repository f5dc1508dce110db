//! The laws of every bus, as a suite: `suite::keeps_order_per_key(&world, bus).await`. The world is a database with a
//! ledger (schema `shop`, topic `shop`) and a consumer of it (schema `till`); an implementation brings the bus, and a
//! relay where it needs one.

pub mod suite;
mod world;

pub use world::{Count, Late, World};
