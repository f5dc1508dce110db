//! Recommendations: what shoppers do goes into a log, the log makes the model, and an answer names only what can be
//! bought.

mod client;
mod domain;
pub mod eval;
mod grpc;
mod service;
mod store;
mod usecase;
mod worker;

pub use service::{Config, Deps, Service};
pub use store::migrate;
