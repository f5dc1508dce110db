//! `holdfast rec`: how good the recommendations are, on data whose future is known.

mod plot;
mod print;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use rec_svc::eval::{self, Part, Protocol};

use crate::output::Output;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Run protocols on data files: full catalogue, split by time, equals in random order.
    Eval(EvalArgs),
    /// Choose parameters on validation data alone, and print them.
    Tune(TuneArgs),
}

#[derive(Debug, clap::Args)]
struct Asked {
    /// Where the data sets' folders lie, or one data set's own folder; for `events`, a CSV or JSONL file.
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Which protocol, all on published data where none is named: serenade, beauty, beauty-streamed, journey-next,
    /// journey-novel, journey-basket, journey-cold, events, events-frozen. May be repeated.
    #[arg(long = "protocol", value_name = "NAME")]
    protocols: Vec<Protocol>,
}

#[derive(Debug, clap::Args)]
struct EvalArgs {
    #[command(flatten)]
    asked: Asked,
    /// Ask about the validation data instead of the test data.
    #[arg(long)]
    valid: bool,
    /// Also draw the results, as SVG.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct TuneArgs {
    #[command(flatten)]
    asked: Asked,
    /// Only numbers that shape answers, not those that shape what is learnt: the log is read once.
    #[arg(long)]
    quick: bool,
}

impl Asked {
    fn protocols(&self) -> Vec<Protocol> {
        if self.protocols.is_empty() { Protocol::PUBLISHED.to_vec() } else { self.protocols.clone() }
    }
}

pub(crate) async fn run(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    // Minutes of arithmetic: not on the runtime's threads.
    tokio::task::spawn_blocking(move || match args.verb {
        Verb::Eval(args) => evaluate(&args, output),
        Verb::Tune(args) => tune(&args, output),
    })
    .await?
}

fn evaluate(args: &EvalArgs, output: Output) -> anyhow::Result<ExitCode> {
    let part = if args.valid { Part::Valid } else { Part::Test };
    let reports = eval::evaluate(&args.asked.data, &args.asked.protocols(), part)?;
    if output.is_json() {
        println!("{:#}", print::json(&reports));
    } else {
        print!("{}", print::table(&reports));
    }
    if let Some(path) = &args.plot {
        std::fs::write(path, plot::svg(&reports)).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn tune(args: &TuneArgs, output: Output) -> anyhow::Result<ExitCode> {
    let tuned = eval::tune(&args.asked.data, &args.asked.protocols(), args.quick, &mut |gain| eprintln!("{gain}"))?;
    if output.is_json() {
        println!("{:#}", print::tuned_json(&tuned));
    } else {
        print!("{}", print::tuned(&tuned));
    }
    Ok(ExitCode::SUCCESS)
}
