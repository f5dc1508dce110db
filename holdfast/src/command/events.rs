//! `holdfast events`: what is on the bus, what is parked, and going back.

mod from;
mod parked;
mod replay;
mod tail;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use holdfast_platform::bus::Bus;
use holdfast_platform::config::BusArgs;

use crate::output::Output;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print events as they come.
    Tail(tail::Args),
    /// Have a consumer group handle events again.
    Replay(replay::Args),
    /// Events that consumers could not handle.
    Parked(parked::Args),
}

/// Where events and inboxes are.
#[derive(Debug, clap::Args)]
struct Database {
    /// The PostgreSQL database.
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    #[command(flatten)]
    bus: BusArgs,
}

impl Database {
    fn bus(&self) -> anyhow::Result<Arc<dyn Bus>> {
        Ok(self.bus.bus.open(&self.database_url)?.bus)
    }
}

pub(crate) async fn run(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Tail(args) => tail::run(args, output).await,
        Command::Replay(args) => replay::run(args, output).await,
        Command::Parked(args) => parked::run(args, output).await,
    }
}
