//! The service against a real PostgreSQL, through real gRPC stubs.

mod catalog;
mod reservation;
mod shop;
