//! The service against a real PostgreSQL, through real gRPC stubs.

mod adjust;
mod catalog;
mod contention;
mod events;
mod expiry;
mod limits;
mod reservation;
mod shop;
mod watch;
