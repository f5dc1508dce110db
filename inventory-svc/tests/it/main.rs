//! The service against a real PostgreSQL, through real gRPC stubs.

mod reservation;
mod shop;
