//! What every Holdfast process shares: database, errors, servers, clients, tasks, telemetry.
//! Nothing here knows a business noun.

pub mod bus;
pub mod call;
pub mod client;
pub mod deadline;
pub mod health;
pub mod layer;
pub mod peer;
pub mod pg;
pub mod process;
pub mod server;
pub mod status;
pub mod task;
pub mod telemetry;
pub mod trace_context;
