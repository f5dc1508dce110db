//! One's own events, as the service takes them: CSV with a header, or a JSON object a line. Fields: `kind` (VIEW,
//! `ADD_TO_CART`, PURCHASE), `product_id`, `event_time` (RFC 3339, or seconds since 1970), `customer_id` or `session_id`.

use std::path::Path;

use holdfast_contracts::RequestId;
use uuid::Uuid;

use super::{DataError, Rows, field, read_text};
use crate::domain::{Actor, Event, Kind, Time};

const FIELDS: [&str; 5] = ["kind", "product_id", "event_time", "customer_id", "session_id"];

/// In order of time; those of one moment in the file's order.
pub(in crate::eval) fn read(path: &Path) -> Result<Vec<Event>, DataError> {
    let mut events = Vec::new();
    let mut take = |row: &[&str]| {
        events.push(parse(events.len(), row)?);
        Ok(())
    };
    if path.extension().is_some_and(|extension| extension == "jsonl" || extension == "ndjson") {
        for (line, text) in (1..).zip(read_text(path)?.lines()).filter(|(_, text)| !text.trim().is_empty()) {
            let bad = |problem| DataError::Line { path: path.to_owned(), line, problem };
            let object: serde_json::Value = serde_json::from_str(text).map_err(|cause| bad(cause.to_string()))?;
            let row = FIELDS.map(|name| match &object[name] {
                serde_json::Value::Null => String::new(),
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            take(&row.each_ref().map(String::as_str)).map_err(bad)?;
        }
    } else {
        Rows::open(path, b',', &FIELDS)?.each(take)?;
    }
    events.sort_by_key(|event| event.time);
    Ok(events)
}

fn parse(number: usize, row: &[&str]) -> Result<Event, String> {
    let given = |name, text: &str| if text.is_empty() { Ok(None) } else { field(name, text).map(Some) };
    let session = if row[4].is_empty() { None } else { Some(field("session_id", row[4])?) };
    let kind = match row[0] {
        "VIEW" => Kind::View,
        "ADD_TO_CART" => Kind::AddToCart,
        "PURCHASE" => Kind::Purchase,
        other => return Err(format!("kind {other:?} is none of VIEW, ADD_TO_CART, PURCHASE")),
    };
    Ok(Event {
        id: RequestId::from_uuid(Uuid::from_u128(number as u128 + 1)),
        kind,
        actor: Actor::new(given("customer_id", row[3])?, session)
            .ok_or("neither customer_id nor session_id is given")?,
        product: field("product_id", row[1])?,
        time: parse_time(row[2])?,
    })
}

fn parse_time(text: &str) -> Result<Time, String> {
    let ms = match text.parse::<f64>() {
        Ok(seconds) if (0.0..1e12).contains(&seconds) => Some((seconds * 1_000.0) as i64),
        Ok(_) => None,
        Err(_) => text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond),
    };
    ms.and_then(Time::from_ms).ok_or_else(|| format!("event_time {text:?} is neither RFC 3339 nor seconds since 1970"))
}
