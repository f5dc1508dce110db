//! Reservations at the border.

use std::collections::HashSet;

use holdfast_contracts::inventory::v1 as pb;
use holdfast_platform::status::Refusal;

use super::time::{parse_ttl, timestamp};
use crate::domain::command::{LINE_UNITS_MAX, LINES_MAX};
use crate::domain::level::Version;
use crate::domain::reservation::{Line, Reservation, State};
use crate::usecase::reserve::{ReserveRequest, WantedLine};

impl TryFrom<pb::ReserveRequest> for ReserveRequest {
    type Error = Refusal;

    fn try_from(request: pb::ReserveRequest) -> Result<Self, Refusal> {
        let id = request.request_id.parse().map_err(|error| Refusal::invalid("request_id", error))?;
        let customer = request.customer_id.parse().map_err(|error| Refusal::invalid("customer_id", error))?;
        if request.lines.is_empty() {
            return Err(Refusal::invalid("lines", "must not be empty"));
        }
        if request.lines.len() > LINES_MAX {
            let problem = format!("has {} lines: at most {LINES_MAX} are accepted", request.lines.len());
            return Err(Refusal::invalid("lines", problem));
        }
        let lines = request.lines.into_iter().enumerate().map(|(number, line)| parse_line(number, line));
        let lines: Vec<WantedLine> = lines.collect::<Result<_, _>>()?;
        check_distinct(&lines)?;
        Ok(Self { id, customer, lines, ttl: parse_ttl(request.ttl)? })
    }
}

fn parse_line(number: usize, line: pb::reserve_request::Line) -> Result<WantedLine, Refusal> {
    let field = |name: &str| format!("lines[{number}].{name}");
    if !(1..=LINE_UNITS_MAX).contains(&line.quantity) {
        let problem = format!("is {}: must be between 1 and {LINE_UNITS_MAX}", line.quantity);
        return Err(Refusal::invalid(field("quantity"), problem));
    }
    if let Some(version) = line.expected_version.filter(|version| *version < 0) {
        let problem = format!("is {version}: must not be negative");
        return Err(Refusal::invalid(field("expected_version"), problem));
    }
    let location = Some(line.location_id).filter(|id| !id.is_empty()).map(|id| id.parse()).transpose();
    Ok(WantedLine {
        sku: line.sku.parse().map_err(|error| Refusal::invalid(field("sku"), error))?,
        quantity: line.quantity,
        location: location.map_err(|error| Refusal::invalid(field("location_id"), error))?,
        expected_version: line.expected_version.map(Version),
    })
}

/// Each SKU and location once: two lines for one shelf are one line with the sum.
fn check_distinct(lines: &[WantedLine]) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    for (number, line) in lines.iter().enumerate() {
        if !seen.insert((&line.sku, &line.location)) {
            let problem = format!("repeats {}: add the quantities up in one line", line.sku);
            return Err(Refusal::invalid(format!("lines[{number}].sku"), problem));
        }
    }
    Ok(())
}

impl From<Reservation> for pb::Reservation {
    fn from(reservation: Reservation) -> Self {
        Self {
            id: reservation.id.to_string(),
            customer_id: reservation.customer.into(),
            state: pb::reservation::State::from(reservation.state).into(),
            lines: reservation.lines.into_iter().map(Into::into).collect(),
            create_time: Some(timestamp(reservation.created_at)),
            expire_time: Some(timestamp(reservation.expires_at)),
            restocked: reservation.restocked,
        }
    }
}

impl From<Line> for pb::reservation::Line {
    fn from(line: Line) -> Self {
        Self {
            sku: line.level.sku.into(),
            location_id: line.level.location.into(),
            quantity: line.quantity,
            version: line.version.0,
        }
    }
}

impl From<State> for pb::reservation::State {
    fn from(state: State) -> Self {
        match state {
            State::Held => Self::Held,
            State::Paying => Self::Paying,
            State::Confirmed => Self::Confirmed,
            State::Released => Self::Released,
            State::Expired => Self::Expired,
        }
    }
}
