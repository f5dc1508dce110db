//! See the library.

use clap::Parser as _;

fn main() -> std::process::ExitCode {
    holdfast::command::Cli::parse().run()
}
