//! The one binary: every service in one process, and the operator's commands.

mod command;
mod output;

use clap::Parser as _;

fn main() -> std::process::ExitCode {
    command::Cli::parse().run()
}
