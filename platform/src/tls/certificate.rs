//! Who a certificate says it is for, by the rules of SPIFFE's X509-SVID standard that path validation leaves out.

use std::time::{Duration, SystemTime};

use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::spiffe::{SpiffeError, SpiffeId};

/// Why a certificate names no workload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("the certificate cannot be read")]
    Malformed,
    #[error("the certificate has {found} URIs in its subject alternative name where a workload's has exactly one")]
    NotOneUri { found: usize },
    #[error("the certificate's URI: {0}")]
    NotAnId(#[from] SpiffeError),
    #[error("the certificate is an authority's")]
    IsAuthority,
    #[error("the certificate's key usage does not say digitalSignature alone of what an authority may")]
    WrongUsage,
}

/// What there is to know of a workload's certificate besides its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) id: SpiffeId,
    pub(super) not_after: SystemTime,
}

impl Leaf {
    pub(super) fn read(der: &CertificateDer<'_>) -> Result<Self, CertificateError> {
        let certificate = parse(der)?;
        let malformed = |_| CertificateError::Malformed;
        let names = certificate.subject_alternative_name().map_err(malformed)?;
        let mut uris = names.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        });
        let id = match (uris.next(), uris.count()) {
            (Some(uri), 0) => uri.parse()?,
            (first, others) => {
                return Err(CertificateError::NotOneUri { found: usize::from(first.is_some()) + others });
            }
        };
        if certificate.basic_constraints().map_err(malformed)?.is_some_and(|constraints| constraints.value.ca) {
            return Err(CertificateError::IsAuthority);
        }
        let usage = certificate.key_usage().map_err(malformed)?.ok_or(CertificateError::WrongUsage)?.value;
        if !usage.digital_signature() || usage.key_cert_sign() || usage.crl_sign() {
            return Err(CertificateError::WrongUsage);
        }
        Ok(Self { id, not_after: end(&certificate) })
    }
}

/// When any certificate ends.
pub(super) fn not_after(der: &CertificateDer<'_>) -> Result<SystemTime, CertificateError> {
    Ok(end(&parse(der)?))
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, CertificateError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) | Err(_) => Err(CertificateError::Malformed),
    }
}

fn end(certificate: &X509Certificate<'_>) -> SystemTime {
    let seconds = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}
