//! Who is at the other end of a connection.

use std::fmt;
use std::sync::Arc;

/// A caller, as far as its connection proves it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Peer {
    /// Plaintext, or TLS without a client certificate.
    #[default]
    Anonymous,
    /// Another service of this process, over no socket: its name (`order-svc`).
    InProcess(&'static str),
    /// Proved by mutual TLS: the SPIFFE id of its certificate (`spiffe://holdfast/order-svc`).
    Spiffe(Arc<str>),
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::InProcess(name) => f.write_str(name),
            Self::Spiffe(id) => f.write_str(id),
        }
    }
}
