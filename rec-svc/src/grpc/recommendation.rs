//! RecommendationService.

use std::time::SystemTime;

use holdfast_contracts::rec::v1::recommendation_service_server::RecommendationService;
use holdfast_contracts::rec::v1::{
    RecommendRequest, RecommendResponse, RecommendedItem, RecordEventsRequest, RecordEventsResponse,
    SimilarItemsRequest, SimilarItemsResponse, recommended_item,
};
use holdfast_contracts::{CustomerId, ProductId};
use holdfast_platform::deadline::Deadline;
use holdfast_platform::status::Refusal;
use tonic::{Request, Response, Status};

use super::event::parse_events;
use crate::domain::{Source, Time};
use crate::usecase::{Pick, Recommender};

/// How many items an answer has where the caller does not say.
const PAGE_SIZE_DEFAULT: usize = 10;
/// How many it has at most; more may be asked for, but are not given.
const PAGE_SIZE_MAX: usize = 100;

/// The generated trait over the use cases.
#[derive(Debug)]
pub(crate) struct Recommendations {
    recommender: Recommender,
}

impl Recommendations {
    pub(crate) fn new(recommender: Recommender) -> Self {
        Self { recommender }
    }
}

#[tonic::async_trait]
impl RecommendationService for Recommendations {
    async fn recommend(&self, request: Request<RecommendRequest>) -> Result<Response<RecommendResponse>, Status> {
        let deadline = Deadline::of(&request);
        let request = request.into_inner();
        let customer: CustomerId =
            request.customer_id.parse().map_err(|problem| Refusal::invalid("customer_id", problem))?;
        let page_size = parse_page_size(request.page_size)?;
        let picks = self.recommender.recommend(customer, page_size, now(), deadline).await.map_err(Refusal::from)?;
        Ok(Response::new(RecommendResponse { items: picks.into_iter().map(RecommendedItem::from).collect() }))
    }

    async fn similar_items(
        &self,
        request: Request<SimilarItemsRequest>,
    ) -> Result<Response<SimilarItemsResponse>, Status> {
        let deadline = Deadline::of(&request);
        let request = request.into_inner();
        let product: ProductId =
            request.product_id.parse().map_err(|problem| Refusal::invalid("product_id", problem))?;
        let page_size = parse_page_size(request.page_size)?;
        let picks = self.recommender.similar_items(product, page_size, now(), deadline).await.map_err(Refusal::from)?;
        Ok(Response::new(SimilarItemsResponse { items: picks.into_iter().map(RecommendedItem::from).collect() }))
    }

    async fn record_events(
        &self,
        request: Request<RecordEventsRequest>,
    ) -> Result<Response<RecordEventsResponse>, Status> {
        let deadline = Deadline::of(&request);
        let events = parse_events(request.into_inner().events, now())?;
        let recorded = self.recommender.record_events(&events, deadline).await.map_err(Refusal::from)?;
        let recorded = i32::try_from(recorded).expect("a call has at most a thousand events");
        Ok(Response::new(RecordEventsResponse { recorded }))
    }
}

fn now() -> Time {
    SystemTime::now().into()
}

fn parse_page_size(page_size: i32) -> Result<usize, Refusal> {
    match usize::try_from(page_size) {
        Ok(0) => Ok(PAGE_SIZE_DEFAULT),
        Ok(page_size) => Ok(page_size.min(PAGE_SIZE_MAX)),
        Err(_) => Err(Refusal::invalid("page_size", "must not be negative")),
    }
}

impl From<Pick> for RecommendedItem {
    fn from(pick: Pick) -> Self {
        let source = match pick.candidate.source {
            Source::CoVisited => recommended_item::Source::CoVisited,
            Source::Trending => recommended_item::Source::Trending,
        };
        Self {
            product_id: pick.candidate.product.into(),
            skus: pick.skus.into_iter().map(String::from).collect(),
            score: pick.candidate.score,
            source: source.into(),
        }
    }
}
