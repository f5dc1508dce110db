//! What an audit found, for people and for programs.

use std::fmt;
use std::time::Duration;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::breach::Breach;
use super::invariant::Invariant;

/// What became of one invariant.
#[derive(Debug)]
pub(super) enum Verdict {
    Holds,
    Breached {
        breaches: u64,
        /// At most [`super::EXAMPLES_MAX`].
        examples: Vec<Breach>,
    },
    /// Nothing was checked, for this reason.
    Skipped(&'static str),
}

#[derive(Debug)]
pub(super) struct Finding {
    pub(super) invariant: &'static Invariant,
    pub(super) verdict: Verdict,
}

/// How much stock was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Stock {
    pub(super) levels: u64,
    pub(super) movements: u64,
    pub(super) reservation_lines: u64,
}

/// How many orders were looked at, and how many of them are in flight: those cannot breach anything yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Orders {
    pub(super) total: u64,
    /// Being placed, captured or undone.
    pub(super) under_way: u64,
    /// Undone, but a charge that was never answered for may still appear.
    pub(super) watched: u64,
}

/// What was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Audited {
    /// When the snapshot was taken, by the database's clock.
    pub(super) at: String,
    pub(super) stock: Stock,
    pub(super) orders: Option<Orders>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Report {
    pub(super) findings: Vec<Finding>,
    pub(super) audited: Audited,
    pub(super) took: Duration,
}

impl Report {
    /// Of all invariants.
    pub(crate) fn breaches(&self) -> u64 {
        self.findings.iter().map(|finding| finding.verdict.breaches()).sum()
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.breaches() == 0
    }
}

impl Verdict {
    fn breaches(&self) -> u64 {
        match self {
            Self::Holds | Self::Skipped(_) => 0,
            Self::Breached { breaches, .. } => *breaches,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => f.write_str("ok"),
            Self::Breached { breaches: 1, .. } => f.write_str("1 breach"),
            Self::Breached { breaches, .. } => write!(f, "{breaches} breaches"),
            Self::Skipped(why) => write!(f, "skipped: {why}"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Invariant { number, law, .. } = self.invariant;
        writeln!(f, "{number:>2}  {law:<40}{}", self.verdict)?;
        let Verdict::Breached { breaches, examples } = &self.verdict else { return Ok(()) };
        for example in examples {
            writeln!(f, "      {example}")?;
        }
        match breaches.saturating_sub(examples.len() as u64) {
            0 => Ok(()),
            more => writeln!(f, "      and {more} more"),
        }
    }
}

impl fmt::Display for Audited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stock { levels, movements, reservation_lines } = self.stock;
        write!(f, "{levels} levels, {movements} movements, {reservation_lines} reservation lines")?;
        if let Some(Orders { total, under_way, watched }) = self.orders {
            write!(f, ", {total} orders (in flight: {under_way} under way, {watched} watched for a late charge)")?;
        }
        write!(f, " as of {}", self.at)
    }
}

/// The whole text; its last line is the verdict.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            finding.fmt(f)?;
        }
        let seconds = self.took.as_secs_f64();
        writeln!(f, "{}, in {seconds:.1} s", self.audited)?;
        match self.breaches() {
            0 => writeln!(f, "audit ok"),
            1 => writeln!(f, "audit found 1 breach"),
            breaches => writeln!(f, "audit found {breaches} breaches"),
        }
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("invariant", &self.invariant.number)?;
        map.serialize_entry("law", self.invariant.law)?;
        match &self.verdict {
            Verdict::Holds => map.serialize_entry("verdict", "ok")?,
            Verdict::Breached { .. } => map.serialize_entry("verdict", "breached")?,
            Verdict::Skipped(why) => {
                map.serialize_entry("verdict", "skipped")?;
                map.serialize_entry("why", why)?;
            }
        }
        map.serialize_entry("breaches", &self.verdict.breaches())?;
        let examples: &[Breach] = match &self.verdict {
            Verdict::Breached { examples, .. } => examples,
            Verdict::Holds | Verdict::Skipped(_) => &[],
        };
        map.serialize_entry("examples", examples)?;
        map.end()
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("clean", &self.is_clean())?;
        map.serialize_entry("breaches", &self.breaches())?;
        map.serialize_entry("checks", &self.findings)?;
        map.serialize_entry("audited", &self.audited)?;
        map.serialize_entry("took_ms", &u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX))?;
        map.end()
    }
}
