//! An event as a record: the key decides the partition, the value is the envelope, and headers repeat what tools that
//! know no envelope can use.

use holdfast_contracts::events::v1::Envelope;
use prost::Message as _;
use rdkafka::Message;
use rdkafka::message::{Header, OwnedHeaders};

use crate::bus::Undecodable;

/// Headers: names as CloudEvents' Kafka binding has them, and W3C's own.
const ID: &str = "ce_id";
const TYPE: &str = "ce_type";
const TRACEPARENT: &str = "traceparent";

pub(super) fn headers(event: &Envelope) -> OwnedHeaders {
    let mut headers = OwnedHeaders::new_with_capacity(3);
    for (key, value) in [(ID, &event.id), (TYPE, &event.r#type), (TRACEPARENT, &event.traceparent)] {
        if !value.is_empty() {
            headers = headers.insert(Header { key, value: Some(value) });
        }
    }
    headers
}

pub(super) fn event(record: &impl Message) -> Result<Envelope, Undecodable> {
    let bytes = record.payload().unwrap_or_default();
    let undecodable = |cause: String| Undecodable { bytes: bytes.to_vec(), cause };
    let event = Envelope::decode(bytes).map_err(|error| undecodable(error.to_string()))?;
    // Somebody else's record may well decode as an envelope with nothing in it.
    if event.id.is_empty() || event.key.is_empty() {
        return Err(undecodable("an envelope without an id or a key".to_owned()));
    }
    Ok(event)
}
