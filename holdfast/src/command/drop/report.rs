//! The HTML report: one file without outside parts, for people who were not there.

mod chart;

use std::fmt::Write as _;

use self::chart::{Axis, Series, Shape, figure, number};
use super::played::{AuditVerdict, Played};
use super::tally::{LatencyPoint, Summary};

const STYLE: &str = include_str!("report/style.css");
/// The most steps a curve is drawn with.
const STEPS_MAX: usize = 800;
/// How many problems are spelled out.
const PROBLEMS_MAX: usize = 50;

/// The report as a page.
pub(crate) fn html(played: &Played, audit: AuditVerdict) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = page(&mut out, played, audit);
    out
}

/// Text as HTML text or attribute value.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

fn page(out: &mut String, played: &Played, audit: AuditVerdict) -> std::fmt::Result {
    let setup = &played.setup;
    let sku = escape(&setup.sku);
    write!(
        out,
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8><meta name=viewport \
         content='width=device-width,initial-scale=1'><meta name=color-scheme content='light dark'>\
         <title>Drop of {sku}</title><style>{STYLE}</style></head><body><main>\n"
    )?;
    write!(out, "<header><p>Product drop, played {}</p><h1>{sku}</h1>", escape(&played.machine.played))?;
    let clean = if played.is_clean(audit) { "good" } else { "bad" };
    writeln!(out, "<p class='verdict {clean}'>{}</p></header>", escape(&played.verdict(audit)))?;
    problems(out, played)?;
    tiles(out, played, audit)?;
    out.push_str("<section class=charts>\n");
    charts(out, played);
    out.push_str("</section>\n<section class=tables>\n");
    outcomes(out, played)?;
    latencies(out, played)?;
    out.push_str("</section>\n");
    sizes(out, played)?;
    facts(out, played)?;
    out.push_str("</main></body></html>\n");
    Ok(())
}

fn problems(out: &mut String, played: &Played) -> std::fmt::Result {
    let lines = played.problems.lines(PROBLEMS_MAX);
    if lines.is_empty() {
        return Ok(());
    }
    out.push_str("<section class=problems><h2>What is wrong</h2><ul>");
    for line in lines {
        write!(out, "<li>{}</li>", escape(&line))?;
    }
    out.push_str("</ul></section>\n");
    Ok(())
}

fn tiles(out: &mut String, played: &Played, audit: AuditVerdict) -> std::fmt::Result {
    let whole = |count: u64| number(count as f64);
    let audit = match audit {
        AuditVerdict::Ok => "ok".to_owned(),
        AuditVerdict::Breached(breaches) => whole(breaches),
        AuditVerdict::NotRun => "not run".to_owned(),
    };
    out.push_str("<section class=tiles>");
    for (value, label, note) in [
        (whole(played.sold_units), "units sold", format!("of {}", played.setup.units)),
        (whole(played.oversold_units), "oversold", format!("in {} versions", played.versions_watched)),
        (audit, "audit", "of the ledger".to_owned()),
        (whole(played.hold.granted_per_s_max), "holds a second", "at the peak".to_owned()),
        (whole(played.order.granted_per_s_max), "orders a second", "at the peak".to_owned()),
        (format!("{:.1} ms", played.hold.p99_ms), "hold, p99", format!("p50 {:.1} ms", played.hold.p50_ms)),
    ] {
        write!(out, "<div><b>{}</b><span>{label}</span><small>{}</small></div>", escape(&value), escape(&note))?;
    }
    out.push_str("</section>\n");
    Ok(())
}

