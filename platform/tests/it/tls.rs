//! Mutual TLS over loopback, with tonic at both ends.

mod authorize;
mod handshake;
mod mesh;
mod rotation;
mod slow;
