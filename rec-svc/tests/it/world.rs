//! A service on a database of its own, spoken to through gRPC.

use std::time::{Duration, SystemTime};

use holdfast_contracts::RequestId;
use holdfast_contracts::events::v1::BehaviourEvent;
use holdfast_contracts::events::v1::behaviour_event::Kind;
use holdfast_contracts::rec::v1::recommendation_service_client::RecommendationServiceClient;
use holdfast_contracts::rec::v1::{RecommendRequest, RecommendedItem, RecordEventsRequest, SimilarItemsRequest};
use holdfast_platform::client::{Wire, in_process};
use holdfast_platform::pg::testing::fresh_database;
use rec_svc::{Config, Deps, Service};
use tonic::Status;
use tonic::service::Routes;

use crate::shop::Shop;

/// How long a test waits for the model before it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// One replica and its client.
pub(crate) struct Replica {
    pub(crate) service: Service,
    pub(crate) client: RecommendationServiceClient<Wire>,
}

pub(crate) struct World {
    pub(crate) database_url: String,
    pub(crate) shop: Shop,
    pub(crate) replica: Replica,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database_url = fresh_database().await;
        rec_svc::migrate(&database_url).await.expect("a fresh database migrates");
        let shop = Shop::default();
        let replica = Replica::start(&database_url, &shop).await;
        Self { database_url, shop, replica }
    }

    pub(crate) async fn another_replica(&self) -> Replica {
        Replica::start(&self.database_url, &self.shop).await
    }
}

impl Replica {
    async fn start(database_url: &str, shop: &Shop) -> Self {
        let deps = Deps { inventory: shop.wire() };
        let service = Service::start(Config::new(database_url), deps).await.expect("the service starts");
        let mut routes = Routes::builder();
        service.add_to(&mut routes);
        Self { service, client: RecommendationServiceClient::new(in_process(routes.routes())) }
    }

    pub(crate) async fn record(&self, events: Vec<BehaviourEvent>) -> Result<i32, Status> {
        let answer = self.client.clone().record_events(RecordEventsRequest { events }).await?;
        Ok(answer.into_inner().recorded)
    }

    /// Records events and waits until the model knows them, they being all the log has.
    pub(crate) async fn learn(&self, events: Vec<BehaviourEvent>) {
        let count = events.len();
        self.record(events).await.expect("the events are recorded");
        self.wait_for_events(count).await;
    }

    pub(crate) async fn wait_for_events(&self, events: usize) {
        let waited = self.service.wait_for_events(events as u64);
        tokio::time::timeout(PATIENCE, waited).await.expect("the model follows the log");
    }

    pub(crate) async fn recommend(&self, customer: &str, page_size: i32) -> Result<Vec<RecommendedItem>, Status> {
        let request = RecommendRequest { customer_id: customer.into(), page_size };
        Ok(self.client.clone().recommend(request).await?.into_inner().items)
    }

    pub(crate) async fn similar(&self, product: &str, page_size: i32) -> Result<Vec<RecommendedItem>, Status> {
        let request = SimilarItemsRequest { product_id: product.into(), page_size };
        Ok(self.client.clone().similar_items(request).await?.into_inner().items)
    }
}

/// An event so many minutes ago.
pub(crate) fn event(customer: &str, kind: Kind, product: &str, minutes_ago: u64) -> BehaviourEvent {
    BehaviourEvent {
        id: RequestId::now_v7().to_string(),
        kind: kind.into(),
        customer_id: customer.into(),
        session_id: String::new(),
        product_id: product.into(),
        event_time: Some((SystemTime::now() - Duration::from_secs(minutes_ago * 60)).into()),
    }
}

pub(crate) fn view(customer: &str, product: &str, minutes_ago: u64) -> BehaviourEvent {
    event(customer, Kind::View, product, minutes_ago)
}

pub(crate) fn products(items: &[RecommendedItem]) -> Vec<&str> {
    items.iter().map(|item| item.product_id.as_str()).collect()
}
