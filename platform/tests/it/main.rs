//! What every process shares, over real connections and files.

mod client;
mod tls;
