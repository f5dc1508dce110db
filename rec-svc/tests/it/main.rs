//! One binary: real Postgres, real gRPC encoding, a fake shop that misbehaves on demand.

mod event;
mod experiment;
mod log;
mod process;
mod recommendation;
mod shop;
mod world;
