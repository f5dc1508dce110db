//! The table `orders.sales_order`, and `orders.event` beside it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use holdfast_contracts::{CustomerId, LocationId, Sku};
use holdfast_platform::pg::{self, Execute, Params};
use holdfast_platform::telemetry::trace;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::StoreError;
use crate::domain::failure::{Failure, METADATA_KEYS};
use crate::domain::line::Line;
use crate::domain::money::Money;
use crate::domain::order::{Draft, Hold, Order, OrderId, PaymentMethod};
use crate::domain::saga::Saga;

/// Until when an order is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// As it was: the lease still lasts.
    Keep,
    In(Duration),
    /// At rest.
    Never,
}

/// Where a list goes on: below this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) create_time: SystemTime,
    pub(crate) id: Uuid,
}

impl Cursor {
    /// Above every order: the last second of the year 9999.
    pub(crate) fn top() -> Self {
        Self {
            create_time: SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799),
            id: Uuid::from_u128(u128::MAX),
        }
    }

    pub(crate) fn of(order: &Order) -> Self {
        Self { create_time: order.create_time, id: order.id().uuid() }
    }
}

/// Writes a new order down and takes its lease. `None` where its id or its reservation is taken.
pub(crate) async fn insert_order(
    db: &impl Execute,
    draft: &Draft,
    lease: Duration,
) -> Result<Option<Order>, StoreError> {
    let saga = Saga::start();
    let params: Params<'_> = &[
        &draft.id.uuid(),
        &draft.fingerprint,
        &draft.customer.as_str(),
        &saga.state.as_str(),
        &saga.payment.as_str(),
        &saga.step.as_str(),
        &millis(lease),
        &draft.hold.reservation_id,
        &draft.hold.taken_over,
        &stored_lines(&draft.lines),
        &draft.total.currency.as_str(),
        &draft.total.amount_minor,
        &draft.method.provider,
        &draft.method.token,
        &traceparent(),
    ];
    let row = db.query_opt(include_str!("sql/insert_order.sql"), params).await?;
    Ok(row.map(|row| {
        let create_time = row.get("create_time");
        Order {
            draft: draft.clone(),
            saga,
            version: row.get("version"),
            provider_payment_id: None,
            create_time,
            update_time: create_time,
        }
    }))
}

/// Writes a saga's next step with what was learned on the way (`order` as it should be, its `version` as it was
/// seen). False where somebody else wrote since.
pub(crate) async fn save_order(
    db: &impl Execute,
    order: &mut Order,
    due: Due,
    lines_changed: bool,
    told: bool,
) -> Result<bool, StoreError> {
    let (keep, due_ms) = match due {
        Due::Keep => (true, None),
        Due::In(delay) => (false, Some(millis(delay))),
        Due::Never => (false, None),
    };
    let failure = order.saga.failure.as_ref();
    let params: Params<'_> = &[
        &order.id().uuid(),
        &order.version,
        &order.saga.step.as_str(),
        &order.saga.state.as_str(),
        &order.saga.payment.as_str(),
        &order.saga.attempts,
        &keep,
        &due_ms,
        &lines_changed.then(|| stored_lines(&order.draft.lines)),
        &order.provider_payment_id,
        &failure.map(|failure| failure.reason.as_str()),
        &failure.map(|failure| Json(Detail::from(failure))),
        &told,
        &traceparent(),
    ];
    let Some(row) = db.query_opt(include_str!("sql/save_order.sql"), params).await? else { return Ok(false) };
    order.version = row.get("version");
    order.update_time = row.get("update_time");
    Ok(true)
}

/// Where the order's trace goes on: with whoever reads its event.
fn traceparent() -> Option<String> {
    trace::current().map(|context| context.to_string())
}

/// Makes events that came from another server readable on this one; does nothing to any other.
pub(crate) async fn rebase_events(db: &impl Execute) -> Result<u64, pg::Error> {
    db.execute(include_str!("sql/rebase_events.sql"), &[]).await
}

pub(crate) async fn load_order(db: &impl Execute, id: OrderId) -> Result<Option<Order>, StoreError> {
    let row = db.query_opt(include_str!("sql/load_order.sql"), &[&id.uuid()]).await?;
    row.as_ref().map(read_order).transpose()
}

/// Takes the lease of one order; `None` where somebody has it or the order is at rest.
pub(crate) async fn claim_order(db: &impl Execute, id: OrderId, lease: Duration) -> Result<Option<Order>, StoreError> {
    let row = db.query_opt(include_str!("sql/claim_order.sql"), &[&id.uuid(), &millis(lease)]).await?;
    row.as_ref().map(read_order).transpose()
}

