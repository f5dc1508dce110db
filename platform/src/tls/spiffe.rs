//! SPIFFE ids (the SPIFFE-ID standard): `spiffe://<trust domain>/<workload>`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use holdfast_contracts::Workload;

const SCHEME: &str = "spiffe://";
/// The standard's bound on an id, in bytes.
const ID_BYTES_MAX: usize = 2048;
/// The standard's bound on a trust domain, in bytes.
const TRUST_DOMAIN_BYTES_MAX: usize = 255;

/// Why a text is no SPIFFE id of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpiffeError {
    #[error("a SPIFFE id has at most {ID_BYTES_MAX} bytes")]
    TooLong,
    #[error("{0:?} is not spiffe://<trust domain>/<workload>")]
    Shape(String),
    #[error("{0:?} is not a trust domain: 1 to {TRUST_DOMAIN_BYTES_MAX} of a-z, 0-9, `.`, `-` and `_`")]
    TrustDomain(String),
    #[error("{0:?} is not a workload's name: letters, digits, `.`, `-` and `_`, in one segment")]
    Workload(String),
}

/// Whose authority names the workloads: `holdfast`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TrustDomain(Arc<str>);

impl TrustDomain {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id its authority gives to one of our workloads.
    pub fn id_of(&self, workload: Workload) -> SpiffeId {
        SpiffeId { id: format!("{SCHEME}{self}/{workload}").into(), domain_bytes: self.0.len() }
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TrustDomain {
    type Err = SpiffeError;

    fn from_str(text: &str) -> Result<Self, SpiffeError> {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
        if (1..=TRUST_DOMAIN_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_allowed) {
            Ok(Self(text.into()))
        } else {
            Err(SpiffeError::TrustDomain(text.to_owned()))
        }
    }
}

/// A name that an authority vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SpiffeId {
    id: Arc<str>,
    domain_bytes: usize,
}

impl SpiffeId {
    pub fn as_str(&self) -> &str {
        &self.id
    }

    pub fn trust_domain(&self) -> &str {
        &self.id[SCHEME.len()..SCHEME.len() + self.domain_bytes]
    }

    pub fn is_of(&self, domain: &TrustDomain) -> bool {
        self.trust_domain() == domain.as_str()
    }

    /// The name within the trust domain; not necessarily one of [`Workload::ALL`].
    pub fn workload(&self) -> &str {
        &self.id[SCHEME.len() + self.domain_bytes + "/".len()..]
    }
}

impl From<SpiffeId> for Arc<str> {
    fn from(id: SpiffeId) -> Self {
        id.id
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

impl FromStr for SpiffeId {
    type Err = SpiffeError;

    fn from_str(text: &str) -> Result<Self, SpiffeError> {
        if text.len() > ID_BYTES_MAX {
            return Err(SpiffeError::TooLong);
        }
        let parts = text.strip_prefix(SCHEME).and_then(|rest| rest.split_once('/'));
        let (domain, workload) = parts.ok_or_else(|| SpiffeError::Shape(text.to_owned()))?;
        let domain: TrustDomain = domain.parse()?;
        // `.` and `..` are resolved away by whoever takes an id for a URL.
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if workload.is_empty() || matches!(workload, "." | "..") || !workload.bytes().all(is_allowed) {
            return Err(SpiffeError::Workload(workload.to_owned()));
        }
        Ok(Self { id: text.into(), domain_bytes: domain.0.len() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_workload_has_an_id_that_reads_back() {
        let domain: TrustDomain = "holdfast".parse().expect("a trust domain");
        for workload in Workload::ALL {
            let id = domain.id_of(workload);
            assert_eq!(id.as_str().parse(), Ok(id.clone()));
            assert!(id.is_of(&domain));
            assert_eq!((id.trust_domain(), id.workload()), ("holdfast", workload.as_str()));
        }
    }

    #[test]
    fn what_could_be_taken_for_another_name_is_no_id() {
        let long = format!("spiffe://holdfast/{}", "a".repeat(ID_BYTES_MAX));
        for bad in [
            "",
            "spiffe://",
            "spiffe://holdfast",
            "spiffe://holdfast/",
            "spiffe:///gateway",
            "SPIFFE://holdfast/gateway",
            "https://holdfast/gateway",
            "spiffe://Holdfast/gateway",
            "spiffe://holdfast:8080/gateway",
            "spiffe://user@holdfast/gateway",
            "spiffe://holdfast/gateway/",
            "spiffe://holdfast/ns/gateway",
            "spiffe://holdfast/..",
            "spiffe://holdfast/gateway?x",
            "spiffe://holdfast/gateway#x",
            "spiffe://holdfast/gate%77ay",
            "spiffe://holdfast/gatewаy", // a Cyrillic letter
            "spiffe://holdfast/gateway\0",
            long.as_str(),
        ] {
            assert!(bad.parse::<SpiffeId>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in prop_oneof!["\\PC{0,64}", "spiffe://[a-z./%-]{0,20}/?\\PC{0,8}"]) {
            if let Ok(id) = text.parse::<SpiffeId>() {
                prop_assert_eq!(id.as_str(), &text);
                prop_assert_eq!(format!("spiffe://{}/{}", id.trust_domain(), id.workload()), text);
            }
        }
    }
}
