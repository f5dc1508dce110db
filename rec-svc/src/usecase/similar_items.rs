//! What goes with a product.

use holdfast_contracts::ProductId;
use holdfast_platform::deadline::Deadline;

use super::{Pick, Recommender};
use crate::client::{AskError, Listing};
use crate::domain::Time;

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SimilarItemsError {
    #[error("the catalogue has no product {0}")]
    ProductNotFound(ProductId),
    #[error(transparent)]
    Ask(#[from] AskError),
}

impl Recommender {
    pub(crate) async fn similar_items(
        &self,
        product: ProductId,
        page_size: usize,
        now: Time,
        deadline: Deadline,
    ) -> Result<Vec<Pick>, SimilarItemsError> {
        match self.catalog.ask_listing(&product, deadline).await? {
            Listing::Absent => return Err(SimilarItemsError::ProductNotFound(product)),
            // A sold-out or archived product's page is where its neighbours are needed most.
            Listing::Listed(_) => {}
        }
        let candidates = self.model.read(|model| model.similar(&product, now));
        Ok(self.pick_available(&candidates, page_size, deadline).await?)
    }
}
