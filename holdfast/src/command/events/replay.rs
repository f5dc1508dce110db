//! `holdfast events replay`: has a group handle events again.

use std::process::ExitCode;

use holdfast_platform::bus::{Group, Topic};
use serde_json::json;

use super::Database;
use super::from::From;
use crate::output::Output;

#[derive(Debug, clap::Args)]
#[command(after_help = "Running members go on from there at once. A handler whose effects are keyed by the event has \
                        each of them once, however often it is replayed.")]
pub(super) struct Args {
    #[command(flatten)]
    database: Database,
    /// Whose events: inventory, orders.
    #[arg(long)]
    topic: Topic,
    /// From where: beginning, end (skips what is waiting), after an offset, or a time (RFC 3339).
    #[arg(long)]
    from: From,
    /// Who is to handle them: recs.purchases.
    #[arg(long)]
    group: Group,
}

pub(super) async fn run(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    args.database.bus()?.rewind(&args.topic, &args.group, args.from.0).await?;
    if output.is_json() {
        println!("{}", json!({"topic": args.topic.to_string(), "group": args.group.to_string(), "replaying": true}));
    } else {
        println!("{} handles {} again from there", args.group, args.topic);
    }
    Ok(ExitCode::SUCCESS)
}
