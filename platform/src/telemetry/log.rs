//! Logs: one line each on stderr, as text or JSON, their level changeable while the process runs.
//!
//! Every line of a call says whose it is: `trace_id` and `span_id`, `request.id`, `peer`. They are read from the call
//! under way when a line is written, so calls that log nothing pay nothing for them.

mod line;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use tracing::Subscriber;
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt, reload};

use line::Line;

/// What is logged where nobody says otherwise.
pub const FILTER_DEFAULT: &str = "info";

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Why the level stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum LevelError {
    #[error("not a level (error, warn, info, debug, trace) nor target=level pairs: {0}")]
    Malformed(#[from] ParseError),
    #[error("this process has not started its logs")]
    NotStarted,
}

type Filter = reload::Handle<EnvFilter, Registry>;

static FILTER: OnceLock<Filter> = OnceLock::new();

/// Starts logging, at the level of `HOLDFAST_LOG` (`info` where unset). Later calls do nothing.
pub fn init(format: LogFormat) {
    let filter = std::env::var("HOLDFAST_LOG").unwrap_or_else(|_| FILTER_DEFAULT.to_owned());
    if start(format, &filter).is_err() {
        // A level that is none must not silence a process that is told nothing else.
        let _ = start(format, FILTER_DEFAULT);
    }
}

/// Starts logging: `filter` is a level, or `target=level` pairs after it, comma-separated. Later calls do nothing.
///
/// # Errors
/// Where the filter is none.
pub fn start(format: LogFormat, filter: &str) -> Result<(), LevelError> {
    let (subscriber, handle) = subscriber(format, filter, std::io::stderr)?;
    // A second start in one process (tests) keeps the first subscriber.
    if subscriber.try_init().is_ok() {
        let _ = FILTER.set(handle);
    }
    Ok(())
}

/// The same, to a writer of one's own; not yet installed.
///
/// # Errors
/// Where the filter is none.
pub fn subscriber<W>(
    format: LogFormat,
    filter: &str,
    writer: W,
) -> Result<(impl Subscriber + Send + Sync + 'static, Filter), LevelError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(EnvFilter::try_new(filter)?);
    let lines = fmt::layer().fmt_fields(line::Fields).event_format(Line::new(format));
    Ok((tracing_subscriber::registry().with(filter).with(lines.with_writer(writer).with_ansi(false)), handle))
}

/// What is logged just now.
pub fn level() -> String {
    let filter = FILTER.get().and_then(|filter| filter.with_current(ToString::to_string).ok());
    filter.unwrap_or_else(|| "off".to_owned())
}

/// Logs from now on by another filter, written as for [`start`].
///
/// # Errors
/// Where the filter is none; then the one in force stays.
pub fn set_level(filter: &str) -> Result<(), LevelError> {
    let parsed = EnvFilter::try_new(filter.trim())?;
    let handle = FILTER.get().ok_or(LevelError::NotStarted)?;
    handle.reload(parsed).map_err(|_gone| LevelError::NotStarted)
}
