//! Who may be at the other end, decided within the handshake, so that whoever is refused is told by an alert.
//!
//! Each verifier is webpki's own path validation (signatures, expiry, basic constraints, extended key usage) plus the
//! SPIFFE id. Only the DNS name is not looked at: `ServerCertVerifier` cannot be had without it from
//! `WebPkiServerVerifier`, so the server's is put together from the functions that one is made of.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore, SignatureScheme,
};

use super::PROVIDER;
use super::certificate::Leaf;
use super::spiffe::{SpiffeId, TrustDomain};

/// A good certificate of somebody else's.
#[derive(Debug, thiserror::Error)]
pub(super) enum WrongPeer {
    #[error("the peer is {found}, of another trust domain than {expected}")]
    TrustDomain { found: SpiffeId, expected: TrustDomain },
    #[error("the peer is {found}, not {expected}")]
    Workload { found: SpiffeId, expected: SpiffeId },
}

fn refusal(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error))))
}

/// Why a handshake failed, for people: rustls shows what verifiers of one's own say as Rust code.
pub(super) fn in_words(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::Other(OtherError(ours))) => ours.to_string(),
        error => error.to_string(),
    }
}

/// The same, from where tokio-rustls puts it.
pub(super) fn io_in_words(error: &std::io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    inner.map_or_else(|| error.to_string(), in_words)
}

/// Accepts servers that are the expected workload.
#[derive(Debug)]
pub(super) struct ServerIs {
    pub(super) roots: Arc<RootCertStore>,
    pub(super) expected: SpiffeId,
}

impl ServerCertVerifier for ServerIs {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let algorithms = PROVIDER.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, algorithms)?;
        let found = Leaf::read(end_entity).map_err(refusal)?.id;
        if found != self.expected {
            return Err(refusal(WrongPeer::Workload { found, expected: self.expected.clone() }));
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &PROVIDER.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &PROVIDER.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER.signature_verification_algorithms.supported_schemes()
    }
}

/// Accepts clients of our trust domain, and nobody without a certificate. What each may call is the authorisation's.
#[derive(Debug)]
pub(super) struct ClientOf {
    pub(super) chain: Arc<dyn ClientCertVerifier>,
    pub(super) domain: TrustDomain,
}

impl ClientCertVerifier for ClientOf {
    fn offer_client_auth(&self) -> bool {
        self.chain.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        true
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.chain.verify_client_cert(end_entity, intermediates, now)?;
        let found = Leaf::read(end_entity).map_err(refusal)?.id;
        if !found.is_of(&self.domain) {
            return Err(refusal(WrongPeer::TrustDomain { found, expected: self.domain.clone() }));
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
