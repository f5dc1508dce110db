//! `holdfast events parked`: what consumers could not handle, to be looked at, tried again or given up.

use std::process::ExitCode;

use anyhow::ensure;
use clap::Subcommand;
use holdfast_contracts::DESCRIPTOR_SET;
use holdfast_platform::bus::Group;
use holdfast_platform::bus::inbox::{Inbox, Parked};
use holdfast_platform::pg::Connection;
use jiff::Timestamp;
use prost_reflect::DescriptorPool;
use serde_json::{Value, json};

use super::Database;
use super::tail::payload;
use crate::output::Output;

/// How many are listed.
const LISTED_MAX: i64 = 1_000;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List a group's parked events, oldest first.
    List(Which),
    /// Have the group's consumer try parked events again, in the order of their key.
    Retry(Retry),
    /// Give a parked event up for good; those of its key that waited behind it go on.
    Drop(Drop),
}

#[derive(Debug, clap::Args)]
struct Which {
    #[command(flatten)]
    database: Database,
    /// Whose: recs.purchases.
    #[arg(long)]
    group: Group,
}

#[derive(Debug, clap::Args)]
struct Retry {
    #[command(flatten)]
    which: Which,
    /// Only this event, by its id; all of the group's where not given.
    #[arg(long, value_name = "EVENT")]
    id: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Drop {
    #[command(flatten)]
    which: Which,
    /// The event, by its id.
    #[arg(long, value_name = "EVENT")]
    id: String,
}

impl Which {
    async fn open(&self) -> anyhow::Result<(Inbox, Connection)> {
        // Any topic: what is parked is the group's, of every one.
        let inbox = Inbox::new(self.group.schema().parse()?, self.group.clone());
        let db = inbox.connect(&self.database.database_url).await?;
        Ok((inbox, db))
    }
}

pub(super) async fn run(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List(which) => list(&which, output).await?,
        Command::Retry(Retry { which, id }) => {
            let (inbox, db) = which.open().await?;
            let released = inbox.release_parked(&db, id.as_deref()).await?;
            ensure!(released > 0, "nothing of {} is parked under that id", which.group);
            if output.is_json() {
                println!("{}", json!({"released": released}));
            } else {
                println!("{released} to be tried again: `holdfast events parked list` shows what still fails");
            }
        }
        Command::Drop(Drop { which, id }) => {
            let (inbox, db) = which.open().await?;
            let dropped = inbox.drop_parked(&db, &id).await?;
            ensure!(dropped, "nothing of {} is parked as {id}", which.group);
            if output.is_json() {
                println!("{}", json!({"dropped": id}));
            } else {
                println!("{id} is given up");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(which: &Which, output: Output) -> anyhow::Result<()> {
    let (inbox, db) = which.open().await?;
    let parked = inbox.list_parked(&db, LISTED_MAX).await?;
    if output.is_json() {
        let contracts = DescriptorPool::decode(DESCRIPTOR_SET)?;
        let documents: Vec<Value> = parked.iter().map(|it| document(&contracts, it)).collect();
        println!("{:#}", json!({"parked": documents}));
    } else if parked.is_empty() {
        println!("nothing is parked for {}", which.group);
    } else {
        parked.iter().for_each(|it| println!("{}", line(it)));
    }
    Ok(())
}

fn document(contracts: &DescriptorPool, parked: &Parked) -> Value {
    json!({
        "id": parked.event_id,
        "topic": parked.topic,
        "key": parked.key,
        "sequence": parked.sequence,
        "cause": parked.cause,
        "attempts": parked.attempts,
        "released": parked.released,
        "parkTime": Timestamp::try_from(parked.parked_at).map(|time| time.to_string()).ok(),
        "payload": parked.event.as_ref().map(|event| payload(contracts, event)),
    })
}

fn line(parked: &Parked) -> String {
    let Parked { event_id, topic, key, sequence, attempts, .. } = parked;
    let why = match &parked.cause {
        Some(cause) => format!("{cause} ({attempts} times)"),
        None => "waits behind an earlier one".to_owned(),
    };
    let released = if parked.released { ", to be tried again" } else { "" };
    format!("{event_id}  {topic}  {key} #{sequence}  {why}{released}")
}
