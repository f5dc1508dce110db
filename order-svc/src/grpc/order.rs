//! OrderService.

use std::sync::Arc;

use holdfast_contracts::common::v1::Money as PbMoney;
use holdfast_contracts::order::v1 as pb;
use holdfast_contracts::order::v1::order_service_server::OrderService;
use holdfast_contracts::{CustomerId, RequestId};
use holdfast_platform::deadline::Deadline;
use tonic::{Request, Response, Status};

use super::page;
use super::place::parse;
use crate::domain::line::Line;
use crate::domain::money::{Currency, Money};
use crate::domain::order::{Order, OrderState, PaymentState};
use crate::domain::place::PlaceOrder;
use crate::usecase::Orders;

/// The service's face.
pub(crate) struct Api {
    orders: Arc<Orders>,
}

impl Api {
    pub(crate) const fn new(orders: Arc<Orders>) -> Self {
        Self { orders }
    }
}

#[tonic::async_trait]
impl OrderService for Api {
    async fn place_order(&self, request: Request<pb::PlaceOrderRequest>) -> Result<Response<pb::Order>, Status> {
        let deadline = Deadline::of(&request);
        let ask = PlaceOrder::try_from(request.into_inner())?;
        Ok(Response::new(self.orders.place(ask, deadline).await?.into()))
    }

    async fn get_order(&self, request: Request<pb::GetOrderRequest>) -> Result<Response<pb::Order>, Status> {
        let id: RequestId = parse("id", &request.get_ref().id)?;
        Ok(Response::new(self.orders.get(id.into()).await?.into()))
    }

    async fn list_orders(
        &self,
        request: Request<pb::ListOrdersRequest>,
    ) -> Result<Response<pb::ListOrdersResponse>, Status> {
        let request = request.into_inner();
        let customer: Option<CustomerId> = match request.customer_id.is_empty() {
            true => None,
            false => Some(parse("customer_id", &request.customer_id)?),
        };
        let size = page::parse_size(request.page_size)?;
        let below = page::parse_token(&request.page_token, customer.as_ref())?;
        let found = self.orders.list(customer.as_ref(), below, size).await?;
        Ok(Response::new(pb::ListOrdersResponse {
            orders: found.orders.into_iter().map(pb::Order::from).collect(),
            next_page_token: found.next.map(|cursor| page::write_token(cursor, customer.as_ref())).unwrap_or_default(),
        }))
    }

    async fn cancel_order(&self, request: Request<pb::CancelOrderRequest>) -> Result<Response<pb::Order>, Status> {
        let deadline = Deadline::of(&request);
        let id: RequestId = parse("id", &request.get_ref().id)?;
        Ok(Response::new(self.orders.cancel(id.into(), deadline).await?.into()))
    }
}

impl From<Order> for pb::Order {
    fn from(order: Order) -> Self {
        let Order { draft, saga, provider_payment_id, create_time, update_time, version: _ } = order;
        let payment = pb::Payment {
            provider: draft.method.provider,
            state: pb::payment::State::from(saga.payment).into(),
            amount: Some(draft.total.into()),
            provider_payment_id: provider_payment_id.unwrap_or_default(),
        };
        let currency = draft.total.currency;
        // Whoever cancels is told why; while an order is only bound to be, it may not be for sure.
        let cancel_reason = match saga.state {
            OrderState::Cancelled => saga.failure.map(|failure| failure.reason.as_str()).unwrap_or_default(),
            OrderState::Pending | OrderState::Placed => "",
        };
        Self {
            id: draft.id.to_string(),
            customer_id: draft.customer.into(),
            state: pb::order::State::from(saga.state).into(),
            lines: draft.lines.into_iter().map(|line| write_line(line, currency)).collect(),
            payment: Some(payment),
            total: Some(draft.total.into()),
            reservation_id: draft.hold.reservation_id.to_string(),
            cancel_reason: cancel_reason.to_owned(),
            create_time: Some(create_time.into()),
            update_time: Some(update_time.into()),
        }
    }
}

fn write_line(line: Line, currency: Currency) -> pb::order::Line {
    pb::order::Line {
        sku: line.sku.into(),
        quantity: i32::try_from(line.quantity).unwrap_or(i32::MAX),
        unit_price: Some(Money { currency, amount_minor: line.unit_price_minor }.into()),
        location_id: line.location.map(String::from).unwrap_or_default(),
    }
}

impl From<Money> for PbMoney {
    fn from(money: Money) -> Self {
        Self { currency_code: money.currency.to_string(), amount_minor: money.amount_minor }
    }
}

impl From<OrderState> for pb::order::State {
    fn from(state: OrderState) -> Self {
        match state {
            OrderState::Pending => Self::Pending,
            OrderState::Placed => Self::Placed,
            OrderState::Cancelled => Self::Cancelled,
        }
    }
}

impl From<PaymentState> for pb::payment::State {
    fn from(state: PaymentState) -> Self {
        match state {
            PaymentState::None => Self::None,
            PaymentState::Authorized => Self::Authorized,
            PaymentState::Captured => Self::Captured,
            PaymentState::Refunded => Self::Refunded,
            PaymentState::Failed => Self::Failed,
            PaymentState::Voided => Self::Voided,
        }
    }
}
