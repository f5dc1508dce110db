//! The command line: one file a verb.

mod audit;
mod bench;
mod dev_certs;
mod drop;
mod events;
mod import;
mod mesh;
mod migrate;
mod rec;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::output::Output;

/// Stock, orders and recommendations for shops where the last unit matters.
#[derive(Debug, Parser)]
#[command(name = "holdfast", version)]
pub struct Cli {
    /// Print one JSON document on stdout instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run every service in one process.
    Up(up::Args),
    /// Run every service as a process of its own, two replicas of the stock.
    Mesh(mesh::Args),
    /// Bring the database's schemas forward.
    Migrate(migrate::Args),
    /// Load product exports and stock files.
    Import(import::Args),
    /// Prove on a live database that nothing is oversold, lost or unpaid; exits 1 where anything is.
    Audit(audit::Args),
    /// Measure holds per second against the naive way, the raw statement and a bare echo.
    Bench(bench::Args),
    /// Make certificates for mutual TLS on this machine, or new ones for those that end.
    DevCerts(dev_certs::Args),
    /// Measure what the mesh promises: restarts, kills, balance, retries, deadlines, overload, and its own cost.
    BenchMesh(bench::mesh::Args),
    /// Measure the event bus: how late events are, and what they cost the hot path.
    BenchEvents(bench::events::Args),
    #[command(hide = true)]
    BenchServer(bench::server::Args),
    /// Read events, replay them, and look after those that could not be handled.
    Events(events::Args),
    /// Play a product drop with real clients and report what happened.
    Drop(Box<drop::Args>),
    /// Measure recommendations on data whose future is known.
    Rec(rec::Args),
}

impl Cli {
    pub fn run(self) -> ExitCode {
        let output = Output::new(self.json);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(worker_threads()).enable_all().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return output.fail(&error.into()),
        };
        let ran = runtime.block_on(async {
            match self.command {
                Command::Up(args) => up::run(args, output).await,
                Command::Mesh(args) => mesh::run(args, output).await,
                Command::Migrate(args) => migrate::run(args, output).await,
                Command::Import(args) => import::run(args, output).await,
                Command::Audit(args) => audit::run(args, output).await,
                Command::Bench(args) => bench::run(args, output).await,
                Command::DevCerts(args) => dev_certs::run(&args, output),
                Command::BenchMesh(args) => Box::pin(bench::mesh::run(args, output)).await,
                Command::BenchEvents(args) => bench::events::run(args, output).await,
                Command::BenchServer(args) => bench::server::run(args).await,
                Command::Events(args) => events::run(args, output).await,
                Command::Drop(args) => drop::run(*args, output).await,
                Command::Rec(args) => rec::run(args, output).await,
            }
        });
        match ran {
            Ok(code) => code,
            Err(error) => output.fail(&error),
        }
    }
}

/// Half the cores, unless `HOLDFAST_THREADS` says otherwise: PostgreSQL shares the machine, and in a drop or a benchmark the
/// other side of the connection does too (docs/adr/0004).
fn worker_threads() -> usize {
    let asked = std::env::var("HOLDFAST_THREADS").ok().and_then(|threads| threads.parse().ok());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    asked.filter(|threads| *threads > 0).unwrap_or(cores.div_ceil(2))
}
