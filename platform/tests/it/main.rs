//! The mesh's server side: real gRPC, real HTTP, real PostgreSQL.

mod admin;
mod deadline;
mod drain;
mod tonic_alone;
mod toy;
