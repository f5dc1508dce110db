//! The stock and the catalogue, asked over gRPC. Every call has a deadline of its own.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::inventory::v1 as pb;
use holdfast_contracts::inventory::v1::catalog_service_client::CatalogServiceClient;
use holdfast_contracts::inventory::v1::inventory_service_client::InventoryServiceClient;
use holdfast_contracts::{CustomerId, Sku};
use holdfast_platform::client::Wire;
use holdfast_platform::deadline::Deadline;
use holdfast_platform::status::{metadata_of, reason_of};
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::domain::failure::{Failure, FailureReason, METADATA_KEYS};
use crate::domain::line::{HeldLine, Line};
use crate::domain::money::Money;

/// Why the stock did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AskError {
    /// Nobody knows whether it took effect.
    #[error("no answer from the stock: {0}")]
    Unanswered(String),
    #[error("the stock refused: {}", .0.message)]
    Refused(Failure),
}

/// Where a reservation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldState {
    Held,
    Paying,
    Confirmed,
    Released,
    Expired,
}

/// A reservation, as far as an order cares.
#[derive(Debug, Clone)]
pub(crate) struct Reservation {
    pub(crate) customer: String,
    pub(crate) state: HoldState,
    pub(crate) lines: Vec<HeldLine>,
}

/// The port.
pub(crate) struct Inventory {
    stock: InventoryServiceClient<Wire>,
    catalogue: CatalogServiceClient<Wire>,
    timeout: Duration,
}

impl Inventory {
    pub(crate) fn new(wire: Wire, timeout: Duration) -> Self {
        Self { stock: InventoryServiceClient::new(wire.clone()), catalogue: CatalogServiceClient::new(wire), timeout }
    }

    /// Holds the lines. A repeat answers the same reservation.
    pub(crate) async fn ask_reserve(
        &self,
        id: Uuid,
        customer: &CustomerId,
        lines: &[Line],
    ) -> Result<Reservation, AskError> {
        let lines = lines.iter().map(|line| pb::reserve_request::Line {
            sku: line.sku.as_str().to_owned(),
            quantity: i32::try_from(line.quantity).unwrap_or(i32::MAX),
            location_id: line.location.as_ref().map(|location| location.as_str().to_owned()).unwrap_or_default(),
            expected_version: None,
        });
        let request = pb::ReserveRequest {
            request_id: id.to_string(),
            customer_id: customer.as_str().to_owned(),
            lines: lines.collect(),
            ttl: None,
        };
        let mut stock = self.stock.clone();
        self.ask(request, |request| async move { stock.reserve(request).await }).await?.try_into()
    }

    pub(crate) async fn ask_reservation(&self, id: Uuid, timeout: Duration) -> Result<Reservation, AskError> {
        let request = pb::GetReservationRequest { id: id.to_string() };
        let mut stock = self.stock.clone();
        let timeout = timeout.min(self.timeout);
        ask_within(timeout, request, |request| async move { stock.get_reservation(request).await }).await?.try_into()
    }

    /// Stops the shopper's clock.
    pub(crate) async fn ask_begin_payment(&self, id: Uuid) -> Result<(), AskError> {
        let request = pb::BeginPaymentRequest { id: id.to_string() };
        let mut stock = self.stock.clone();
        self.ask(request, |request| async move { stock.begin_payment(request).await }).await.map(drop)
    }

    pub(crate) async fn ask_confirm(&self, id: Uuid) -> Result<(), AskError> {
        let request = pb::ConfirmReservationRequest { id: id.to_string() };
        let mut stock = self.stock.clone();
        self.ask(request, |request| async move { stock.confirm_reservation(request).await }).await.map(drop)
    }

    pub(crate) async fn ask_release(&self, id: Uuid) -> Result<(), AskError> {
        let request = pb::ReleaseReservationRequest { id: id.to_string() };
        let mut stock = self.stock.clone();
        self.ask(request, |request| async move { stock.release_reservation(request).await }).await.map(drop)
    }

    pub(crate) async fn ask_restock(&self, id: Uuid) -> Result<(), AskError> {
        let request = pb::RestockReservationRequest { id: id.to_string() };
        let mut stock = self.stock.clone();
        self.ask(request, |request| async move { stock.restock_reservation(request).await }).await.map(drop)
    }

