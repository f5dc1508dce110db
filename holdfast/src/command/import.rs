//! `holdfast import`: product exports and stock files into a running server.
//!
//! All files are read and checked before anything is sent; then the products of all files go in, then the stock.
//! Everything sent is idempotent, so a run that was cut short is simply repeated, and a second run changes nothing.
//!
//! Exit code: 0 when every row was taken or skipped on purpose, 2 when some were rejected, 1 when the import failed.

mod catalog;
mod server;
mod source;
mod stock;
mod summary;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use holdfast_platform::client::{self, Wire};
use inventory_svc::domain::feed::{Currency, NegativeStock, Policy, SentinelRule};

use self::server::Server;
use self::summary::Summary;
use crate::output::Output;

/// How many calls are under way at once.
const CALLS_MAX: usize = 32;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 when every row was taken or skipped on purpose, 2 when some were rejected (or the \
                        command line is wrong), 1 when the import failed; a repeat then goes on where it stopped."
)]
pub(crate) struct Args {
    /// The files: Shopify product exports, Shopify inventory exports (either layout), stock lists with a SKU, a
    /// quantity and, where there are several, a location. What each file is, is told by its header. Where several say
    /// something of the same level, a stock file goes before a product export, so name them together: on its own, a
    /// later file counts.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The server to load.
    #[arg(long, default_value = "http://127.0.0.1:50051")]
    grpc: String,
    /// What the prices are in (ISO 4217); exports do not say.
    #[arg(long, default_value = "USD")]
    currency: Currency,
    /// Where stock is that comes without a location.
    #[arg(long, default_value = "main")]
    location: String,
    /// What to make of stock below zero: zero, reject, or leave (the level stays as it is).
    #[arg(long, default_value = "zero", value_name = "POLICY")]
    negative_stock: NegativeStock,
    /// What a quantity that may stand for something else means: 9999=take, =zero, =leave or =reject. May be
    /// repeated. 9999, 99999 and 999999 are rejected unless said otherwise.
    #[arg(long, value_name = "UNITS=POLICY")]
    sentinel_stock: Vec<SentinelRule>,
    /// Where the rejects files go; beside each input where not given.
    #[arg(long, value_name = "DIR")]
    rejects_dir: Option<PathBuf>,
    /// Only read and check the files: nothing is sent, nothing written.
    #[arg(long)]
    dry_run: bool,
}

/// How to import.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) policy: Policy,
    pub(crate) rejects_dir: Option<PathBuf>,
    pub(crate) dry_run: bool,
}

impl From<&Args> for Options {
    fn from(args: &Args) -> Self {
        let mut policy = Policy { currency: args.currency, location: args.location.clone(), ..Policy::default() };
        policy.negative = args.negative_stock;
        policy.sentinels.extend(args.sentinel_stock.iter().map(|rule| (rule.units, rule.policy)));
        Self { policy, rejects_dir: args.rejects_dir.clone(), dry_run: args.dry_run }
    }
}

pub(crate) async fn run(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(!args.location.trim().is_empty(), "--location must not be empty");
    let wire = client::tcp(&args.grpc).with_context(|| format!("--grpc {} is no address", args.grpc))?;
    let summary = import_files(wire, &Options::from(&args), &args.files, output).await?;
    summary.print(output)?;
    Ok(summary.exit_code())
}

/// Imports files through a wire to the catalogue and the inventory.
///
/// # Errors
/// Where a file cannot be read or is none we know (then nothing was sent), or the server cannot be reached any more
/// (then a repeat goes on where this stopped). Rows that are not taken are no error: the summary has them.
pub(crate) async fn import_files(
    wire: Wire,
    options: &Options,
    files: &[PathBuf],
    output: Output,
) -> anyhow::Result<Summary> {
    let mut sources = source::read_all(files, &options.policy)?;
    source::settle(&mut sources.files);
    let mut summary = Summary::new(&sources, options.dry_run);
    if !options.dry_run {
        let server = Server::new(wire);
        catalog::load(&server, &mut sources.files, &options.policy, &mut summary, output).await?;
        stock::load(&server, &mut sources.files, &mut summary, output).await?;
    }
    for (source, file) in sources.files.iter().zip(&mut summary.files) {
        file.close(source);
        if !options.dry_run {
            file.rejects_file = source.write_rejects(options.rejects_dir.as_deref())?;
        }
    }
    Ok(summary)
}
