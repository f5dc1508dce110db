//! Stock and its ledger at the border.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::events::v1 as events;
use holdfast_contracts::inventory::v1 as pb;
use holdfast_contracts::inventory::v1::adjust_stock_request as adjust;
use holdfast_platform::status::Refusal;

use super::time::timestamp;
use crate::domain::command::{AdjustReason, AdjustedQuantity, Adjustment, Change};
use crate::domain::effects::MovementKind;
use crate::domain::level::{Level, LevelId, LevelRef, Quantities, UNITS_MAX, Version};
use crate::domain::time::Micros;
use crate::store::movement::Movement;
use crate::usecase::adjust::AdjustRequest;
use crate::usecase::read::{Consistency, LedgerPosition, Stock};

/// Where an adjustment names no location.
const LOCATION_DEFAULT: &str = "main";

impl From<Quantities> for pb::Quantities {
    fn from(quantities: Quantities) -> Self {
        let available = quantities.available();
        let Quantities { on_hand, unavailable, safety, held, committed, incoming, in_transit } = quantities;
        Self { on_hand, unavailable, safety, held, committed, incoming, in_transit, available }
    }
}

pub(super) fn stock_level(level_ref: &LevelRef, level: Level, updated_at: Option<Micros>) -> pb::StockLevel {
    pb::StockLevel {
        sku: level_ref.sku.to_string(),
        location_id: level_ref.location.to_string(),
        quantities: Some(level.quantities.into()),
        version: level.version.0,
        update_time: updated_at.map(timestamp),
        etag: etag(level.version),
    }
}

impl From<Stock> for pb::Stock {
    fn from(stock: Stock) -> Self {
        let (total, version) = (stock.total(), stock.version());
        let levels = stock.levels.iter();
        Self {
            sku: stock.sku.to_string(),
            total: Some(total.into()),
            levels: levels.map(|level| stock_level(&level.level_ref, level.level, level.updated_at)).collect(),
            version: version.0,
            etag: etag(version),
        }
    }
}

fn etag(version: Version) -> String {
    format!("\"{version}\"")
}

pub(super) fn adjusted(level: &LevelRef, adjustment: &Adjustment) -> pb::StockLevel {
    stock_level(level, adjustment.after, Some(adjustment.created_at))
}

impl TryFrom<pb::AdjustStockRequest> for AdjustRequest {
    type Error = Refusal;

    fn try_from(request: pb::AdjustStockRequest) -> Result<Self, Refusal> {
        let reason = parse_reason(request.reason())?;
        let quantity = parse_quantity(request.quantity());
        let location = Some(request.location_id.as_str()).filter(|id| !id.is_empty()).unwrap_or(LOCATION_DEFAULT);
        let change = match request.change {
            Some(adjust::Change::Delta(delta)) => Change::By(bounded("delta", delta, -UNITS_MAX)?),
            Some(adjust::Change::Set(value)) => Change::To(bounded("set", value, 0)?),
            None => return Err(Refusal::invalid("delta", "or set must be given")),
        };
        if change == Change::By(0) {
            return Err(Refusal::invalid("delta", "must not be 0"));
        }
        if let Some(version) = request.expected_version.filter(|version| *version < 0) {
            return Err(Refusal::invalid("expected_version", format!("is {version}: must not be negative")));
        }
        if matches!(change, Change::To(_)) && request.expected_version.is_none() {
            let message = "an absolute change must give expected_version: the version it was based on";
            return Err(Refusal::new(Reason::ExpectedVersionRequired, message).with("sku", &request.sku));
        }
        Ok(Self {
            id: request.request_id.parse().map_err(|error| Refusal::invalid("request_id", error))?,
            sku: request.sku.parse().map_err(|error| Refusal::invalid("sku", error))?,
            location: location.parse().map_err(|error| Refusal::invalid("location_id", error))?,
            quantity,
            change,
            reason,
            expected_version: request.expected_version.map(Version),
        })
    }
}

