//! A played drop for a terminal.

use std::fmt::Write as _;

use super::played::{AuditVerdict, Played};
use super::tally::Summary;

/// How many problems are spelled out.
const PROBLEMS_MAX: usize = 10;

/// The whole text; its last line is the verdict.
pub(crate) fn text(played: &Played, audit: AuditVerdict) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut out, played, audit);
    out
}

fn write(out: &mut String, played: &Played, audit: AuditVerdict) -> std::fmt::Result {
    let Played { setup, outcomes, .. } = played;
    if let Some(replay) = &setup.replay {
        writeln!(out, "replayed: {} sales of {} from {}", replay.sales, replay.days.join(", "), replay.file)?;
        writeln!(out, "made up:  {}", replay.made_up)?;
        if replay.rows_rejected > 0 {
            writeln!(out, "rejected: {} rows without a date or a size", replay.rows_rejected)?;
        }
        writeln!(out)?;
        writeln!(out, "{:<14} {:>8} {:>8} {:>8} {:>8}", "size", "units", "shoppers", "sold", "refused")?;
        for item in &played.items {
            let size = item.size.as_deref().unwrap_or(&item.sku);
            let refused = item.outcomes.refused_sold_out;
            writeln!(out, "{size:<14} {:>8} {:>8} {:>8} {refused:>8}", item.units, item.shoppers, item.sold)?;
        }
        writeln!(out)?;
    }
    for (what, count) in [
        ("sold", outcomes.sold),
        ("refused (sold out)", outcomes.refused_sold_out),
        ("payment declined", outcomes.declined),
        ("payment timed out", outcomes.timed_out),
        ("abandoned", outcomes.abandoned),
        ("failed", outcomes.failed),
    ] {
        writeln!(out, "{what:<28} {count:>8} shoppers")?;
    }
    writeln!(out, "{:<28} {:>8} holds", "expired and returned", played.expired_and_returned)?;
    writeln!(out, "{:<28} {:>8} times", "came back after a refusal", played.came_back)?;
    writeln!(out, "{:<28} {:>8} calls", "retried", played.calls_retried)?;
    writeln!(out, "{:<28} {:>8} versions, {} resets", "watched", played.versions_watched, played.watch_resets)?;
    writeln!(out)?;
    writeln!(
        out,
        "{:<7} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9}",
        "", "calls", "granted", "peak/s", "mean/s", "p50 ms", "p99 ms", "p99.9 ms"
    )?;
    for (verb, summary) in [("views", played.view), ("holds", played.hold), ("orders", played.order)] {
        let Summary { calls, granted, granted_per_s_max, granted_per_s_mean, p50_ms, p99_ms, p999_ms, .. } = summary;
        writeln!(
            out,
            "{verb:<7} {calls:>8} {granted:>8} {granted_per_s_max:>8} {granted_per_s_mean:>8.1} {p50_ms:>9.2} {p99_ms:>9.2} {p999_ms:>9.2}"
        )?;
    }
    writeln!(out)?;
    let seconds = |ms: u128| ms as f64 / 1000.0;
    writeln!(
        out,
        "seed {}, {:.1} s until the last shopper left, {:.1} s more until the last hold had ended",
        setup.seed,
        seconds(played.lasted_ms),
        seconds(played.settled_ms)
    )?;
    for (why, count) in &played.failures {
        writeln!(out, "failed: {count} x {why}")?;
    }
    for problem in played.problems.lines(PROBLEMS_MAX) {
        writeln!(out, "problem: {problem}")?;
    }
    writeln!(out, "{}", played.verdict(audit))
}