/// Takes the leases of up to `count_max` orders whose time has come; each that can be read, or why it cannot.
pub(crate) async fn claim_due_orders(
    db: &impl Execute,
    count_max: i64,
    lease: Duration,
) -> Result<Vec<Result<Order, StoreError>>, StoreError> {
    let rows = db.query(include_str!("sql/claim_due_orders.sql"), &[&count_max, &millis(lease)]).await?;
    Ok(rows.iter().map(read_order).collect())
}

/// Everybody's orders below a cursor, newest first.
pub(crate) async fn list_orders(db: &impl Execute, below: Cursor, count_max: i64) -> Result<Vec<Order>, StoreError> {
    let params: Params<'_> = &[&below.create_time, &below.id, &count_max];
    let rows = db.query(include_str!("sql/list_orders.sql"), params).await?;
    rows.iter().map(read_order).collect()
}

/// One customer's orders below a cursor, newest first.
pub(crate) async fn list_customer_orders(
    db: &impl Execute,
    customer: &CustomerId,
    below: Cursor,
    count_max: i64,
) -> Result<Vec<Order>, StoreError> {
    let params: Params<'_> = &[&below.create_time, &below.id, &count_max, &customer.as_str()];
    let rows = db.query(include_str!("sql/list_customer_orders.sql"), params).await?;
    rows.iter().map(read_order).collect()
}

/// A line as it is kept in jsonb.
#[derive(Debug, Serialize, Deserialize)]
struct StoredLine {
    sku: String,
    quantity: u32,
    unit_price_minor: i64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    location_id: Option<String>,
}

/// A failure's words as they are kept in jsonb.
#[derive(Debug, Serialize, Deserialize)]
struct Detail {
    message: String,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

impl From<&Failure> for Detail {
    fn from(failure: &Failure) -> Self {
        Self {
            message: failure.message.clone(),
            metadata: failure.metadata.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
        }
    }
}

fn stored_lines(lines: &[Line]) -> Json<Vec<StoredLine>> {
    let stored = lines.iter().map(|line| StoredLine {
        sku: line.sku.as_str().to_owned(),
        quantity: line.quantity,
        unit_price_minor: line.unit_price_minor,
        location_id: line.location.as_ref().map(|location| location.as_str().to_owned()),
    });
    Json(stored.collect())
}

fn read_order(row: &Row) -> Result<Order, StoreError> {
    let Json(lines): Json<Vec<StoredLine>> = read(row, "lines")?;
    let reason: Option<&str> = read(row, "cancel_reason")?;
    let failure = match reason {
        None => None,
        Some(word) => {
            let detail: Option<Json<Detail>> = read(row, "cancel_detail")?;
            let (message, mut metadata) =
                detail.map_or_else(Default::default, |Json(detail)| (detail.message, detail.metadata));
            let reason = word.parse().map_err(StoreError::word("cancel_reason"))?;
            let known = METADATA_KEYS.into_iter().filter_map(|key| Some((key, metadata.remove(key)?)));
            Some(Failure { reason, message, metadata: known.collect() })
        }
    };
    Ok(Order {
        draft: Draft {
            id: OrderId::from_uuid(read(row, "id")?),
            fingerprint: read(row, "fingerprint")?,
            customer: parse(row, "customer_id")?,
            lines: lines.into_iter().map(read_line).collect::<Result<_, _>>()?,
            total: Money { currency: parse(row, "currency")?, amount_minor: read(row, "total_minor")? },
            method: PaymentMethod { provider: read(row, "payment_provider")?, token: read(row, "payment_token")? },
            hold: Hold {
                reservation_id: read(row, "reservation_id")?,
                taken_over: read(row, "reservation_taken_over")?,
            },
        },
        saga: Saga {
            step: parse(row, "step")?,
            state: parse(row, "state")?,
            payment: parse(row, "payment_state")?,
            failure,
            attempts: read(row, "attempts")?,
        },
        version: read(row, "version")?,
        provider_payment_id: read(row, "provider_payment_id")?,
        create_time: read(row, "create_time")?,
        update_time: read(row, "update_time")?,
    })
}

fn read_line(line: StoredLine) -> Result<Line, StoreError> {
    let corrupt = |error: &dyn Display| StoreError::Corrupt { column: "lines", problem: error.to_string() };
    Ok(Line {
        sku: line.sku.parse::<Sku>().map_err(|error| corrupt(&error))?,
        quantity: line.quantity,
        unit_price_minor: line.unit_price_minor,
        location: line
            .location_id
            .map(|location| location.parse::<LocationId>())
            .transpose()
            .map_err(|error| corrupt(&error))?,
    })
}

fn read<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, column: &'static str) -> Result<T, StoreError> {
    row.try_get(column).map_err(|error| StoreError::Corrupt { column, problem: error.to_string() })
}

fn parse<T>(row: &Row, column: &'static str) -> Result<T, StoreError>
where
    T: FromStr<Err: Display>,
{
    let text: &str = read(row, column)?;
    text.parse().map_err(|error: T::Err| StoreError::Corrupt { column, problem: error.to_string() })
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
