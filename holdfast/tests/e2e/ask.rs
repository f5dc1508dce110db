//! Requests as the stubs take them.

use holdfast_contracts::RequestId;
use holdfast_contracts::inventory::v1 as inventory;
use holdfast_contracts::order::v1 as order;
use tonic::Status;

pub(crate) fn new_id() -> String {
    RequestId::now_v7().to_string()
}

pub(crate) fn reserve(lines: &[(&str, i32)]) -> inventory::ReserveRequest {
    let line = |&(sku, quantity): &(&str, i32)| inventory::reserve_request::Line {
        sku: sku.to_owned(),
        quantity,
        ..Default::default()
    };
    inventory::ReserveRequest {
        request_id: new_id(),
        customer_id: "c1".to_owned(),
        lines: lines.iter().map(line).collect(),
        ttl: None,
    }
}

pub(crate) fn reserve_for_seconds(sku: &str, seconds: i64) -> inventory::ReserveRequest {
    inventory::ReserveRequest { ttl: Some(prost_types::Duration { seconds, nanos: 0 }), ..reserve(&[(sku, 1)]) }
}

pub(crate) fn get_reservation(id: &str) -> inventory::GetReservationRequest {
    inventory::GetReservationRequest { id: id.to_owned() }
}

pub(crate) fn receive(sku: &str, delta: i64) -> inventory::AdjustStockRequest {
    inventory::AdjustStockRequest {
        request_id: new_id(),
        sku: sku.to_owned(),
        reason: inventory::adjust_stock_request::Reason::Received.into(),
        change: Some(inventory::adjust_stock_request::Change::Delta(delta)),
        ..Default::default()
    }
}

fn sandbox(token: &str) -> Option<order::place_order_request::PaymentMethod> {
    Some(order::place_order_request::PaymentMethod { provider: "sandbox".to_owned(), token: token.to_owned() })
}

/// Buys units that nobody holds yet.
pub(crate) fn buy(sku: &str, quantity: i32, token: &str) -> order::PlaceOrderRequest {
    let line = order::place_order_request::Line { sku: sku.to_owned(), quantity, ..Default::default() };
    order::PlaceOrderRequest {
        request_id: new_id(),
        customer_id: "c1".to_owned(),
        lines: vec![line],
        payment: sandbox(token),
        reservation_id: String::new(),
    }
}

/// Buys what a reservation holds.
pub(crate) fn buy_held(reservation_id: &str, token: &str) -> order::PlaceOrderRequest {
    order::PlaceOrderRequest {
        request_id: new_id(),
        customer_id: "c1".to_owned(),
        lines: Vec::new(),
        payment: sandbox(token),
        reservation_id: reservation_id.to_owned(),
    }
}

/// The reason a refusal carries.
pub(crate) fn reason(status: &Status) -> &'static str {
    holdfast_platform::status::reason_of(status).map_or("none", |reason| reason.as_str_name())
}
