//! Recommendations: what shoppers do goes into a log, the log makes the model, and an answer names only what can be
//! bought.

mod client;
mod domain;
pub mod eval;
mod grpc;
mod metrics;
mod service;
mod store;
mod usecase;
mod worker;

pub use service::{Config, Deps, Service};
pub use store::migrate;

/// Declares what the service counts; [`Service::start`] does so by itself.
pub fn declare_metrics() {
    metrics::Metrics::get();
}
