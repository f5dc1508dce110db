//! What may be said of a treatment, and in which words.

use std::fmt;

use super::interval::Interval;
use super::name::Name;

/// The closed list. Only `Better` and `Worse` claim a difference; both have their error bounded by the plan's alpha.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// The variants do not have the units they should: nothing else is said.
    SampleRatioMismatch {
        p_value: f64,
    },
    TooEarly(TooEarly),
    /// A guardrail is shown to be harmed by more than its margin: stop, whatever the primary metric does.
    GuardrailBreached {
        metric: Name,
        margin: f64,
    },
    Better {
        metric: Name,
        lift: Option<Interval>,
        guardrails_open: Vec<Name>,
    },
    Worse {
        metric: Name,
        lift: Option<Interval>,
    },
    /// At the planned end, or when it was stopped: which is not to say that there is none.
    NoDifferenceShown {
        metric: Name,
        lift: Option<Interval>,
        short_of_units: Option<Short>,
    },
}

/// Why nothing is said yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooEarly {
    NotStarted,
    /// Fewer units than any interval is good for.
    FewUnits {
        units: u64,
        units_min: u64,
    },
    /// The metric was the same for every unit.
    NothingVaries,
    /// The interval of monitoring has no difference in it.
    Undecided {
        units: u64,
        units_planned: u64,
    },
    /// Exposures are over, some units' time is not.
    Settling,
}

/// Fewer units than planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Short {
    pub(crate) units: u64,
    pub(crate) units_planned: u64,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SampleRatioMismatch { p_value } => write!(
                f,
                "no verdict: the variants do not have the units they should (p = {p_value:.1e}), so units are lost or \
                 counted wrongly on one side, and no other number here can be believed"
            ),
            Self::TooEarly(why) => write!(f, "too early: {why}"),
            Self::GuardrailBreached { metric, margin } => {
                write!(f, "stop: {metric} is shown to be harmed by more than its margin of {}", Percent(*margin))
            }
            Self::Better { metric, lift, guardrails_open } => {
                write!(f, "better: {metric} {}", Lift(*lift))?;
                if guardrails_open.is_empty() {
                    return Ok(());
                }
                let names: Vec<&str> = guardrails_open.iter().map(Name::as_str).collect();
                write!(f, "; not shown to be within its margin: {}", names.join(", "))
            }
            Self::Worse { metric, lift } => write!(f, "worse: {metric} {}", Lift(*lift)),
            Self::NoDifferenceShown { metric, lift, short_of_units } => {
                write!(f, "no difference shown: {metric} {}; that is not to say that there is none", Lift(*lift))?;
                match short_of_units {
                    Some(Short { units, units_planned }) => {
                        write!(f, ", and with {units} of {units_planned} planned units one may well have been missed")
                    }
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for TooEarly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted => f.write_str("it has not started"),
            Self::FewUnits { units, units_min } => {
                write!(f, "{units} units are in, and below {units_min} no interval can be trusted")
            }
            Self::NothingVaries => f.write_str("the metric is the same for every unit"),
            Self::Undecided { units, units_planned } => {
                write!(f, "{units} of {units_planned} planned units are in, and no difference is shown so far")
            }
            Self::Settling => f.write_str("exposures are over, but some units' time is not"),
        }
    }
}

/// A relative change in words.
struct Lift(Option<Interval>);

impl fmt::Display for Lift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Interval { low, high }) => {
                write!(f, "changes by somewhere between {} and {}", Percent(low), Percent(high))
            }
            None => f.write_str("changes by a part that cannot be told, the control's mean being too near zero"),
        }
    }
}

struct Percent(f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} %", self.0 * 100.0)
    }
}