fn charts(out: &mut String, played: &Played) {
    let curves = &played.curves;
    let seconds = (played.lasted_ms + played.settled_ms) as f64 / 1000.0;
    let time = Axis::exact("seconds since the doors opened", seconds);
    let committed_before = curves.stock.first().map_or(0, |point| point.committed);
    let stride = curves.stock.len().div_ceil(STEPS_MAX).max(1);
    let last = curves.stock.last().map(|last| super::journal::Point { at_ms: (seconds * 1000.0) as u64, ..*last });
    let stock: Vec<_> = curves.stock.iter().step_by(stride).copied().chain(last).collect();
    let units = |name, class, of: fn(&super::journal::Point) -> i64, less: i64| Series {
        name,
        class,
        shape: Shape::Stacked,
        points: stock.iter().map(|point| (point.at_ms as f64 / 1000.0, (of(point) - less).max(0) as f64)).collect(),
    };
    out.push_str(&figure(
        "Where the units were",
        "From the stock watch, every version checked.",
        time,
        Axis::linear("units", played.setup.units as f64),
        &[
            units("sold", "sold", |point| point.committed, committed_before),
            units("held", "held", |point| point.held, 0),
            units("available", "available", |point| point.available, 0),
        ],
    ));
    let per_bucket = |name, class, shape, counts: &[u64]| Series {
        name,
        class,
        shape,
        points: counts.iter().chain([&0]).zip(0u32..).map(|(n, at)| (f64::from(at) / 10.0, *n as f64)).collect(),
    };
    let busiest = curves.arrivals.iter().chain(&curves.sales).max().copied().unwrap_or_default();
    out.push_str(&figure(
        "Who came and who bought",
        "Shoppers and orders in each tenth of a second.",
        time,
        Axis::linear("per 100 ms", busiest as f64),
        &[
            per_bucket("shoppers arriving", "available", Shape::Filled, &curves.arrivals),
            per_bucket("orders placed", "sold", Shape::Filled, &curves.sales),
        ],
    ));
    let milliseconds = curves.hold.iter().chain(&curves.order).flat_map(|point| [point.p50_ms, point.p99_ms]);
    let latency = |name, class, shape, points: &[LatencyPoint], of: fn(&LatencyPoint) -> f64| Series {
        name,
        class,
        shape,
        points: points.iter().map(|point| (point.at_ms as f64 / 1000.0, of(point))).collect(),
    };
    out.push_str(&figure(
        "How long answers took",
        "As shoppers felt it, repeated calls included; by tenth of a second.",
        time,
        Axis::log("ms", milliseconds),
        &[
            latency("hold p50", "held", Shape::Line, &curves.hold, |point| point.p50_ms),
            latency("hold p99", "held", Shape::Dashed, &curves.hold, |point| point.p99_ms),
            latency("order p50", "sold", Shape::Line, &curves.order, |point| point.p50_ms),
            latency("order p99", "sold", Shape::Dashed, &curves.order, |point| point.p99_ms),
        ],
    ));
    let cdf = |name, class, points: &[(f64, f64)]| Series {
        name,
        class,
        shape: Shape::Joined,
        points: points.iter().map(|&(share, ms)| (ms, share * 100.0)).collect(),
    };
    let milliseconds = curves.hold_cdf.iter().chain(&curves.order_cdf).map(|(_, ms)| *ms);
    out.push_str(&figure(
        "How many answers took how long",
        "Share of all answers within a time.",
        Axis::log("ms", milliseconds),
        Axis::exact("% of answers", 100.0),
        &[cdf("holds", "held", &curves.hold_cdf), cdf("orders", "sold", &curves.order_cdf)],
    ));
}

fn outcomes(out: &mut String, played: &Played) -> std::fmt::Result {
    let o = played.outcomes;
    let all = played.setup.shoppers.max(1) as f64;
    out.push_str("<div><h2>How it ended for the shoppers</h2><table>");
    for (what, class, count) in [
        ("bought", "sold", o.sold),
        ("refused: sold out", "refused", o.refused_sold_out),
        ("payment declined", "lost", o.declined),
        ("payment timed out", "lost", o.timed_out),
        ("held and walked away", "held", o.abandoned),
        ("failed", "lost", o.failed),
    ] {
        let share = count as f64 / all * 100.0;
        let bar = if count > 0 { format!("<i class={class} style='width:{share:.1}%'></i>") } else { String::new() };
        write!(out, "<tr><th>{what}</th><td class=n>{count}</td><td class=bar>{bar}</td></tr>")?;
    }
    write!(
        out,
        "</table><p>{} holds expired and went back on sale. Shoppers came back {} times after a refusal. \
         {} calls were repeated with the same id.</p>",
        played.expired_and_returned, played.came_back, played.calls_retried
    )?;
    for (why, count) in &played.failures {
        write!(out, "<p>{count} failed: {}</p>", escape(why))?;
    }
    out.push_str("</div>\n");
    Ok(())
}

