//! `holdfast bench-mesh`: what the mesh promises, measured on loopback under load, every service a process of its own.
//! Each scenario says what was asked and what was measured; the command fails where a promise does not hold.

mod amplification;
mod ask;
mod certificates;
mod deadline;
mod echo;
mod figure;
mod kill;
mod load;
mod overload;
mod roll;
mod shares;
mod stack;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

use super::on_own_postgres;
use crate::output::Output;
use figure::Figure;
use stage::Stage;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these scenarios.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Scenario>,
    /// How many clients ask at once.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// How long each cell is measured, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Where the table is saved, as Markdown and JSON.
    #[arg(long, default_value = "bench-results")]
    save: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scenario {
    /// The full client and server stacks against bare tonic.
    Stack,
    /// Every service replaced, one replica after the other.
    Roll,
    /// A replica killed.
    Kill,
    /// Two replicas become five.
    Shares,
    /// Every certificate replaced.
    Certificates,
    /// An endpoint that fails every call.
    Amplification,
    /// A deadline over three hops.
    Deadline,
    /// Three times what can be served.
    Overload,
}

impl Scenario {
    const ALL: [Self; 8] = [
        Self::Stack,
        Self::Roll,
        Self::Kill,
        Self::Shares,
        Self::Certificates,
        Self::Amplification,
        Self::Deadline,
        Self::Overload,
    ];
}

pub(crate) async fn run(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    let figures = on_own_postgres("bench-mesh", async |folder, url| {
        let stage = Stage::set(&args, folder, url).await?;
        measure(&args, &stage, output).await
    });
    let figures = figures.await?;
    figure::save(&figures, &args.save)?;
    if output.is_json() {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        println!("{}", figure::markdown(&figures));
    }
    Ok(if figures.iter().all(|figure| figure.holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(args: &Args, stage: &Stage, output: Output) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for scenario in Scenario::ALL.into_iter().filter(|it| args.only.is_empty() || args.only.contains(it)) {
        let told = match scenario {
            Scenario::Stack => stack::measure(stage).await?,
            Scenario::Roll => roll::measure(stage).await?,
            Scenario::Kill => kill::measure(stage).await?,
            Scenario::Shares => shares::measure(stage).await?,
            Scenario::Certificates => certificates::measure(stage).await?,
            Scenario::Amplification => amplification::measure(stage).await?,
            Scenario::Deadline => deadline::measure(stage).await?,
            Scenario::Overload => overload::measure(stage).await?,
        };
        for figure in &told {
            if !output.is_json() {
                eprintln!("{figure}");
            }
        }
        figures.extend(told);
    }
    Ok(figures)
}
