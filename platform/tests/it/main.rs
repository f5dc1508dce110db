//! What every process shares, over real connections, files and databases.

mod admin;
mod client;
mod deadline;
mod drain;
mod shed;
mod statement_timeout;
mod tls;
mod tonic_alone;
mod toy;
