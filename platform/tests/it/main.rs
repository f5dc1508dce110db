//! What every process shares, over real connections, files and databases.

mod admin;
mod client;
mod deadline;
mod drain;
mod tls;
mod tonic_alone;
mod toy;
