//! Makers whose goods the shop sells.

use holdfast_contracts::BrandId;

use super::text::DisplayName;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    pub id: BrandId,
    pub display_name: DisplayName,
}
