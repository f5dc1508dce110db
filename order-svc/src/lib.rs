//! Orders and payments: nothing is charged without stock, nothing twice.
//!
//! `domain::saga` says what follows what; `usecase` does it; `worker` goes on with what a dead process left.

mod client;
mod config;
mod domain;
mod grpc;
mod metrics;
pub mod payment;
mod service;
mod store;
mod usecase;
mod worker;

pub use config::{Config, Deps};
pub use service::{Service, migrate};

/// Declares what the service counts; [`Service::start`] does so by itself.
pub fn declare_metrics() {
    metrics::Metrics::get();
}
