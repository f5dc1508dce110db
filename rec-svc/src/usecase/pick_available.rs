//! The last step of every answer: only what can be bought.

use holdfast_contracts::Sku;
use holdfast_platform::deadline::Deadline;

use super::Recommender;
use crate::client::{AskError, Listing};
use crate::domain::Candidate;
use crate::metrics::{Checked, Fallback, Filled, Metrics};

/// The fewest candidates asked about at once.
const CHUNK_MIN: usize = 20;

/// A candidate that can be bought, and as what.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pick {
    pub(crate) candidate: Candidate,
    /// At least one.
    pub(crate) skus: Vec<Sku>,
}

impl Recommender {
    /// The best `page_size` candidates of which a unit could be reserved when the inventory was asked, just now.
    /// Fewer only where the candidates run out.
    pub(super) async fn pick_available(
        &self,
        candidates: &[Candidate],
        page_size: usize,
        deadline: Deadline,
    ) -> Result<Vec<Pick>, AskError> {
        let mut picks = Vec::with_capacity(page_size);
        // Twice what is needed: one round of questions is enough until half the shop is sold out.
        for (round, chunk) in candidates.chunks((2 * page_size).max(CHUNK_MIN)).enumerate() {
            if round == 1 {
                Metrics::get().fallbacks.of((Fallback::SoldOut,)).add(1);
            }
            let available = self.keep_available(chunk, deadline).await?;
            picks.extend(available.into_iter().take(page_size - picks.len()));
            if picks.len() == page_size {
                break;
            }
        }
        let filled = match picks.len() {
            0 => Filled::Empty,
            some if some < page_size => Filled::Short,
            _ => Filled::Full,
        };
        Metrics::get().answers.of((filled,)).add(1);
        Ok(picks)
    }

    async fn keep_available(&self, candidates: &[Candidate], deadline: Deadline) -> Result<Vec<Pick>, AskError> {
        let products: Vec<_> = candidates.iter().map(|candidate| &candidate.product).collect();
        let listings = self.catalog.ask_listings(&products, deadline).await?;
        let offers: Vec<(&Candidate, &[Sku])> = candidates
            .iter()
            .zip(&listings)
            .filter_map(|(candidate, listing)| match listing {
                Listing::Absent => None,
                Listing::Listed(skus) => Some((candidate, &**skus)),
            })
            .collect();
        let skus: Vec<Sku> = offers.iter().flat_map(|(_, skus)| skus.iter().cloned()).collect();
        let available = self.inventory.ask_available(&skus, deadline).await?;
        let offered = offers.len();
        let picks: Vec<Pick> = offers
            .into_iter()
            .filter_map(|(candidate, skus)| {
                let skus: Vec<Sku> = skus.iter().filter(|sku| available.contains(*sku)).cloned().collect();
                (!skus.is_empty()).then(|| Pick { candidate: candidate.clone(), skus })
            })
            .collect();
        let checked = &Metrics::get().checked;
        checked.of((Checked::Unlisted,)).add((candidates.len() - offered) as u64);
        checked.of((Checked::SoldOut,)).add((offered - picks.len()) as u64);
        checked.of((Checked::Available,)).add(picks.len() as u64);
        Ok(picks)
    }
}
