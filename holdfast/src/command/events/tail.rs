//! `holdfast events tail`: one line an event.

use std::process::ExitCode;
use std::time::Duration;

use holdfast_contracts::DESCRIPTOR_SET;
use holdfast_contracts::events::v1::Envelope;
use holdfast_platform::bus::{Delivery, Topic};
use holdfast_platform::process;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Value, json};

use super::Database;
use super::from::From;
use crate::output::Output;

/// How many events are asked for at once.
const PAGE_EVENTS_MAX: usize = 500;
/// How often to look for more.
const POLL: Duration = Duration::from_millis(50);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    database: Database,
    /// Whose events: inventory, orders.
    #[arg(long)]
    topic: Topic,
    /// Where to begin: beginning, end, after an offset, or a time (RFC 3339).
    #[arg(long, default_value = "end")]
    from: From,
    /// Only this key's: an order's id, a level's sku@location.
    #[arg(long)]
    key: Option<String>,
    /// Stop after so many events.
    #[arg(long, value_name = "EVENTS")]
    limit: Option<u64>,
    /// Stop where there are no more instead of waiting for them.
    #[arg(long)]
    once: bool,
}

pub(super) async fn run(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    let stop = process::stop_signal();
    tokio::select! {
        ended = print(args, output) => ended?,
        () = stop => {}
    }
    Ok(ExitCode::SUCCESS)
}

async fn print(args: Args, output: Output) -> anyhow::Result<()> {
    let contracts = DescriptorPool::decode(DESCRIPTOR_SET)?;
    let mut reader = args.database.bus()?.tail(&args.topic, args.from.0).await?;
    let mut left = args.limit.unwrap_or(u64::MAX);
    while left > 0 {
        let page = reader.fetch(PAGE_EVENTS_MAX).await?;
        if page.is_empty() {
            if args.once {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        let wanted = page.iter().filter(|delivery| args.key.as_ref().is_none_or(|key| is_of(delivery, key)));
        for delivery in wanted.take(usize::try_from(left).unwrap_or(usize::MAX)) {
            let document = document(&contracts, delivery);
            if output.is_json() {
                println!("{document}");
            } else {
                println!("{}", line(&document));
            }
            left -= 1;
        }
    }
    Ok(())
}

fn is_of(delivery: &Delivery, key: &str) -> bool {
    delivery.event.as_ref().is_ok_and(|event| event.key == key)
}

/// An event as JSON, its payload in Protobuf's JSON form.
fn document(contracts: &DescriptorPool, delivery: &Delivery) -> Value {
    match &delivery.event {
        Err(undecodable) => json!({"offset": delivery.offset.to_string(), "error": undecodable.to_string()}),
        Ok(event) => json!({
            "offset": delivery.offset.to_string(),
            "id": event.id,
            "type": event.r#type,
            "topic": event.topic,
            "key": event.key,
            "sequence": event.sequence,
            "occurTime": event.occur_time.map(|time| time.to_string()),
            "traceparent": event.traceparent,
            "schemaVersion": event.schema_version,
            "payload": payload(contracts, event),
        }),
    }
}

pub(super) fn payload(contracts: &DescriptorPool, event: &Envelope) -> Value {
    let decoded = contracts
        .get_message_by_name(&event.r#type)
        .ok_or_else(|| format!("the contracts have no {}", event.r#type))
        .and_then(|it| DynamicMessage::decode(it, event.payload.as_slice()).map_err(|error| error.to_string()))
        .and_then(|message| serde_json::to_value(message).map_err(|error| error.to_string()));
    decoded.unwrap_or_else(|error| json!({ "error": error }))
}

fn line(document: &Value) -> String {
    let text = |name: &str| document[name].as_str().unwrap_or("-").to_owned();
    match document["error"].as_str() {
        Some(error) => format!("{}  undecodable: {error}", text("offset")),
        None => {
            let name = text("type");
            let name = name.rsplit('.').next().unwrap_or_default();
            let (sequence, payload) = (&document["sequence"], &document["payload"]);
            format!("{}  {}  {} #{sequence}  {name} {payload}", text("offset"), text("occurTime"), text("key"))
        }
    }
}