    /// The catalogue's prices, where it has them. A price it should not have is as good as none.
    pub(crate) async fn ask_prices(&self, skus: &[Sku], timeout: Duration) -> Result<HashMap<Sku, Money>, AskError> {
        let skus = skus.iter().map(|sku| sku.as_str().to_owned()).collect();
        let mut catalogue = self.catalogue.clone();
        let found = ask_within(timeout.min(self.timeout), pb::BatchGetVariantsRequest { skus }, |request| async move {
            catalogue.batch_get_variants(request).await
        })
        .await?;
        let priced = found.variants.into_iter().filter_map(|found| found.variant).filter_map(|variant| {
            let price = variant.price.filter(|price| price.amount_minor >= 0)?;
            let currency = price.currency_code.parse().ok()?;
            Some((variant.sku.parse().ok()?, Money { currency, amount_minor: price.amount_minor }))
        });
        Ok(priced.collect())
    }

    async fn ask<Q, A, F>(&self, request: Q, call: impl FnOnce(Request<Q>) -> F) -> Result<A, AskError>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        ask_within(self.timeout, request, call).await
    }
}

/// Waits no longer than `timeout`: in one process nobody else would stop the call.
async fn ask_within<Q, A, F>(timeout: Duration, request: Q, call: impl FnOnce(Request<Q>) -> F) -> Result<A, AskError>
where
    F: Future<Output = Result<Response<A>, Status>>,
{
    let deadline = Deadline::after(timeout);
    match tokio::time::timeout_at(deadline.instant(), call(deadline.request(request))).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(read_refusal(&status)),
        Err(_) => Err(AskError::Unanswered(format!("nothing within {} ms", timeout.as_millis()))),
    }
}

/// Tells refusals, which end the matter, from answers that leave it open.
fn read_refusal(status: &Status) -> AskError {
    match status.code() {
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unauthenticated
        | Code::Unimplemented => AskError::Refused(read_failure(status)),
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => AskError::Unanswered(format!("{:?}: {}", status.code(), status.message())),
    }
}

fn read_failure(status: &Status) -> Failure {
    let reason = match reason_of(status) {
        Some(Reason::InsufficientStock) => FailureReason::InsufficientStock,
        Some(Reason::SkuNotFound) => FailureReason::SkuNotFound,
        Some(Reason::LocationNotFound) => FailureReason::LocationNotFound,
        Some(Reason::ReservationNotFound) => FailureReason::ReservationNotFound,
        Some(Reason::ReservationExpired) => FailureReason::ReservationExpired,
        Some(Reason::ReservationState | Reason::RequestIdReused) => FailureReason::ReservationState,
        other => {
            tracing::error!(reason = ?other, code = ?status.code(), message = status.message(), "unforeseen refusal");
            return Failure::new(FailureReason::Internal, "something went wrong on our side");
        }
    };
    let metadata = METADATA_KEYS.into_iter().filter_map(|key| Some((key, metadata_of(status, key)?)));
    Failure { reason, message: status.message().to_owned(), metadata: metadata.collect() }
}

impl TryFrom<pb::Reservation> for Reservation {
    type Error = AskError;

    fn try_from(found: pb::Reservation) -> Result<Self, AskError> {
        let state = match found.state() {
            pb::reservation::State::Held => HoldState::Held,
            pb::reservation::State::Paying => HoldState::Paying,
            pb::reservation::State::Confirmed => HoldState::Confirmed,
            pb::reservation::State::Released => HoldState::Released,
            pb::reservation::State::Expired => HoldState::Expired,
            pb::reservation::State::Unspecified => return Err(unreadable("state")),
        };
        let lines = found.lines.into_iter().map(|line| {
            Ok(HeldLine {
                sku: line.sku.parse().map_err(|_| unreadable("sku"))?,
                quantity: u32::try_from(line.quantity).map_err(|_| unreadable("quantity"))?,
                location: line.location_id.parse().map_err(|_| unreadable("location_id"))?,
            })
        });
        Ok(Self { customer: found.customer_id, state, lines: lines.collect::<Result<_, AskError>>()? })
    }
}

fn unreadable(field: &str) -> AskError {
    AskError::Unanswered(format!("a reservation whose {field} cannot be read"))
}
