//! How each refusal is told: read once from the enum's own options.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, DynamicMessage};

use crate::common::v1::Reason;

/// What `holdfast.options.v1.reason` says of one reason.
#[derive(Debug, Clone)]
pub struct ReasonInfo {
    pub reason: Reason,
    /// google.rpc.Code.
    pub grpc_code: i32,
    pub http_status: http::StatusCode,
    /// One line for people, without values.
    pub title: String,
}

impl ReasonInfo {
    /// The reason's row; every value of the enum has one, which a test holds.
    pub fn of(reason: Reason) -> &'static Self {
        REASONS.get(&(reason as i32)).unwrap_or_else(|| &REASONS[&(Reason::Internal as i32)])
    }

    /// Every reason but the unspecified one, by number.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        REASONS.values()
    }

    /// The reason with this name, as it stands in `ErrorInfo.reason`.
    pub fn named(name: &str) -> Option<&'static Self> {
        Reason::from_str_name(name).and_then(|reason| REASONS.get(&(reason as i32)))
    }
}

static REASONS: LazyLock<BTreeMap<i32, ReasonInfo>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(crate::DESCRIPTOR_SET).expect("the build wrote a valid descriptor set");
    let option = pool.get_extension_by_name("holdfast.options.v1.reason").expect("options.proto declares it");
    let values = pool.get_enum_by_name("holdfast.common.v1.Reason").expect("reason.proto declares it");
    let mut reasons = BTreeMap::new();
    for value in values.values().filter(|value| value.number() != 0) {
        let options = value.options();
        let policy = options.get_extension(&option);
        let Some(policy) = policy.as_message() else { continue };
        let Ok(reason) = Reason::try_from(value.number()) else { continue };
        let status = u16::try_from(int(policy, "http_status")).unwrap_or(500);
        reasons.insert(
            value.number(),
            ReasonInfo {
                reason,
                grpc_code: int(policy, "grpc_code"),
                http_status: http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR),
                title: policy
                    .get_field_by_name("title")
                    .and_then(|value| value.as_str().map(str::to_owned))
                    .unwrap_or_default(),
            },
        );
    }
    reasons
});

fn int(message: &DynamicMessage, field: &str) -> i32 {
    message.get_field_by_name(field).and_then(|value| value.as_i32()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_says_how_it_is_told() {
        for number in 1..=200 {
            let Ok(reason) = Reason::try_from(number) else { continue };
            let info = ReasonInfo::of(reason);
            assert_eq!(info.reason, reason, "{} has no option", reason.as_str_name());
            assert!((1..=16).contains(&info.grpc_code), "{}", reason.as_str_name());
            assert!(info.http_status.as_u16() >= 400, "{}", reason.as_str_name());
            assert!(!info.title.is_empty(), "{}", reason.as_str_name());
        }
    }

    #[test]
    fn every_reason_has_its_page() {
        for info in ReasonInfo::all() {
            let page = format!("{}/docs/errors/{}.md", env!("CARGO_MANIFEST_DIR"), info.reason.as_str_name());
            assert!(std::path::Path::new(&page).exists(), "docs/errors/{}.md is missing", info.reason.as_str_name());
        }
    }
}