fn latencies(out: &mut String, played: &Played) -> std::fmt::Result {
    out.push_str(
        "<div><h2>Calls</h2><div class=scroll><table><tr><td></td><th>calls</th><th>granted</th><th>per s, peak</th>\
         <th>mean</th><th>p50</th><th>p99</th><th>p99.9</th><th>max</th></tr>",
    );
    for (verb, summary) in [("view", played.view), ("hold", played.hold), ("order", played.order)] {
        let Summary { calls, granted, granted_per_s_max, granted_per_s_mean, p50_ms, p99_ms, p999_ms, max_ms } =
            summary;
        write!(
            out,
            "<tr><th>{verb}</th><td class=n>{calls}</td><td class=n>{granted}</td><td class=n>{granted_per_s_max}</td>\
             <td class=n>{granted_per_s_mean:.0}</td><td class=n>{p50_ms:.1}</td><td class=n>{p99_ms:.1}</td>\
             <td class=n>{p999_ms:.1}</td><td class=n>{max_ms:.1}</td></tr>"
        )?;
    }
    out.push_str("</table></div><p>Latencies in milliseconds.</p></div>\n");
    Ok(())
}

fn sizes(out: &mut String, played: &Played) -> std::fmt::Result {
    let Some(replay) = &played.setup.replay else { return Ok(()) };
    write!(
        out,
        "<section><h2>By size</h2><p>Sizes and demand in proportion to {} sales of {} in {}. Made up: {}.</p>\
         <div class=scroll><table><tr><th>size</th><th>units</th><th>shoppers</th><th>sold</th><td></td><th>refused</th>\
         </tr>",
        replay.sales,
        escape(&replay.days.join(", ")),
        escape(&replay.file),
        escape(replay.made_up)
    )?;
    let most = played.items.iter().map(|item| item.units).max().unwrap_or_default().max(1) as f64;
    for item in &played.items {
        write!(
            out,
            "<tr><th>{}</th><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td class=bar><i class=sold \
             style='width:{:.1}%'></i></td><td class=n>{}</td></tr>",
            escape(item.size.as_deref().unwrap_or(&item.sku)),
            item.units,
            item.shoppers,
            item.sold,
            item.sold as f64 / most * 100.0,
            item.outcomes.refused_sold_out
        )?;
    }
    out.push_str("</table></div></section>\n");
    Ok(())
}

fn facts(out: &mut String, played: &Played) -> std::fmt::Result {
    let (setup, machine) = (&played.setup, &played.machine);
    let seconds = |ms: u128| format!("{} s", number(ms as f64 / 1000.0));
    let percent = |share: f64| format!("{} %", number(share * 100.0));
    out.push_str("<section><h2>How it was played</h2><dl>");
    for (name, value) in [
        ("units for sale", setup.units.to_string()),
        ("shoppers", format!("{}, at most {} at a time", setup.shoppers, setup.concurrency)),
        ("arrivals", format!("within {}, {} of them in a rush", seconds(setup.window_ms), percent(setup.rush))),
        ("walk away", percent(setup.shares.abandon)),
        ("declined", percent(setup.shares.decline)),
        ("time out", percent(setup.shares.timeout)),
        ("hold to order", format!("{} on average", seconds(setup.think_ms))),
        ("holds last", format!("{}, abandoned ones {}", seconds(setup.hold_ttl_ms), seconds(setup.abandon_ttl_ms))),
        ("patience", seconds(setup.patience_ms)),
        ("seed", setup.seed.to_string()),
        ("door", setup.url.clone()),
        ("took", format!("{}, holds gone {} later", seconds(played.lasted_ms), seconds(played.settled_ms))),
        ("watch", format!("{} versions, {} resets", played.versions_watched, played.watch_resets)),
        ("holdfast", format!("{} ({} build)", machine.holdfast, machine.build)),
        ("clients ran on", format!("{}, {} cores, {} GiB", machine.processor, machine.cores, machine.memory_gib)),
        ("system", machine.system.clone()),
    ] {
        write!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(&value))?;
    }
    out.push_str("</dl></section>\n");
    Ok(())
}

#[cfg(test)]
mod tests;
