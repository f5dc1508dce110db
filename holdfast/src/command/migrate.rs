//! `holdfast migrate`: brings every service's schema forward.

use std::process::ExitCode;

use crate::output::Output;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The PostgreSQL database.
    #[arg(long, env = "DATABASE_URL")]
    database_url: String,
}

pub(crate) async fn run(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    let steps = crate::system::migrate(&args.database_url).await?;
    if output.is_json() {
        println!("{}", serde_json::json!({ "migrationsApplied": steps }));
    } else {
        println!("{steps} migrations applied");
    }
    Ok(ExitCode::SUCCESS)
}
