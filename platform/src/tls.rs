//! Mutual TLS between workloads (docs/adr/0005): both ends of a connection show a certificate of our authority, and who
//! they are is the SPIFFE id in it, never a DNS name or an address.
//!
//! An [`Identity`] is this process's certificate, key and authorities, read again whenever the files change. It gives an
//! [`Acceptor`] to the server's listener and a [`Connector`] to each client; both use what is current for every new
//! connection, and leave those that are open alone.

mod acceptor;
pub mod authority;
mod certificate;
mod connector;
mod files;
mod identity;
mod material;
mod spiffe;
mod verifier;

use std::sync::{Arc, LazyLock};

use rustls::crypto::CryptoProvider;

pub use acceptor::{AcceptError, Acceptor};
pub use certificate::CertificateError;
pub use connector::{ConnectError, Connector};
pub use files::{FileError, Files};
pub use identity::{Identity, IdentityError, Looked};
pub use material::MaterialError;
pub use spiffe::{SpiffeError, SpiffeId, TrustDomain};

/// gRPC is HTTP/2 and nothing else.
const ALPN_H2: &[u8] = b"h2";

/// The one crypto backend. Named in every configuration: a process-wide default could be set by anybody.
static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
/// Both ends are ours, or tools of today: nobody needs TLS 1.2.
static VERSIONS: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];
