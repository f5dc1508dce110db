//! A certificate authority for development and tests: it vouches for whatever it is asked to. In production that is
//! cert-manager's or SPIRE's work.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _, SanType,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::certificate;
use super::spiffe::SpiffeId;

/// How long before now a certificate begins, for clocks that are behind.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// What every authority of ours is called.
const NAME: &str = "Holdfast development authority";

/// Why nothing was issued.
#[derive(Debug, thiserror::Error)]
#[error("no certificate can be made: {0}")]
pub struct IssueError(#[from] rcgen::Error);

/// Why a certificate and a key are no authority of ours.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    #[error("the authority's certificate cannot be read")]
    Certificate,
    #[error("the authority's key cannot be read: {0}")]
    Key(rcgen::Error),
    #[error("the authority's certificate and key do not belong together")]
    Pair,
    #[error("the authority is not one that was made here")]
    Foreign,
    #[error("the authority has expired")]
    Expired,
}

/// See the module.
pub struct Authority {
    cert_pem: String,
    not_after: SystemTime,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its private key, PEM.
pub struct Issued {
    pub cert: String,
    pub key: String,
    pub not_after: SystemTime,
}

impl Authority {
    /// A new one.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub fn make(life: Duration) -> Result<Self, IssueError> {
        let key = KeyPair::generate()?;
        let mut params = params();
        let now = SystemTime::now();
        set_dates(&mut params, now - CLOCK_SKEW, now + life);
        let certificate: Certificate = params.self_signed(&key)?;
        Ok(Self { cert_pem: certificate.pem(), not_after: now + life, issuer: Issuer::new(params, key) })
    }

    /// One that was made before, from its certificate and key.
    ///
    /// # Errors
    /// Where they are not a pair, not of our making, or of no use any more.
    pub fn from_pem(cert: &str, key: &str) -> Result<Self, AuthorityError> {
        let key = KeyPair::from_pem(key).map_err(AuthorityError::Key)?;
        let der = CertificateDer::from_pem_slice(cert.as_bytes()).map_err(|_| AuthorityError::Certificate)?;
        let (_, parsed) = X509Certificate::from_der(&der).map_err(|_| AuthorityError::Certificate)?;
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(AuthorityError::Pair);
        }
        // What it issues names its issuer as ours is named.
        if parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok()) != Some(NAME) {
            return Err(AuthorityError::Foreign);
        }
        let not_after = certificate::not_after(&der).map_err(|_| AuthorityError::Certificate)?;
        if not_after <= SystemTime::now() {
            return Err(AuthorityError::Expired);
        }
        Ok(Self { cert_pem: cert.to_owned(), not_after, issuer: Issuer::new(params(), key) })
    }

    pub fn cert_pem(&self) -> &str {
        &self.cert_pem
    }

    /// The private key.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A certificate with a new key for a workload of this machine, valid from just before now, and no longer than the
    /// authority itself.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub fn issue(&self, id: &SpiffeId, life: Duration) -> Result<Issued, IssueError> {
        let now = SystemTime::now();
        self.issue_between(&[id.as_str()], now - CLOCK_SKEW, self.not_after.min(now + life))
    }

    /// The same with any URIs and dates: what tests refuse must come from somewhere.
    ///
    /// # Errors
    /// Where a URI is not ASCII.
    pub fn issue_between(
        &self,
        uris: &[&str],
        not_before: SystemTime,
        not_after: SystemTime,
    ) -> Result<Issued, IssueError> {
        let mut params = CertificateParams::default();
        for uri in uris {
            params.subject_alt_names.push(SanType::URI((*uri).try_into()?));
        }
        // For tools that look at names (grpcurl, curl); our own clients do not.
        let workload = uris.first().and_then(|uri| uri.rsplit('/').next()).unwrap_or_default();
        params.distinguished_name.push(DnType::CommonName, workload);
        for name in ["localhost", workload] {
            params.subject_alt_names.push(SanType::DnsName(name.try_into()?));
        }
        let here = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        params.subject_alt_names.extend(here.map(SanType::IpAddress));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        set_dates(&mut params, not_before, not_after);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued { cert: certificate.pem(), key: key.serialize_pem(), not_after })
    }
}

/// What every authority of ours is made with: the same again must come from its key alone.
fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// rcgen counts time in a crate of its own choice, which only its constants give away.
fn set_dates(params: &mut CertificateParams, not_before: SystemTime, not_after: SystemTime) {
    let since_epoch = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_epoch(not_before);
    params.not_after = epoch + since_epoch(not_after);
}
