//! What every process shares, over real connections.

mod client;
