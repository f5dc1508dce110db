//! The calls that a shop's clients make, all of which must succeed whatever happens to the mesh.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use holdfast_contracts::RequestId;
use holdfast_contracts::common::v1::Money;
use holdfast_contracts::inventory::v1 as stock;
use holdfast_contracts::inventory::v1::inventory_service_client::InventoryServiceClient;
use holdfast_contracts::order::v1 as order;
use holdfast_contracts::order::v1::order_service_client::OrderServiceClient;
use holdfast_contracts::rec::v1 as rec;
use holdfast_contracts::rec::v1::recommendation_service_client::RecommendationServiceClient;
use holdfast_platform::client::Wire;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tonic::Status;

use crate::command::bench::{one_sku, sku_name};

/// How long a call through the gateway may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Clients of every service; clones share connections.
#[derive(Clone)]
pub(super) struct Asks {
    stock: InventoryServiceClient<Wire>,
    orders: OrderServiceClient<Wire>,
    recommendations: RecommendationServiceClient<Wire>,
    http: Client<HttpConnector, Full<Bytes>>,
    /// One address a line: the gateways that are ready.
    gateways: Arc<PathBuf>,
    turn: Arc<AtomicU64>,
}

impl Asks {
    pub(super) fn new(stock: Wire, orders: Wire, recommendations: Wire, gateways: PathBuf) -> Self {
        Self {
            stock: InventoryServiceClient::new(stock),
            orders: OrderServiceClient::new(orders),
            recommendations: RecommendationServiceClient::new(recommendations),
            http: Client::builder(TokioExecutor::new()).build_http(),
            gateways: Arc::new(gateways),
            turn: Arc::default(),
        }
    }

    /// The next call of the mixture: a look, a hold, an order, a recommendation; over gRPC and through the gateway.
    pub(super) async fn any(&self) -> Result<(), String> {
        match self.turn.fetch_add(1, Ordering::Relaxed) % 8 {
            0 | 1 => self.look().await,
            2 | 3 => self.hold().await,
            4 => self.order().await,
            5 => self.recommend().await,
            6 => self.rest(Method::GET, &format!("/v1/stock/{}", sku_name(0)), Bytes::new(), PATIENCE).await,
            _ => self.rest(Method::POST, "/v1/reservations", hold_json(), PATIENCE).await,
        }
    }

    pub(super) async fn look(&self) -> Result<(), String> {
        let request = stock::GetStockRequest { sku: sku_name(0), ..Default::default() };
        self.stock.clone().get_stock(request).await.map(drop).map_err(|status| said("GetStock", &status))
    }

    pub(super) async fn hold(&self) -> Result<(), String> {
        self.stock.clone().reserve(one_sku()).await.map(drop).map_err(|status| said("Reserve", &status))
    }

    pub(super) async fn order(&self) -> Result<(), String> {
        let unit_price = Money { currency_code: "EUR".to_owned(), amount_minor: 1_000 };
        let line = order::place_order_request::Line {
            sku: sku_name(0),
            quantity: 1,
            unit_price: Some(unit_price),
            ..Default::default()
        };
        let payment =
            order::place_order_request::PaymentMethod { provider: "sandbox".to_owned(), token: "tok_ok".to_owned() };
        let request = order::PlaceOrderRequest {
            request_id: RequestId::now_v7().to_string(),
            customer_id: "customer-0815".to_owned(),
            lines: vec![line],
            payment: Some(payment),
            reservation_id: String::new(),
        };
        self.orders.clone().place_order(request).await.map(drop).map_err(|status| said("PlaceOrder", &status))
    }

    /// Over three hops: the gateway, the orders, the stock.
    pub(super) async fn order_by_rest(&self, patience: Duration) -> Result<(), String> {
        self.rest(Method::POST, "/v1/orders", order_json(), patience).await
    }

    async fn recommend(&self) -> Result<(), String> {
        let request = rec::RecommendRequest { customer_id: "customer-0815".to_owned(), ..Default::default() };
        self.recommendations.clone().recommend(request).await.map(drop).map_err(|status| said("Recommend", &status))
    }

    /// Through a gateway that is ready, as whoever balances in front of them sends it.
    async fn rest(&self, method: Method, path: &str, body: Bytes, patience: Duration) -> Result<(), String> {
        let known = tokio::fs::read_to_string(&*self.gateways).await.map_err(|error| error.to_string())?;
        let known: Vec<&str> = known.lines().collect();
        let Some(gateway) = known.get(rand::random_range(0..known.len().max(1))) else {
            return Err("REST: no gateway is ready".to_owned());
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{gateway}{path}"))
            .header(http::header::CONTENT_TYPE, "application/json")
            .header("request-timeout", format!("{}m", patience.as_millis()))
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        let answer = self.http.request(request).await.map_err(|error| format!("REST: {error:?}"))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|error| format!("REST: {error:?}"))?.to_bytes();
        if status.is_success() { Ok(()) } else { Err(format!("REST: {status} {}", String::from_utf8_lossy(&body))) }
    }
}

fn hold_json() -> Bytes {
    let hold = serde_json::json!({
        "requestId": RequestId::now_v7().to_string(),
        "customerId": "customer-0815",
        "lines": [{ "sku": sku_name(0), "quantity": 1 }],
    });
    hold.to_string().into()
}

fn order_json() -> Bytes {
    let order = serde_json::json!({
        "requestId": RequestId::now_v7().to_string(),
        "customerId": "customer-0815",
        "lines": [{ "sku": sku_name(0), "quantity": 1, "unitPrice": { "currencyCode": "EUR", "amountMinor": "1000" } }],
        "payment": { "provider": "sandbox", "token": "tok_ok" },
    });
    order.to_string().into()
}

fn said(call: &str, status: &Status) -> String {
    format!("{call}: {:?} {}", status.code(), status.message())
}
