//! What every process may be told: arguments, each with an environment variable of its own. A service's `Args` flatten
//! [`MeshArgs`]; addresses differ from binary to binary and stay with them. Read with [`parse`], which refuses
//! environment variables that nobody reads.

mod environment;

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

pub use environment::{UnknownVariable, check_environment};

use crate::bus;
use crate::telemetry::LogFormat;
use crate::tls::{self, TrustDomain};

/// How far above the door's port the admin port is where nobody says.
const ADMIN_PORT_OFFSET: u16 = 1000;

/// What every service of the mesh is told.
#[derive(Debug, Clone, clap::Args)]
pub struct MeshArgs {
    #[command(flatten)]
    pub admin: AdminArgs,
    #[command(flatten)]
    pub drain: DrainArgs,
    #[command(flatten)]
    pub tls: TlsArgs,
    #[command(flatten)]
    pub telemetry: TelemetryArgs,
}

/// Where operators ask.
#[derive(Debug, Clone, clap::Args)]
pub struct AdminArgs {
    /// Where probes and metrics are answered, in plaintext: loopback, or the pod's own address. On loopback, 1000 above
    /// the door's port, where it is not given.
    #[arg(long, env = "HOLDFAST_ADMIN")]
    pub admin: Option<SocketAddr>,
}

/// Where a service keeps its state.
#[derive(Debug, Clone, clap::Args)]
pub struct DatabaseArgs {
    /// The PostgreSQL database; the service's schema must be migrated.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
}

/// How a process stops.
#[derive(Debug, Clone, clap::Args)]
pub struct DrainArgs {
    /// How long health says NOT_SERVING before connections are told to go away: as long as callers take to notice, in
    /// milliseconds. 0 suits development; behind a Kubernetes service give it seconds.
    #[arg(long, env = "HOLDFAST_DRAIN_DELAY_MS", default_value_t = 0)]
    pub drain_delay_ms: u64,
    /// How long calls under way may take from then on before they are cut, in milliseconds. More than the default
    /// deadline, so that no call within it is lost.
    #[arg(long, env = "HOLDFAST_DRAIN_GRACE_MS", default_value_t = 15_000)]
    pub drain_grace_ms: u64,
}

/// Mutual TLS between services: all three files, or plaintext.
#[derive(Debug, Clone, clap::Args)]
pub struct TlsArgs {
    /// This process's certificate chain (PEM), its SPIFFE id in the subject alternative name. Read again when it changes.
    #[arg(long, env = "HOLDFAST_TLS_CERT", requires_all = ["tls_key", "tls_ca"])]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM).
    #[arg(long, env = "HOLDFAST_TLS_KEY", requires_all = ["tls_cert", "tls_ca"])]
    pub tls_key: Option<PathBuf>,
    /// The authorities whose certificates are believed (PEM).
    #[arg(long, env = "HOLDFAST_TLS_CA", requires_all = ["tls_cert", "tls_key"])]
    pub tls_ca: Option<PathBuf>,
    /// The SPIFFE trust domain every peer must belong to.
    #[arg(long, env = "HOLDFAST_TRUST_DOMAIN", default_value = "holdfast")]
    pub trust_domain: TrustDomain,
}

/// Logs and traces.
#[derive(Debug, Clone, clap::Args)]
pub struct TelemetryArgs {
    /// Where traces go: an OTLP/gRPC collector such as http://127.0.0.1:4317. None are sent without it.
    #[arg(long, env = "HOLDFAST_OTLP")]
    pub otlp: Option<http::Uri>,
    /// The share of calls traced where the caller has not decided, from 0 to 1.
    #[arg(long, env = "HOLDFAST_TRACE_RATIO", default_value = "0.01", value_parser = parse_ratio)]
    pub trace_ratio: f64,
    /// What is logged: a level (error, warn, info, debug, trace), or `target=level` pairs after it, comma-separated.
    #[arg(long, env = "HOLDFAST_LOG", default_value = "info")]
    pub log: String,
    /// How log lines look.
    #[arg(long, env = "HOLDFAST_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// Where events go between services.
#[derive(Debug, Clone, clap::Args)]
pub struct BusArgs {
    /// `postgres`, or the brokers of a Kafka cluster: `kafka://host:port,host:port`.
    #[arg(long, env = "HOLDFAST_BUS", default_value = "postgres")]
    pub bus: bus::Choice,
}

impl AdminArgs {
    /// The admin port of a process whose door is at this address; any free port where the door has any.
    pub fn address(&self, door: SocketAddr) -> SocketAddr {
        let port = if door.port() == 0 { 0 } else { door.port().checked_add(ADMIN_PORT_OFFSET).unwrap_or(0) };
        self.admin.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, port).into())
    }
}

