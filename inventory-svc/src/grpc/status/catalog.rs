//! The catalogue's refusals.

use std::time::Duration;

use holdfast_contracts::ProductId;
use holdfast_contracts::common::v1::Reason;
use holdfast_platform::status::Refusal;

use crate::domain::upsert::UpsertRefusal;
use crate::usecase::upsert_product::UpsertError;

/// When to try again after losing to others too often.
const CONTENDED_RETRY: Duration = Duration::from_millis(100);

pub(in crate::grpc) fn product_not_found(id: &ProductId) -> Refusal {
    Refusal::new(Reason::ProductNotFound, format!("no product has id {id}")).with("product_id", id)
}

pub(in crate::grpc) fn deadline_exceeded() -> Refusal {
    Refusal::new(Reason::DeadlineExceeded, "the deadline passed before the database answered")
}

impl From<UpsertError> for Refusal {
    fn from(error: UpsertError) -> Self {
        match error {
            UpsertError::Refused(refused) => refused.into(),
            UpsertError::Contended => Self::new(Reason::Overloaded, error.to_string()).retry_after(CONTENDED_RETRY),
            UpsertError::Database(error) => error.into(),
        }
    }
}

impl From<UpsertRefusal> for Refusal {
    fn from(refused: UpsertRefusal) -> Self {
        let message = refused.to_string();
        match refused {
            UpsertRefusal::BrandNotFound { brand } => Self::new(Reason::BrandNotFound, message).with("brand_id", brand),
            UpsertRefusal::SkuTaken { sku, product, index } => {
                let mut refusal =
                    Self::new(Reason::SkuTaken, message.clone()).with("sku", sku).with("product_id", product);
                refusal.fields.push((format!("product.variants[{index}].sku"), message));
                refusal
            }
            UpsertRefusal::TooManyKept { .. } => Self::invalid("product.variants", message),
        }
    }
}
