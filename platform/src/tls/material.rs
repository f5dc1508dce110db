//! A certificate, its key and the authorities, checked as a whole: what passes works at both ends of a connection.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::certificate::{self, CertificateError, Leaf};
use super::files::Contents;
use super::spiffe::{SpiffeId, TrustDomain};
use super::verifier::{ClientOf, ServerIs, in_words};
use super::{ALPN_H2, PROVIDER, VERSIONS};

/// Why files that can be read are no identity.
#[derive(Debug, thiserror::Error)]
pub enum MaterialError {
    #[error("the {what} cannot be read as PEM: {cause}")]
    Pem { what: &'static str, cause: rustls::pki_types::pem::Error },
    #[error("there is no certificate in the {what}")]
    Empty { what: &'static str },
    #[error("every certificate of the authorities has expired")]
    AuthoritiesExpired,
    #[error("an authority's certificate cannot be used: {0}")]
    Authority(rustls::Error),
    #[error("the private key cannot be used: {0}")]
    Key(rustls::Error),
    #[error("the certificate: {0}")]
    Certificate(#[from] CertificateError),
    #[error("the certificate is {found}, but this process is {expected}")]
    OtherWorkload { found: SpiffeId, expected: SpiffeId },
    #[error("the authorities do not vouch for the certificate as a {role}'s: {}", in_words(cause))]
    Chain { role: &'static str, cause: rustls::Error },
    #[error("TLS cannot be configured: {0}")]
    Config(rustls::Error),
}

/// See the module.
pub(super) struct Material {
    own: Arc<SingleCertAndKey>,
    roots: Arc<RootCertStore>,
    pub(super) server: Arc<ServerConfig>,
    /// When the first certificate of the chain we show ends.
    pub(super) not_after: SystemTime,
}

impl Material {
    /// What the files hold, where all of it fits together now.
    pub(super) fn check(
        contents: &Contents,
        expected: &SpiffeId,
        domain: &TrustDomain,
        now: UnixTime,
    ) -> Result<Self, MaterialError> {
        let roots = Arc::new(read_roots(&contents.ca, now)?);
        let chain = certificates(&contents.cert, "certificate file")?;
        let key = PrivateKeyDer::from_pem_slice(&contents.key)
            .map_err(|cause| MaterialError::Pem { what: "private key", cause })?;
        // Refuses a key that is another certificate's.
        let own = CertifiedKey::from_der(chain, key, &PROVIDER).map_err(MaterialError::Key)?;
        let (leaf, not_after) = read_chain(&own.cert)?;
        if leaf.id != *expected {
            return Err(MaterialError::OtherWorkload { found: leaf.id, expected: expected.clone() });
        }
        check_as_peers_will(&own.cert, &roots, expected, domain, now)?;
        let own = Arc::new(SingleCertAndKey::from(own));
        let server = Arc::new(server_config(own.clone(), &roots, domain)?);
        Ok(Self { own, roots, server, not_after })
    }

    /// The client's side of a connection to one workload.
    pub(super) fn client(&self, expected: &SpiffeId) -> Result<ClientConfig, rustls::Error> {
        let verifier = ServerIs { roots: self.roots.clone(), expected: expected.clone() };
        let mut config = ClientConfig::builder_with_provider(PROVIDER.clone())
            .with_protocol_versions(VERSIONS)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(self.own.clone());
        config.alpn_protocols = vec![ALPN_H2.to_vec()];
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

fn server_config(
    own: Arc<SingleCertAndKey>,
    roots: &Arc<RootCertStore>,
    domain: &TrustDomain,
) -> Result<ServerConfig, MaterialError> {
    let mut config = ServerConfig::builder_with_provider(PROVIDER.clone())
        .with_protocol_versions(VERSIONS)
        .map_err(MaterialError::Config)?
        .with_client_cert_verifier(Arc::new(clients(roots, domain)?))
        .with_cert_resolver(own);
    config.alpn_protocols = vec![ALPN_H2.to_vec()];
    // A resumed session shows no certificate: it would outlive the authority that vouched for it. Connections are few
    // and long, so a full handshake for each costs nothing.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn clients(roots: &Arc<RootCertStore>, domain: &TrustDomain) -> Result<ClientOf, MaterialError> {
    let chain = WebPkiClientVerifier::builder_with_provider(roots.clone(), PROVIDER.clone())
        .build()
        .map_err(|_| MaterialError::Empty { what: "authorities" })?;
    Ok(ClientOf { chain, domain: domain.clone() })
}

/// A certificate we would not accept ourselves is not one to show to others.
fn check_as_peers_will(
    chain: &[CertificateDer<'static>],
    roots: &Arc<RootCertStore>,
    expected: &SpiffeId,
    domain: &TrustDomain,
    now: UnixTime,
) -> Result<(), MaterialError> {
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls::server::danger::ClientCertVerifier as _;
    let Some((leaf, intermediates)) = chain.split_first() else {
        return Err(MaterialError::Empty { what: "certificate file" });
    };
    let nobody = ServerName::from(std::net::Ipv4Addr::LOCALHOST);
    ServerIs { roots: roots.clone(), expected: expected.clone() }
        .verify_server_cert(leaf, intermediates, &nobody, &[], now)
        .map_err(|cause| MaterialError::Chain { role: "server", cause })?;
    clients(roots, domain)?
        .verify_client_cert(leaf, intermediates, now)
        .map_err(|cause| MaterialError::Chain { role: "client", cause })?;
    Ok(())
}

fn read_chain(chain: &[CertificateDer<'static>]) -> Result<(Leaf, SystemTime), MaterialError> {
    let Some((leaf, intermediates)) = chain.split_first() else {
        return Err(MaterialError::Empty { what: "certificate file" });
    };
    let leaf = Leaf::read(leaf)?;
    let mut not_after = leaf.not_after;
    for intermediate in intermediates {
        not_after = not_after.min(certificate::not_after(intermediate)?);
    }
    Ok((leaf, not_after))
}

/// The authorities that have not expired: path validation itself does not look at a trust anchor's dates.
fn read_roots(pem: &[u8], now: UnixTime) -> Result<RootCertStore, MaterialError> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now.as_secs());
    let mut roots = RootCertStore::empty();
    for root in certificates(pem, "authorities")? {
        if certificate::not_after(&root)? >= now {
            roots.add(root).map_err(MaterialError::Authority)?;
        }
    }
    if roots.is_empty() { Err(MaterialError::AuthoritiesExpired) } else { Ok(roots) }
}

fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, MaterialError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|cause| MaterialError::Pem { what, cause })?;
    if certificates.is_empty() { Err(MaterialError::Empty { what }) } else { Ok(certificates) }
}
