//! Evaluation: the models that serve, asked about data whose future is known.

mod bootstrap;
mod data;
mod exam;
mod knobs;
mod metric;
mod protocol;
mod random;
mod tune;

use std::path::Path;
use std::time::Duration;

pub use bootstrap::Estimate;
pub use data::DataError;
pub use metric::Metric;
pub use protocol::{Baseline, Part, Protocol};
pub use tune::Tuned;

use crate::domain::Tuning;
use protocol::{Asked, Data};

/// What was measured by one protocol.
#[derive(Debug)]
pub struct Report {
    pub protocol: Protocol,
    pub part: Part,
    pub questions: usize,
    /// How many products every list was ranked from.
    pub catalogue: usize,
    /// Each metric's mean with its 95 % interval.
    pub measured: Vec<(Metric, Estimate)>,
    pub learning: Duration,
    pub asking: Duration,
}

/// Runs protocols on data files with the parameters that serve; data sets used twice are read once.
///
/// # Errors
/// Where a file is missing or bad: the file, the line and what is wrong with it.
pub fn evaluate(folder: &Path, protocols: &[Protocol], part: Part) -> Result<Vec<Report>, DataError> {
    let mut data: Option<Data> = None;
    let mut reports = Vec::with_capacity(protocols.len());
    for protocol in protocols {
        reports.push(run(data_for(&mut data, folder, *protocol)?, *protocol, part, &Tuning::default()));
    }
    Ok(reports)
}

/// Chooses parameters on validation data alone, starting from those that serve; a quick search leaves alone what
/// would have to be learnt anew. `told` hears of every gain.
///
/// # Errors
/// As [`evaluate`].
pub fn tune(
    folder: &Path,
    protocols: &[Protocol],
    quick: bool,
    told: &mut dyn FnMut(&str),
) -> Result<Vec<Tuned>, DataError> {
    let mut data: Option<Data> = None;
    let mut tuned = Vec::with_capacity(protocols.len());
    for protocol in protocols {
        tuned.push(tune::search(data_for(&mut data, folder, *protocol)?, *protocol, Tuning::default(), quick, told));
    }
    Ok(tuned)
}

fn data_for<'a>(known: &'a mut Option<Data>, folder: &Path, protocol: Protocol) -> Result<&'a Data, DataError> {
    let data = match known.take().filter(|data| data.serves(protocol)) {
        Some(data) => data,
        None => Data::read(protocol, folder)?,
    };
    Ok(known.insert(data))
}

fn run(data: &Data, protocol: Protocol, part: Part, tuning: &Tuning) -> Report {
    let Asked { marks, catalogue, learning, asking } = data.ask(protocol, part, tuning);
    let of_metric = |at: usize| bootstrap::estimate(marks.iter().map(|(unit, values)| (*unit, values[at])));
    let measured = protocol.metrics().iter().enumerate().map(|(at, metric)| (*metric, of_metric(at))).collect();
    Report { protocol, part, questions: marks.len(), catalogue, measured, learning, asking }
}

#[cfg(test)]
mod tests;
