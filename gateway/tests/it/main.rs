//! The gateway over real HTTP, in front of services that misbehave on demand.

mod bad_input;
mod deadline;
mod fake;
mod health;
mod http;
mod limits;
mod openapi;
mod paths;
mod preconditions;
mod shapes;
mod stream;
mod thin;
mod world;