fn bounded(field: &str, value: i64, min: i64) -> Result<i64, Refusal> {
    if (min..=UNITS_MAX).contains(&value) {
        return Ok(value);
    }
    Err(Refusal::invalid(field, format!("is {value}: must be between {min} and {UNITS_MAX}")))
}

fn parse_reason(reason: adjust::Reason) -> Result<AdjustReason, Refusal> {
    Ok(match reason {
        adjust::Reason::Unspecified => return Err(Refusal::invalid("reason", "must be given")),
        adjust::Reason::Received => AdjustReason::Received,
        adjust::Reason::Counted => AdjustReason::Counted,
        adjust::Reason::Damaged => AdjustReason::Damaged,
        adjust::Reason::Returned => AdjustReason::Returned,
        adjust::Reason::Corrected => AdjustReason::Corrected,
        adjust::Reason::Feed => AdjustReason::Feed,
    })
}

fn parse_quantity(quantity: adjust::Quantity) -> AdjustedQuantity {
    match quantity {
        adjust::Quantity::Unspecified | adjust::Quantity::OnHand => AdjustedQuantity::OnHand,
        adjust::Quantity::Unavailable => AdjustedQuantity::Unavailable,
        adjust::Quantity::Safety => AdjustedQuantity::Safety,
        adjust::Quantity::Incoming => AdjustedQuantity::Incoming,
        adjust::Quantity::InTransit => AdjustedQuantity::InTransit,
    }
}

impl From<pb::ReadConsistency> for Consistency {
    fn from(consistency: pb::ReadConsistency) -> Self {
        match consistency {
            pb::ReadConsistency::Unspecified | pb::ReadConsistency::Strong => Self::Strong,
            pb::ReadConsistency::Cached => Self::Cached,
        }
    }
}

pub(super) fn movement(level: &LevelRef, movement: &Movement) -> events::Movement {
    let reason = movement.reason.and_then(|reason| adjust::Reason::try_from(i32::from(reason)).ok());
    events::Movement {
        sku: level.sku.to_string(),
        location_id: level.location.to_string(),
        version: movement.version.0,
        kind: events::movement::Kind::from(movement.kind).into(),
        quantity: movement.quantity,
        reservation_id: movement.reservation.map(|id| id.to_string()).unwrap_or_default(),
        reason: reason.map(|reason| reason.as_str_name().to_owned()).unwrap_or_default(),
        create_time: Some(timestamp(movement.created_at)),
    }
}

impl From<MovementKind> for events::movement::Kind {
    fn from(kind: MovementKind) -> Self {
        match kind {
            MovementKind::Held => Self::Held,
            MovementKind::Released => Self::Released,
            MovementKind::Expired => Self::Expired,
            MovementKind::Confirmed => Self::Confirmed,
            MovementKind::Restocked => Self::Restocked,
            MovementKind::OnHandAdjusted => Self::OnHandAdjusted,
            MovementKind::UnavailableAdjusted => Self::UnavailableAdjusted,
            MovementKind::SafetyAdjusted => Self::SafetyAdjusted,
            MovementKind::IncomingAdjusted => Self::IncomingAdjusted,
            MovementKind::InTransitAdjusted => Self::InTransitAdjusted,
        }
    }
}

/// Page tokens of the ledger: opaque, but only ours are taken.
pub(super) fn encode_position(position: LedgerPosition) -> String {
    URL_SAFE_NO_PAD.encode(format!("m1:{}:{}", position.level.0, position.version.0))
}

pub(super) fn decode_position(token: &str) -> Result<Option<LedgerPosition>, Refusal> {
    if token.is_empty() {
        return Ok(None);
    }
    let parse = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        let (level, version) = text.strip_prefix("m1:")?.split_once(':')?;
        Some(LedgerPosition { level: LevelId(level.parse().ok()?), version: Version(version.parse().ok()?) })
    };
    parse().map(Some).ok_or_else(|| Refusal::invalid("page_token", "is not one that ListMovements gave"))
}
