//! The client's stack against real servers on loopback.

mod balance;
mod deadline;
mod metrics;
mod refused_stream;
mod replica;
mod restart;
mod retry;
mod streams;
mod tonic_balance;
