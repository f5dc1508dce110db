//! The mesh's server side: real gRPC, real HTTP, real PostgreSQL.

mod admin;
mod deadline;
mod drain;
mod shed;
mod statement_timeout;
mod tonic_alone;
mod toy;
