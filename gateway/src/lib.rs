//! The gateway: one method table, many doors. Every REST route, event stream and line of OpenAPI is generated from
//! the contracts at start; a new RPC has its door without a line of code here. It keeps no state.

mod answer;
mod body;
mod call;
mod config;
mod context;
mod cors;
mod deps;
mod gateway;
mod health;
mod linger;
mod metrics;
mod observe;
mod openapi;
mod problem;
mod request;
mod route;
mod serve;
mod service;
mod sse;
mod timeout;

pub use body::Body;
pub use config::Config;
pub use deps::Deps;
pub use route::{StartError, TemplateError};
pub use service::Service;

/// Declares what the gateway counts; [`Service::new`] does so by itself.
pub fn declare_metrics() {
    metrics::Metrics::get();
}
