//! Measures every call, on either side: its metrics, and where its trace is sampled, its span.
//!
//! On the server it is the outermost layer, so that what panics or is refused by another layer counts too; on a client
//! it lies above retries, so that what the caller waited for is told. A call that nobody traces costs a look-up of its
//! method, one allocation, two clock readings and a handful of atomic additions.

mod client;
mod ending;
mod server;
#[cfg(test)]
mod tests;

pub use client::{ObserveClient, ObserveClientLayer, wire};
pub use ending::{Followed, Observed};
pub use server::{ObserveServer, ObserveServerLayer};