impl DrainArgs {
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.drain_delay_ms)
    }

    pub fn grace(&self) -> Duration {
        Duration::from_millis(self.drain_grace_ms)
    }
}

impl TlsArgs {
    /// The three files; nothing for plaintext. The parser lets no other number of them through.
    pub fn files(&self) -> Option<tls::Files> {
        let (cert, key, ca) = (self.tls_cert.clone()?, self.tls_key.clone()?, self.tls_ca.clone()?);
        Some(tls::Files { cert, key, ca })
    }
}

fn parse_ratio(text: &str) -> Result<f64, String> {
    let ratio: f64 = text.parse().map_err(|_| "is not a number".to_owned())?;
    if (0.0..=1.0).contains(&ratio) { Ok(ratio) } else { Err("must be between 0 and 1".to_owned()) }
}

/// Reads this process's arguments and environment. Exits with a message where they are wrong: 2 for an argument, 1 for
/// an environment variable that nobody reads.
pub fn parse<A: Parser>() -> A {
    let mut command = A::command();
    command.build();
    if let Err(unknown) = check_environment(&command, std::env::vars_os().map(|(name, _)| name)) {
        eprintln!("error: {unknown}");
        std::process::exit(1);
    }
    parse_from(command, std::env::args_os()).unwrap_or_else(|error| error.exit())
}

fn parse_from<A: Parser>(
    mut command: clap::Command,
    arguments: impl Iterator<Item = OsString>,
) -> Result<A, clap::Error> {
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    A::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[derive(Debug, Parser)]
    struct Args {
        #[command(flatten)]
        mesh: MeshArgs,
        #[command(flatten)]
        bus: BusArgs,
    }

    fn check(arguments: &str) -> Result<Args, clap::Error> {
        let all = std::iter::once("service").chain(arguments.split_whitespace()).map(OsString::from);
        // Whatever this environment sets is not the tests' business.
        let command = Args::command().mut_args(|arg| arg.env(clap::builder::Resettable::Reset));
        parse_from(command, all)
    }

    #[test]
    fn a_process_may_be_told_nothing() {
        let args = check("").expect("every argument has a default");
        assert_eq!(args.mesh.tls.files(), None);
        assert_eq!(args.mesh.tls.trust_domain.to_string(), "holdfast");
        assert_eq!(args.mesh.drain.delay(), Duration::ZERO);
        assert!(
            args.mesh.drain.grace() > crate::deadline::TIMEOUT_DEFAULT,
            "calls within the default deadline are cut"
        );
        assert_eq!(args.bus.bus, bus::Choice::Postgres);
        let admin = |door: &str| args.mesh.admin.address(door.parse().expect("an address")).to_string();
        assert_eq!(admin("0.0.0.0:50052"), "127.0.0.1:51052", "not beside the door: it may be public");
        assert_eq!(admin("127.0.0.1:0"), "127.0.0.1:0");
    }

    #[test]
    fn tls_has_all_its_files_or_none() {
        assert!(check("--tls-cert c --tls-key k --tls-ca a").is_ok_and(|args| args.mesh.tls.files().is_some()));
        for some in ["--tls-cert c", "--tls-key k --tls-ca a", "--tls-cert c --tls-ca a"] {
            assert!(check(some).is_err(), "{some}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in ["--trace-ratio 1.5", "--trace-ratio NaN", "--log-format xml", "--bus rabbit", "--drain-delay-ms -1"]
        {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
