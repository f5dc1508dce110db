//! What to show a customer next.

use holdfast_contracts::CustomerId;
use holdfast_platform::deadline::Deadline;

use super::{Pick, Recommender};
use crate::client::AskError;
use crate::domain::{Shopper, Source, Time};
use crate::metrics::{Fallback, Metrics};

impl Recommender {
    pub(crate) async fn recommend(
        &self,
        customer: CustomerId,
        page_size: usize,
        now: Time,
        deadline: Deadline,
    ) -> Result<Vec<Pick>, AskError> {
        let candidates = self.model.read(|model| model.recommend(&Shopper::Customer(customer), now));
        // Nothing of their own: what trends is for everybody.
        if candidates.iter().all(|candidate| candidate.source == Source::Trending) {
            Metrics::get().fallbacks.of((Fallback::Unknown,)).add(1);
        }
        self.pick_available(&candidates, page_size, deadline).await
    }
}
