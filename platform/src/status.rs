//! Refusals: one type that becomes a gRPC status with `google.rpc.ErrorInfo`, and is read back from one.
//!
//! A refusal is for the caller: it carries a reason from the closed list, a message that names what stopped the
//! call with its values, and metadata. Causes are logged where they stop and never sent.

use std::collections::HashMap;
use std::time::Duration;

use holdfast_contracts::ReasonInfo;
use holdfast_contracts::common::v1::Reason;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// `ErrorInfo.domain` of every refusal.
pub const ERROR_DOMAIN: &str = "holdfast";

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    /// What stopped it, with its values, lower case: "cannot hold 3 of HOODIE-M: 2 available".
    pub message: String,
    /// Further values for programs: `sku`, `requested`, `available`, `version`, ...
    pub metadata: Vec<(&'static str, String)>,
    /// The request fields at fault, as (`lines[0].quantity`, what is wrong with it).
    pub fields: Vec<(String, String)>,
    /// When to try again, for overload.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), metadata: Vec::new(), fields: Vec::new(), retry_after: None }
    }

    /// A field that is missing, malformed or out of bounds.
    pub fn invalid(field: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        let (field, problem) = (field.into(), problem.to_string());
        let mut refusal = Self::new(Reason::InvalidArgument, format!("{field} {problem}"));
        refusal.fields.push((field, problem));
        refusal
    }

    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.metadata.push((key, value.to_string()));
        self
    }

    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let code = Code::from_i32(ReasonInfo::of(refusal.reason).grpc_code);
        let metadata: HashMap<String, String> =
            refusal.metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let mut details = ErrorDetails::with_error_info(refusal.reason.as_str_name(), ERROR_DOMAIN, metadata);
        for (field, problem) in refusal.fields {
            details.add_bad_request_violation(field, problem);
        }
        if let Some(delay) = refusal.retry_after {
            details.set_retry_info(Some(delay));
        }
        Status::with_error_details(code, refusal.message, details)
    }
}

/// The reason a status carries, where it is one of ours.
pub fn reason_of(status: &Status) -> Option<Reason> {
    let info = status.get_details_error_info()?;
    if info.domain != ERROR_DOMAIN {
        return None;
    }
    Reason::from_str_name(&info.reason)
}

/// One value of a status's metadata.
pub fn metadata_of(status: &Status, key: &str) -> Option<String> {
    status.get_details_error_info()?.metadata.remove(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_survives_the_wire() {
        let refusal = Refusal::new(Reason::InsufficientStock, "cannot hold 3 of A: 2 available")
            .with("sku", "A")
            .with("available", 2);
        let status = Status::from(refusal);
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(reason_of(&status), Some(Reason::InsufficientStock));
        assert_eq!(metadata_of(&status, "available").as_deref(), Some("2"));
        assert_eq!(reason_of(&Status::internal("x")), None);
    }
}
