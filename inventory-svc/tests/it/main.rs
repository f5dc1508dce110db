//! The service against a real PostgreSQL, through real gRPC stubs.

mod adjust;
mod catalog;
mod contention;
mod expiry;
mod limits;

mod reservation;
mod shop;
mod watch;
